/** What reading a line needs from outside: of each folder that its git commands work in, what git knows there. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { GitContext, GitSetting } from '../catalog/git-context.ts';
import type { Catalog } from '../catalog/load.ts';
import { type Reading, readShell, type ShellContext } from '../catalog/shell-reading.ts';

const TIMEOUT_MS = 2000;
const MAX_FOLDERS = 20;

export interface InContext {
  readonly reading: Reading;
  /** of each folder that its git commands work in, what git knows there */
  readonly git: ReadonlyMap<string, GitContext>;
}

const NO_GIT: ReadonlyMap<string, GitContext> = new Map();

/** Reads a line, looks where its git commands work, and reads it again with what is known there. */
export function readInContext(
  catalog: Catalog,
  line: string,
  around: Omit<ShellContext, 'git' | 'remotes'>,
): InContext {
  const remotes = line.includes('rclone') ? remotesOf(around.home) : NO_REMOTES;
  const first = readShell(catalog, line, { ...around, git: new Map(), remotes });
  if (first.gitFolders.size === 0) return { reading: first, git: NO_GIT };
  const folders = [...first.gitFolders].slice(0, MAX_FOLDERS);
  const git = new Map(folders.flatMap((folder) => gitContextAt(folder).map((context) => [folder, context] as const)));
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

/** What git knows in a folder; empty where it knows nothing: the folder isn't there, or there is no git. */
export function gitContextAt(folder: string): GitContext[] {
  const settings = git(folder, ['config', '-z', '--list', '--show-scope']);
  if (settings === null) return [];
  const [own = '', hooks = ''] = git(folder, ['rev-parse', '--git-dir', '--git-path', 'hooks'])?.split('\n') ?? [];
  return [
    {
      settings: settingsIn(settings),
      branch: own === '' ? null : branchOf(resolve(folder, own)),
      hooks: hooks === '' ? [] : hooksIn(resolve(folder, hooks)),
    },
  ];
}

/** The branch that a repository's HEAD names; null where it names a commit, or is kept in another way. */
function branchOf(gitFolder: string): string | null {
  try {
    const branch = /^ref: refs\/heads\/(.+)$/.exec(readFileSync(join(gitFolder, 'HEAD'), 'utf8').trimEnd())?.[1];
    return branch === undefined || branch === '.invalid' ? null : branch;
  } catch {
    return null;
  }
}

/** Those that git would run. */
function hooksIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter((name) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** `scope NUL key LF value NUL`, again and again. */
function settingsIn(text: string): GitSetting[] {
  const parts = text.split('\0');
  const settings: GitSetting[] = [];
  for (let at = 0; at + 1 < parts.length; at += 2) {
    const [key = '', ...value] = parts[at + 1]!.split('\n');
    settings.push({ scope: scopeOf(parts[at]!), key, value: value.join('\n') });
  }
  return settings;
}

function scopeOf(text: string): GitSetting['scope'] {
  const known = ['system', 'global', 'local', 'worktree', 'command'] as const;
  return known.find((scope) => scope === text) ?? 'unknown';
}

/** Asks git in a folder, with none of the variables that would lead it elsewhere. */
function git(folder: string, args: readonly string[]): string | null {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_')));
  const { status, stdout } = spawnSync('git', ['-C', folder, ...args], {
    env: { ...env, GIT_OPTIONAL_LOCKS: '0' },
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
    maxBuffer: 4 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return status === 0 ? stdout : null;
}
