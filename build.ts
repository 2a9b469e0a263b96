/** Builds `dist/`: one bundle in pieces, the catalog as JSON; and the JSON Schemas for editors with `--schema`. */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';
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

rmSync('dist', { recursive: true, force: true });
mkdirSync('dist');

const catalog = await readCatalogFolder('catalog');
if (catalog.problems.length > 0) {
  console.error(formatProblems(catalog.problems));
  process.exit(1);
}
cpSync('src/desk/console', 'dist/console', { recursive: true });
for (const [name, text] of Object.entries(catalogFiles(catalog.files))) writeFileSync(`dist/${name}`, text);

const shared = {
  outdir: 'dist',
  bundle: true,
  platform: 'node',
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
  logLevel: 'warning',
} satisfies BuildOptions;
/** Node starts a CommonJS file sooner than a module: importing Node's own modules loads all that they could give. */
const commonJs = { ...shared, format: 'cjs' } satisfies BuildOptions;
writeFileSync('dist/package.json', '{ "type": "commonjs" }\n');

/** What a hook needs at times only: modules of the program, by the names of their entries. */
const later: Record<string, string> = {};
/** A hook stands before every command of an agent: what most of them need is one file, named by its content. */
const hookApart: Plugin = {
  name: 'hook-apart',
  setup: (builder) => {
    builder.onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) => {
      if (kind !== 'dynamic-import' || path.endsWith('/hook-corridor.ts')) return;
      const file = join(resolveDir, path);
      const name = relative('src', file)
        .replace(/\.tsx?$/, '')
        .replaceAll(sep, '-');
      later[name] = file;
      return { path: `./${name}.mjs`, external: true };
    });
  },
};
const { metafile } = await build({
  ...commonJs,
  entryPoints: { hook: 'src/cli/hook-start.ts' },
  entryNames: '[name]-[hash]',
  outExtension: { '.js': '.cjs' },
  supported: { 'dynamic-import': false },
  // A fourth less to read, each time.
  minifyIdentifiers: true,
  define: { 'import.meta.url': '__url' },
  // As code-cache.ts wants it: a longer text put together then would be a copy of it all.
  banner: {
    js: "(function (exports, require, module, __filename) {const __url = require('node:url').pathToFileURL(__filename).href;",
  },
  footer: { js: '})' },
  metafile: true,
  plugins: [leaveOut, hookApart],
});
const [[hookFile, { inputs }]] = Object.entries(metafile.outputs) as [[string, Metafile['outputs'][string]]];
if (process.argv.includes('--sizes'))
  for (const [path, { bytesInOutput }] of Object.entries(inputs).sort(
    ([, a], [, b]) => b.bytesInOutput - a.bytesInOutput,
  ))
    console.log(`${String(bytesInOutput).padStart(8)} ${path}`);

await build({
  ...shared,
  format: 'esm',
  entryPoints: { main: 'src/cli/main.ts', ...later },
  splitting: true,
  chunkNames: 'part-[hash]',
  outExtension: { '.js': '.mjs' },
  // Some dependencies are CommonJS and ask for Node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  plugins: [leaveOut],
});

const mainApart: Plugin = {
  name: 'main-apart',
  setup: (builder) => {
    builder.onResolve({ filter: /\/main\.ts$/ }, () => ({ path: './main.mjs', external: true }));
  },
};
await build({
  ...commonJs,
  entryPoints: { toolgate: 'src/cli/start.ts' },
  define: { HOOK_FILE: JSON.stringify(basename(hookFile)) },
  plugins: [mainApart],
});
