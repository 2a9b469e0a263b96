/** How an agent's client starts an MCP server that it knows by a name, read from the client's own files. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'jsonc-parser';
import { isObject } from '../call.ts';

/** One entry of a client's file. */
export interface Registered {
  readonly command: string | undefined;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, unknown>>;
  readonly url: string | undefined;
  /** it says more than how a program is started */
  readonly isOther: boolean;
}

interface Found {
  /** every entry of that name which the client may take */
  readonly entries: readonly Registered[];
  /** the other servers that it knows */
  readonly others: readonly string[];
}

/** In the files of the user and of the folders above `cwd`. A client whose files are not known here has none. */
export function registeredAs(name: string, client: string, cwd: string, home: string): Found {
  const { user = [], project = [] } = FILES[client] ?? {};
  const projects = [...foldersAbove(cwd)].flatMap((folder) => project.map((file) => join(folder, file)));
  const files = [...new Set([...user.map((file) => join(home, file)), ...projects])];
  const servers = files.flatMap((file) => entriesIn(file, cwd));
  return {
    entries: servers.flatMap((each) => entryOf(each[name])),
    others: servers.flatMap((each) => Object.keys(each)).filter((each) => each !== name),
  };
}

/** Files with `mcpServers` or `servers`, from the home folder and from a project's. */
const FILES: Readonly<Record<string, { readonly user: readonly string[]; readonly project: readonly string[] }>> = {
  'claude-code': { user: ['.claude.json'], project: ['.mcp.json'] },
  cursor: { user: ['.cursor/mcp.json'], project: ['.cursor/mcp.json'] },
  gemini: { user: ['.gemini/settings.json'], project: ['.gemini/settings.json'] },
  copilot: { user: ['.copilot/mcp-config.json'], project: [] },
  vscode: { user: [], project: ['.vscode/mcp.json'] },
};

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

function entryOf(entry: unknown): Registered[] {
  if (!isObject(entry)) return [];
  const { command, args, env, url, ...rest } = entry;
  return [
    {
      command: typeof command === 'string' ? command : undefined,
      args: Array.isArray(args) ? args.map(String) : [],
      env: isObject(env) ? env : {},
      url: typeof url === 'string' ? url : undefined,
      isOther:
        Object.keys(rest).some((key) => key !== 'type') || (rest['type'] !== undefined && rest['type'] !== 'stdio'),
    },
  ];
}
