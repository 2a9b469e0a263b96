/** What git knows in a folder. */
import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type GitContext, type GitSetting, isAsked, unknownContext } from '../catalog/git-context.ts';
import { messageOf } from '../errors.ts';
import { realFolder } from '../files.ts';
import { keepSettings, keptSettings, momentOf, type SaidSetting } from './git-kept.ts';
import { gitSiteOf } from './git-site.ts';

const TIMEOUT_MS = 2000;

/**
 * Empty where git knows nothing: the folder isn't there, or it is no place for git. `kept`: a folder of toolgate's own, for
 * what git said before; null: git is asked. Starting it takes longer than all the rest of judging a line.
 */
export function gitContextAt(folder: string, kept: string | null = null, now: number = Date.now()): GitContext[] {
  const site = kept === null ? null : gitSiteOf(folder);
  const known = site === null || kept === null ? null : keptSettings(kept, site);
  if (known !== null && site !== null && !known.some(isHooksPath))
    return [contextIn(known, site.gitFolder, site.gitFolder === null ? null : join(site.gitFolder, 'hooks'))];
  try {
    const moment = site === null ? '' : momentOf(site);
    return asked(folder, (said, gitFolder) => {
      if (site !== null && kept !== null && gitFolder === site.gitFolder)
        keepSettings(kept, site, said, { at: now, moment });
    });
  } catch (error) {
    return [unknownContext(`git could not be asked how it is set up there: ${messageOf(error)}`)];
  }
}

/** Throws where git could not be asked. `keep` is given what it said, and the repository that it found, before anything can have changed. */
function asked(folder: string, keep: (said: readonly SaidSetting[], gitFolder: string | null) => void): GitContext[] {
  const text = git(folder, ['config', '-z', '--list', '--show-scope', '--show-origin']);
  if (text === null) return [];
  const said = settingsIn(text);
  const [own = '', hooks = ''] =
    git(folder, ['rev-parse', '--absolute-git-dir', '--git-path', 'hooks'])?.replace(/\n$/, '').split('\n') ?? [];
  const gitFolder = own === '' ? null : own;
  keep(said, gitFolder);
  const settings = said.filter(isAsked).map(({ scope, key, value }) => ({ scope, key, value }));
  // It answers from where the folder really is.
  return [contextIn(settings, gitFolder, hooks === '' ? null : resolve(realFolder(folder), hooks))];
}

function contextIn(settings: readonly GitSetting[], own: string | null, hooks: string | null): GitContext {
  return { settings, branch: own === null ? null : branchOf(own), hooks: hooks === null ? [] : hooksIn(hooks) };
}

function isHooksPath({ key }: GitSetting): boolean {
  return key === 'core.hookspath';
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

/** Asks git in a folder, with none of the variables that would lead it elsewhere; null if it says no. Throws if it didn't answer. */
function git(folder: string, args: readonly string[]): string | null {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_')));
  // Loaded late: a hook mostly ends without.
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  const { status, stdout, error } = spawnSync('git', ['-C', folder, ...args], {
    env: { ...env, GIT_OPTIONAL_LOCKS: '0' },
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
    maxBuffer: 4 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  if (error !== undefined) throw error;
  if (status === null) throw new Error('it was ended');
  return status === 0 ? stdout : null;
}
