/** How to start the real upstream servers that the tests use, and our own small ones. */
import { fileURLToPath } from 'node:url';

const root = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly [key: string]: unknown;
}

const node = (path: string, ...args: string[]): Launch => ({ command: process.execPath, args: [root(path), ...args] });

export const DIST = root('dist/toolgate.js');

export const everything = (): Launch =>
  node('node_modules/@modelcontextprotocol/server-everything/dist/index.js', 'stdio');
export const filesystem = (folder: string): Launch =>
  node('node_modules/@modelcontextprotocol/server-filesystem/dist/index.js', folder);
export const memory = (file: string): Launch => ({
  ...node('node_modules/@modelcontextprotocol/server-memory/dist/index.js'),
  env: { MEMORY_FILE_PATH: file },
});
export const github = (): Launch => ({
  ...node('node_modules/@modelcontextprotocol/server-github/dist/index.js'),
  env: { GITHUB_PERSONAL_ACCESS_TOKEN: 'dummy' },
});
export const git = (logs: string): Launch => ({
  ...node('node_modules/@cyanheads/git-mcp-server/dist/index.js'),
  env: { MCP_TRANSPORT_TYPE: 'stdio', MCP_LOG_LEVEL: 'error', LOGS_DIR: logs, GIT_SIGN_COMMITS: 'false' },
});

/** The same server, with every byte that reaches its stdin written to `file` too. */
export const watched = (launch: Launch, file: string): Launch => ({
  ...launch,
  command: process.execPath,
  args: [root('test/fixtures/tee.mjs'), file, launch.command, ...launch.args],
});

/** Our small raw server: what it offers and how it answers is a script. */
export const scripted = (script: object): Launch => node('test/fixtures/scripted.mjs', JSON.stringify(script));
