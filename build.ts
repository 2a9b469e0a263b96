/** Builds `dist/`: one bundle in pieces, the catalog as JSON; and the JSON Schemas for editors with `--schema`. */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { readCatalogFolder } from './src/catalog/load.ts';
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
writeFileSync('dist/catalog.json', JSON.stringify(catalog.files));
// A hook asks first whether a line concerns any integration at all: for that it needs no server.
writeFileSync('dist/commands.json', JSON.stringify(catalog.files.map((file) => ({ ...file, servers: {} }))));

await build({
  entryPoints: { toolgate: 'src/cli/start.ts' },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node22.13',
  minifySyntax: true,
  minifyWhitespace: true,
  plugins: [leaveOut],
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
});
