/** The catalog that comes with toolgate. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readCatalogFolder } from '../catalog/load.ts';
import type { CatalogFile } from '../catalog/schema.ts';
import { sha256 } from '../digest.ts';
import { GatewayError } from '../errors.ts';
import { formatProblems } from '../problem.ts';

/** Read from the build's JSON, or from the YAML files when run from source. */
export async function builtInCatalog(): Promise<{ files: readonly CatalogFile[]; hash: string }> {
  const built = fileURLToPath(new URL('./catalog.json', import.meta.url));
  if (existsSync(built)) {
    const text = readFileSync(built, 'utf8');
    return { files: JSON.parse(text), hash: sha256(text) };
  }
  const loaded = await readCatalogFolder(fileURLToPath(new URL('../../catalog', import.meta.url)));
  if (loaded.problems.length > 0) throw new GatewayError('catalog_invalid', formatProblems(loaded.problems));
  return { files: loaded.files, hash: sha256(JSON.stringify(loaded.files)) };
}
