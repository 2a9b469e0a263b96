/** Builds `dist/`: one bundle in pieces, the catalog as JSON; and the JSON Schemas for editors with `--schema`. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';
import { readCatalogFolder } from './src/catalog/load.ts';
import { formatProblems } from './src/problem.ts';

rmSync('dist', { recursive: true, force: true });
mkdirSync('dist');

const catalog = await readCatalogFolder('catalog');
if (catalog.problems.length > 0) {
  console.error(formatProblems(catalog.problems));
  process.exit(1);
}
writeFileSync('dist/catalog.json', JSON.stringify(catalog.files));

await build({
  entryPoints: { toolgate: 'src/cli/main.ts' },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node22.13',
  minifySyntax: true,
  // jsonc-parser's main entry asks for its parts at run time; its ESM entry can be bundled.
  mainFields: ['module', 'main'],
  legalComments: 'none',
  chunkNames: 'part-[hash]',
  // Some dependencies are CommonJS and ask for Node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  logLevel: 'warning',
});
