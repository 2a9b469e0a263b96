/** What git knows in a folder. */
import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { GitContext, GitSetting } from '../catalog/git-context.ts';
import { keepSettings, keptSettings, type SaidSetting } from './git-kept.ts';
import { type GitSite, gitSiteOf } from './git-site.ts';

const TIMEOUT_MS = 2000;

/**
 * Empty where git knows nothing: the folder isn't there, or there is no git. `kept`: a folder of toolgate's own, for what
 * git said before; null: git is asked. Starting it takes longer than all the rest of judging a line.
 */
export function gitContextAt(folder: string, kept: string | null = null, now: number = Date.now()): GitContext[] {
  const site = gitSiteOf(folder);
  const known = site !== null && kept !== null ? keptSettings(kept, site) : null;
  const settings = known ?? settingsAt(folder, site, kept, now);
  if (settings === null) return [];
  const { own, hooks } = foldersOf(folder, site, settings);
  return [{ settings, branch: own === null ? null : branchOf(own), hooks: hooks === null ? [] : hooksIn(hooks) }];
}

function settingsAt(
  folder: string,
  site: GitSite | null,
  kept: string | null,
  askedAt: number,
): readonly GitSetting[] | null {
  const text = git(folder, ['config', '-z', '--list', '--show-scope', '--show-origin']);
  if (text === null) return null;
  const said = settingsIn(text);
  if (site !== null && kept !== null) keepSettings(kept, site, said, askedAt);
  return said.map(({ scope, key, value }) => ({ scope, key, value }));
}

/** The repository's own folder and that of its hooks; null where there is none. */
function foldersOf(
  folder: string,
  site: GitSite | null,
  settings: readonly GitSetting[],
): { readonly own: string | null; readonly hooks: string | null } {
  if (site !== null && !settings.some(({ key }) => key === 'core.hookspath'))
    return { own: site.gitFolder, hooks: site.gitFolder === null ? null : join(site.gitFolder, 'hooks') };
  const [own = '', hooks = ''] = git(folder, ['rev-parse', '--git-dir', '--git-path', 'hooks'])?.split('\n') ?? [];
  return { own: own === '' ? null : resolve(folder, own), hooks: hooks === '' ? null : resolve(folder, hooks) };
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
    if (name.endsWith('.sample')) return false;
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** `scope NUL origin NUL key LF value NUL`, again and again. */
function settingsIn(text: string): SaidSetting[] {
  const parts = text.split('\0');
  const settings: SaidSetting[] = [];
  for (let at = 0; at + 2 < parts.length; at += 3) {
    const [key = '', ...value] = parts[at + 2]!.split('\n');
    settings.push({ scope: scopeOf(parts[at]!), origin: parts[at + 1]!, key, value: value.join('\n') });
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
  // Loaded late: a hook mostly ends without.
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  const { status, stdout } = spawnSync('git', ['-C', folder, ...args], {
    env: { ...env, GIT_OPTIONAL_LOCKS: '0' },
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
    maxBuffer: 4 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return status === 0 ? stdout : null;
}
