/** Builds `dist/`: one bundle in pieces, the catalog as JSON; and the JSON Schemas for editors with `--schema`. */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { readCatalogFolder } from './src/catalog/load.ts';
import { catalogFiles } from './src/cli/built-in.ts';
import { formatProblems } from './src/problem.ts';

/**
 * What would be loaded at every start and is never used: zod's messages in forty languages, and the JSON Schema
 * validators of the MCP SDK, which the gate doesn't call (schemas of tools are passed on, not judged).
 */
const leaveOut: Plugin = {
  name: 'leave-out',
  setup: (builder) => {
    const empty = (contents: string) => ({ contents, loader: 'js' as const });
    builder.onLoad({ filter: /zod[/\\]v4[/\\]locales[/\\]index\.js$/ }, ({ path }) => ({
      ...empty("export { default as en } from './en.js';"),
      resolveDir: dirname(path),
    }));
    builder.onLoad(
      { filter: /@modelcontextprotocol[/\\](client|server)[/\\]dist[/\\]ajvProvider-[^/\\]+\.mjs$/ },
      ({ path }) => {
        const names = /export \{([^}]*)\}/.exec(readFileSync(path, 'utf8'))?.[1] ?? '';
        const exported = names.split(',').map((each) =>
          each
            .trim()
            .split(/\s+as\s+/)
            .at(-1),
        );
        return empty(
          `const unused = class { constructor() {} getValidator() { throw new Error('JSON Schema validation is not built in'); } };\nexport { ${exported.map((name) => `unused as ${name}`).join(', ')} };`,
        );
      },
    );
  },
};

/** A hook stands before every command of an agent: it is one file of its own, with nothing in it that it doesn't need. */
const hookApart: Plugin = {
  name: 'hook-apart',
  setup: (builder) => {
    builder.onResolve({ filter: /hook-start\.ts$/ }, () => ({ path: './hook.js', external: true }));
  },
};

rmSync('dist', { recursive: true, force: true });
mkdirSync('dist');

const catalog = await readCatalogFolder('catalog');
if (catalog.problems.length > 0) {
  console.error(formatProblems(catalog.problems));
  process.exit(1);
}
cpSync('src/desk/console', 'dist/console', { recursive: true });
for (const [name, text] of Object.entries(catalogFiles(catalog.files))) writeFileSync(`dist/${name}`, text);

const shared: BuildOptions = {
  outdir: 'dist',
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node22.13',
  minifySyntax: true,
  minifyWhitespace: true,
  // It finds the programs that it brings beside its own files.
  external: ['node-notifier'],
  jsx: 'automatic',
  jsxImportSource: 'hono/jsx',
  // jsonc-parser's main entry asks for its parts at run time; its ESM entry can be bundled.
  mainFields: ['module', 'main'],
  legalComments: 'none',
  chunkNames: 'part-[hash]',
  // Some dependencies are CommonJS and ask for Node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  logLevel: 'warning',
};
await build({
  ...shared,
  entryPoints: { toolgate: 'src/cli/start.ts' },
  plugins: [leaveOut, hookApart],
});
const { metafile } = await build({
  ...shared,
  entryPoints: { hook: 'src/cli/hook-start.ts' },
  chunkNames: 'hook-[hash]',
  metafile: true,
  plugins: [leaveOut],
});
if (process.argv.includes('--sizes'))
  for (const [path, { bytesInOutput }] of Object.entries(metafile.outputs['dist/hook.js']!.inputs).sort(
    ([, a], [, b]) => b.bytesInOutput - a.bytesInOutput,
  ))
    console.log(`${String(bytesInOutput).padStart(8)} ${path}`);
