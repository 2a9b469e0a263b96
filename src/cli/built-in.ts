/** The catalog that comes with toolgate: read from the build's JSON, or from the YAML files when run from source. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readCatalogFolder } from '../catalog/load.ts';
import { commandsOnly, fromParts, inParts } from '../catalog/parts.ts';
import type { CatalogFile } from '../catalog/schema.ts';
import type { OurCatalog } from '../config/rules.ts';
import { sha256 } from '../digest.ts';
import { GatewayError } from '../errors.ts';
import { once } from '../once.ts';
import { formatProblems } from '../problem.ts';

/** `commands`: judged are commands alone. Files are read when they are first needed. */
export async function builtInCatalog(judged: 'all' | 'commands' = 'all'): Promise<OurCatalog> {
  const hash = built('catalog.hash');
  if (hash === null) {
    const files = await fromSource();
    return { hash: sha256(JSON.stringify(files)), whole: () => files, judging: () => files };
  }
  const whole = once(() => JSON.parse(built('catalog.json')!) as CatalogFile[]);
  return { hash, whole, judging: judged === 'all' ? whole : builtCommands };
}

const builtCommands = once(() =>
  fromParts(JSON.parse(built('commands.json')!), (integration) => JSON.parse(built(`commands-${integration}.json`)!)),
);

/** The files of `dist/`, by their names. */
export function catalogFiles(files: readonly CatalogFile[]): Record<string, string> {
  const whole = JSON.stringify(files);
  const { heads, contents } = inParts(commandsOnly(files));
  return {
    'catalog.json': whole,
    'catalog.hash': sha256(whole),
    'commands.json': JSON.stringify(heads),
    ...Object.fromEntries(
      Object.entries(contents).map(([integration, each]) => [`commands-${integration}.json`, JSON.stringify(each)]),
    ),
  };
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
