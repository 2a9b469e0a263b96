/** What reading a line needs from outside: of each folder that its git commands work in, what git knows there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GitContext } from '../catalog/git-context.ts';
import type { Catalog } from '../catalog/load.ts';
import { type Reading, readShell, type ShellContext } from '../catalog/shell-reading.ts';
import { gitContextAt } from './git.ts';

const MAX_FOLDERS = 20;

export interface InContext {
  readonly reading: Reading;
  /** of each folder that its git commands work in, what git knows there */
  readonly git: ReadonlyMap<string, GitContext>;
}

const NO_GIT: ReadonlyMap<string, GitContext> = new Map();

/** Reads a line, looks where its git commands work, and reads it again with what is known there. `kept`: see `gitContextAt`. */
export function readInContext(
  catalog: Catalog,
  line: string,
  around: Omit<ShellContext, 'git' | 'remotes'>,
  kept: string | null = null,
): InContext {
  const remotes = line.includes('rclone') ? remotesOf(around.home) : NO_REMOTES;
  const first = readShell(catalog, line, { ...around, git: new Map(), remotes });
  if (first.gitFolders.size === 0) return { reading: first, git: NO_GIT };
  const folders = [...first.gitFolders].slice(0, MAX_FOLDERS);
  const git = new Map(
    folders.flatMap((folder) => gitContextAt(folder, kept).map((context) => [folder, context] as const)),
  );
  return { reading: git.size === 0 ? first : readShell(catalog, line, { ...around, git, remotes }), git };
}

export const NO_REMOTES: ReadonlyMap<string, string> = new Map();

/** Type by name, of the remotes that rclone has by itself; none where its file can't be read. */
function remotesOf(home: string | null): ReadonlyMap<string, string> {
  if (home === null) return NO_REMOTES;
  const remotes = new Map<string, string>();
  let name: string | null = null;
  for (const line of rcloneSettings(home)) {
    name = /^\[(.+)\]$/.exec(line)?.[1] ?? name;
    const type = /^\s*type\s*=\s*(\S+)/.exec(line)?.[1];
    if (name !== null && type !== undefined) remotes.set(name, type);
  }
  return remotes;
}

function rcloneSettings(home: string): string[] {
  for (const file of [join(home, '.config', 'rclone', 'rclone.conf'), join(home, '.rclone.conf')])
    try {
      return readFileSync(file, 'utf8').split(/\r?\n/);
    } catch {
      // The other place.
    }
  return [];
}
