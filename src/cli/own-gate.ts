/** Whether an MCP server that a client knows is a gate of this very house: then the gate judges, and holds, what it is asked. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Registered, registeredAs } from '../clients/registered.ts';
import { type Folders, folders } from '../config/paths.ts';
import type { HookMcp } from '../shell/payload.ts';
import { ownPlaces, realPath } from './own-places.ts';

/** By how the client starts it, as its payload says or else its files. Where several entries have the name, all must be ours. */
export function isOwnGate({ server, launch }: HookMcp, where: Folders, cwd: string, home: string): boolean {
  const entries =
    launch?.command !== undefined
      ? [{ command: launch.command, args: launch.args ?? [], env: {} }]
      : server === null || launch !== null
        ? []
        : registeredAs(server, cwd, home);
  return entries.length > 0 && entries.every((entry) => startsUs(entry, where));
}

function startsUs({ command, args, env }: Pick<Registered, 'command' | 'args' | 'env'>, where: Folders): boolean {
  // Another environment may be another house.
  if (Object.keys(env).some((name) => /^(TOOLGATE_|NODE_|XDG_|HOME$|APPDATA$|LOCALAPPDATA$)/i.test(name))) return false;
  const words = [command, ...args];
  const at = words.findIndex((word) => existsSync(word) && OURS.has(realPath(word)));
  // What stands before the program is Node by its path.
  if (at === -1 || at > 1 || (at === 1 && !/^node(\.exe)?$/i.test(command.split(/[\\/]/).at(-1)!))) return false;
  try {
    const options = { config: { type: 'string' }, state: { type: 'string' }, agent: { type: 'string' } } as const;
    const { values, positionals } = parseArgs({
      args: words.slice(at + 1),
      options,
      allowPositionals: true,
      strict: true,
    });
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
