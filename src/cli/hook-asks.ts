/** What a hook was asked: the line that is read, the request that a person would approve, the files that are toolgate's own. */
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import type { CommandCall } from '../catalog/command.ts';
import type { Catalog } from '../catalog/load.ts';
import type { OwnPlaces } from '../catalog/own.ts';
import { quoted } from '../catalog/shell-line.ts';
import type { Folders } from '../config/paths.ts';
import { touchedBy } from '../shell/files.ts';
import type { HookAsks, HookCommand, HookEvent, HookFiles } from '../shell/payload.ts';
import { realPath } from './own-places.ts';

/** A line for another shell is read as what that shell is given. */
export function lineOf({ text, shell }: HookCommand): string {
  return shell === 'powershell' ? `powershell -Command ${quoted(text)}` : text;
}

/** Where a hook keeps what git said of a folder (see `gitContextAt`). */
export function keptGit({ state }: Folders): string {
  return join(state, 'git');
}

/** The request that an approval is for: exactly this, in this folder. */
export function requestOf({ cwd }: HookEvent, asks: HookAsks): string {
  const folder = cwd !== null && { cwd };
  switch (asks.kind) {
    case 'command':
      return JSON.stringify({ command: asks.text, ...folder });
    case 'files':
      return JSON.stringify({ tool: asks.tool, input: asks.input, ...folder });
    case 'mcp':
      return JSON.stringify({ name: asks.tool, arguments: asks.args, server: asks.server, launch: asks.launch });
  }
}

/** What a file tool does to toolgate's own; empty for all other files. */
export function touchedFiles(asks: HookFiles, own: OwnPlaces, catalog: Catalog, cwd: string | null): CommandCall[] {
  return touchedBy(asks, own, catalog, (path) => {
    const whole = path.startsWith('~/') ? join(homedir(), path.slice(2)) : path;
    if (!isAbsolute(whole) && cwd === null) return [];
    const named = resolve(cwd ?? '/', whole);
    return [named, realPath(named)];
  });
}
