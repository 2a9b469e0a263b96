/** The catalog: reading all of it in a process that has just started, and classifying tools and calls: `npm run bench:catalog`. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { classifyTool } from '../src/catalog/classify.ts';
import { buildCatalog, type Catalog } from '../src/catalog/load.ts';
import { recognise } from '../src/catalog/recognise.ts';
import type { CatalogFile } from '../src/catalog/schema.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const BUILT = join(ROOT, 'dist/catalog.json');
const ROUNDS = 15;

const median = (values: number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!;
const load = (): Catalog => buildCatalog(JSON.parse(readFileSync(BUILT, 'utf8')) as CatalogFile[]);

if (process.argv[2] === 'load') {
  const started = performance.now();
  load();
  console.log(performance.now() - started);
} else {
  const cold = Array.from({ length: ROUNDS }, () =>
    Number(execFileSync(process.execPath, [fileURLToPath(import.meta.url), 'load'], { encoding: 'utf8' })),
  );
  show('reading the whole catalog, in a new process', median(cold), 'ms', 'aim < 40');

  const catalog = load();
  const known = [...catalog.integrations.values()].flatMap(({ servers }) =>
    servers.flatMap((server) => {
      const recognised = { ...recognise(catalog, { key: 'any' }), by: 'launch' as const, servers: [server] };
      return Object.keys(server.server.tools).map((name) => ({ recognised, definition: { name } }));
    }),
  );
  const classes = known.map(({ recognised, definition }) => classifyTool(recognised, definition));
  show(
    'a tool, when its server shows it',
    perItem(known, ({ recognised, definition }) => classifyTool(recognised, definition)),
    'µs',
    '',
  );
  show(
    'a call of a known tool',
    perItem(classes, ({ ofCall }) => ofCall({ method: 'get', force: false, path: 'a' })),
    'µs',
    'aim < 2',
  );
  console.log(`${known.length} tools of ${catalog.integrations.size} integrations, Node ${process.version}`);
}

/** Microseconds for each, in the median of the rounds. */
function perItem<Item>(items: readonly Item[], work: (item: Item) => unknown): number {
  const times = Array.from({ length: ROUNDS }, () => {
    const started = performance.now();
    for (const item of items) work(item);
    return ((performance.now() - started) / items.length) * 1000;
  });
  return median(times);
}

function show(what: string, value: number, unit: string, aim: string): void {
  console.log(`${what.padEnd(46)} ${value.toFixed(2).padStart(7)} ${unit}  ${aim}`);
}
