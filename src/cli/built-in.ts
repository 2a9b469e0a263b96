/** The catalog that comes with toolgate: read from the build's JSON, or from the YAML files when run from source. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readCatalogFolder } from '../catalog/load.ts';
import type { CatalogFile } from '../catalog/schema.ts';
import { GatewayError } from '../errors.ts';
import { formatProblems } from '../problem.ts';

export async function builtInCatalog(): Promise<{ files: readonly CatalogFile[]; hash: string }> {
  const { sha256 } = await import('../digest.ts');
  const text = built('catalog.json');
  if (text !== null) return { files: JSON.parse(text), hash: sha256(text) };
  const files = await fromSource();
  return { files, hash: sha256(JSON.stringify(files)) };
}

/** What is needed to read shell lines alone: without servers, which are most of it. */
export async function builtInCommands(): Promise<readonly CatalogFile[]> {
  const text = built('commands.json');
  return text === null ? fromSource() : JSON.parse(text);
}

function built(name: string): string | null {
  const path = fileURLToPath(new URL(`./${name}`, import.meta.url));
  return existsSync(path) ? readFileSync(path, 'utf8') : null;
}

async function fromSource(): Promise<readonly CatalogFile[]> {
  const loaded = await readCatalogFolder(fileURLToPath(new URL('../../catalog', import.meta.url)));
  if (loaded.problems.length > 0) throw new GatewayError('catalog_invalid', formatProblems(loaded.problems));
  return loaded.files;
}
