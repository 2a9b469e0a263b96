/** What reading a line needs from outside: of each folder that its git commands work in, what git knows there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type GitContext, unknownContext } from '../catalog/git-context.ts';
import type { Catalog } from '../catalog/load.ts';
import type { Reading } from '../catalog/shell-findings.ts';
import { readShell, type ShellContext } from '../catalog/shell-reading.ts';
import { gitContextAt } from './git.ts';

const MAX_FOLDERS = 20;
const MAX_ROUNDS = 3;

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
  const known = new Map<string, GitContext[]>();
  const look = (folders: Iterable<string>) => {
    for (const folder of folders)
      if (!known.has(folder) && known.size < MAX_FOLDERS) known.set(folder, gitContextAt(folder, kept));
  };
  const readAgain = () => {
    const git = new Map([...known].flatMap(([folder, contexts]) => contexts.map((each) => [folder, each] as const)));
    return readShell(catalog, line, { ...around, git, remotes });
  };
  // Most lines that may be about git work where the agent does: then one reading is enough.
  if (around.cwd !== null && /\bg(it|h)\b/.test(line)) look([around.cwd]);
  let reading = readAgain();
  const isKnown = () => [...reading.gitFolders].every((folder) => known.has(folder));
  // An alias that is known by now may lead to another folder.
  for (let round = 0; round < MAX_ROUNDS && !isKnown(); round++) {
    look(reading.gitFolders);
    reading = readAgain();
  }
  if (!isKnown()) {
    for (const folder of reading.gitFolders)
      if (!known.has(folder)) known.set(folder, [unknownContext('it leads to more folders than are looked into')]);
    reading = readAgain();
  }
  const used = [...reading.gitFolders].flatMap((folder) =>
    (known.get(folder) ?? []).map((each) => [folder, each] as const),
  );
  return { reading, git: used.length === 0 ? NO_GIT : new Map(used) };
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
