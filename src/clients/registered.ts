/** How an agent's client starts an MCP server that it knows by a name, read from the client's own files. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'jsonc-parser';
import { isObject } from '../call.ts';

/** One entry of a client's file. */
export interface Registered {
  /** the file that it stands in */
  readonly file: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, unknown>>;
}

/** Every entry of that name which the client may take, of the user and of the folders above `cwd`. Files that can't be read have none. */
export function registeredAs(name: string, cwd: string, home: string): Registered[] {
  const projects = [...foldersAbove(cwd)].flatMap((folder) => PROJECT_FILES.map((file) => join(folder, file)));
  const files = [...new Set([...USER_FILES.map((file) => join(home, file)), ...projects])];
  return files.flatMap((file) => entriesIn(file, cwd).flatMap((servers) => entryOf(servers[name], file)));
}

/** Files with `mcpServers` or `servers`, from the home folder and from a project's. */
const USER_FILES = ['.claude.json', '.cursor/mcp.json', '.gemini/settings.json', '.copilot/mcp-config.json'];
const PROJECT_FILES = ['.mcp.json', '.cursor/mcp.json', '.gemini/settings.json', '.vscode/mcp.json'];

function* foldersAbove(cwd: string): Iterable<string> {
  for (let folder = cwd; ; folder = dirname(folder)) {
    yield folder;
    if (dirname(folder) === folder) return;
  }
}

/** The user's and the project's servers of one file. */
function entriesIn(file: string, cwd: string): Record<string, unknown>[] {
  const value = readJson(file);
  if (!isObject(value)) return [];
  const project = isObject(value['projects']) ? value['projects'][cwd] : undefined;
  return [value['mcpServers'], value['servers'], isObject(project) ? project['mcpServers'] : undefined].filter(
    isObject,
  );
}

function readJson(file: string): unknown {
  try {
    return parse(readFileSync(file, 'utf8'), [], { allowTrailingComma: true });
  } catch {
    return null;
  }
}

function entryOf(entry: unknown, file: string): Registered[] {
  if (!isObject(entry)) return [];
  const { command, args, env } = entry;
  return [
    {
      file,
      command: typeof command === 'string' ? command : '',
      args: Array.isArray(args) ? args.map(String) : [],
      env: isObject(env) ? env : {},
    },
  ];
}
