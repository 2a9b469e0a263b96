/** Whether an MCP server that a client knows is a gate of this very house: then the gate judges, and holds, what it is asked. */
import { isAbsolute, join } from 'node:path';
import { parseArgs } from 'node:util';
import { registeredAs } from '../clients/registered.ts';
import { type Folders, folders } from '../config/paths.ts';
import type { HookAgent, HookMcp, McpLaunch } from '../shell/payload.ts';
import { ownPlaces, realPath } from './own-places.ts';

/** By how the client starts it, as its payload says or else its files. Where several entries have the name, all must be ours. */
export function isOwnGate(
  { server, tool, launch }: HookMcp,
  form: HookAgent,
  where: Folders,
  cwd: string,
  home: string,
): boolean {
  if (launch !== null) return startsUs(launch, where);
  if (server === null) return false;
  const { entries, others } = registeredAs(server, form, cwd, home);
  // `a__b__c` may be the tool `c` of a server `a__b`.
  if (others.some((name) => `${server}__${tool}`.startsWith(`${name}__`))) return false;
  return entries.length > 0 && entries.every((entry) => startsUs(entry, where));
}

function startsUs(
  { command, args = [], env = {}, url, isOther }: McpLaunch & { isOther?: boolean },
  where: Folders,
): boolean {
  // Another environment, or anything else that the entry says, may make it another house.
  if (command === undefined || url !== undefined || isOther === true || Object.keys(env).length > 0) return false;
  const words = [command, ...args];
  const at = words.findIndex((word) => isAbsolute(word) && OURS.has(realPath(word)));
  // What stands before the program is the Node that runs this hook.
  if (at === -1 || at > 1 || (at === 1 && realPath(command) !== realPath(process.execPath))) return false;
  try {
    const options = { config: { type: 'string' }, state: { type: 'string' }, agent: { type: 'string' } } as const;
    const { values, positionals } = parseArgs({
      args: words.slice(at + 1),
      options,
      allowPositionals: true,
      strict: true,
    });
    if ([values.config, values.state].some((folder) => folder !== undefined && !isAbsolute(folder))) return false;
    const theirs = folders(values, {});
    return (
      positionals.length === 1 &&
      positionals[0] === 'serve' &&
      realPath(theirs.config) === realPath(where.config) &&
      realPath(theirs.state) === realPath(where.state)
    );
  } catch {
    return false;
  }
}

const [PROGRAM = ''] = ownPlaces({ config: '/', state: '/' }).program;
const OURS: ReadonlySet<string> = new Set(
  [join(PROGRAM, 'toolgate.js'), join(PROGRAM, '..', 'bin', 'toolgate.cjs')].map(realPath),
);
