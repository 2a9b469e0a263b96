/**
 * What git said of a repository's configuration, for as long as none of the files that it read has changed and none that
 * it would read has come. Kept are no secrets, and nothing that depends on more than these files. A system's configuration
 * that stands in an unusual place and comes only later is not noticed: like all of the system's it is the owner's.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { type GitSetting, isAsked } from '../catalog/git-context.ts';
import { fileSign, isSettled, keepFile } from '../files.ts';
import { redactText } from '../redact.ts';
import type { GitSite } from './git-site.ts';

/** With where git has it from: `file:` and a path, `command line:`… */
export interface SaidSetting extends GitSetting {
  readonly origin: string;
}

interface Kept {
  readonly format: number;
  readonly gitFolder: string | null;
  /** the sign of each file that git read, or would read if it were there */
  readonly files: Readonly<Record<string, string>>;
  readonly settings: readonly GitSetting[];
}

const FORMAT = 2;
const MOST_KEPT = 200;
const MAX_NAME = 200;
const MAX_KEPT = 64 * 1024;
/** Names of settings that say what their values are. */
const SECRET = /token|passw|smtppass|secret|extraheader/i;

/** Null where git must be asked. */
export function keptSettings(folder: string, site: GitSite): readonly GitSetting[] | null {
  try {
    const files = filesRead(site);
    if (files === null) return null;
    const kept = JSON.parse(readFileSync(pathOf(folder, site), 'utf8')) as Kept;
    const isSame =
      kept.format === FORMAT &&
      kept.gitFolder === site.gitFolder &&
      files.every((file) => Object.hasOwn(kept.files, file)) &&
      Object.entries(kept.files).every(([file, sign]) => signOf(file, site) === sign);
    return isSame ? kept.settings : null;
  } catch {
    return null;
  }
}

/** When git was asked. */
export interface Asked {
  readonly at: number;
  /** of the repository's folders, before it was asked: whoever exchanges them meanwhile changes it */
  readonly moment: string;
}

export function momentOf({ gitFolder }: GitSite): string {
  return gitFolder === null ? '' : `${fileSign(gitFolder).text}\n${fileSign(dirname(gitFolder)).text}`;
}

/** Keeps what git said, if it may be kept; never throws. */
export function keepSettings(folder: string, site: GitSite, said: readonly SaidSetting[], asked: Asked): void {
  try {
    const text = keepable(site, said, asked);
    if (text === null) return;
    if (existsSync(folder) && readdirSync(folder).length > MOST_KEPT) rmSync(folder, { recursive: true });
    keepFile(pathOf(folder, site), text);
  } catch {
    // A file that can't be looked at: git is asked again.
  }
}

function keepable(site: GitSite, said: readonly SaidSetting[], asked: Asked): string | null {
  const files = filesRead(site);
  if (files === null || !said.every((setting) => isKeepable(setting, site))) return null;
  const named = said.filter(({ origin }) => isAbsolute(pathIn(origin))).map(({ origin }) => pathIn(origin));
  const all = [...new Set([...files, ...named])];
  // In this order: what changes after its sign was taken shows, and what changed before it is too young.
  const signs = Object.fromEntries(all.map((file) => [file, signOf(file, site)]));
  if (!all.every((file) => isSettled(fileSign(file), asked.at)) || momentOf(site) !== asked.moment) return null;
  const settings = said.filter(isAsked).map(({ scope, key, value }) => ({ scope, key, value }));
  const kept: Kept = { format: FORMAT, gitFolder: site.gitFolder, files: signs, settings };
  const text = JSON.stringify(kept);
  return text.length > MAX_KEPT || SECRET.test(text) || redactText(text) !== text ? null : text;
}

/** Conditions and further files are git's to follow; what comes from elsewhere isn't told by files. */
function isKeepable({ scope, key, origin }: SaidSetting, { gitFolder }: GitSite): boolean {
  if (/^include(if)?\./.test(key)) return false;
  switch (scope) {
    case 'system':
    case 'global':
      return origin.startsWith('file:') && isAbsolute(pathIn(origin));
    case 'local':
    case 'worktree':
      return gitFolder !== null && isOwnFile(pathIn(origin), gitFolder);
    default:
      return false;
  }
}

/** Git names them from the top of the tree, or whole. */
function isOwnFile(path: string, gitFolder: string): boolean {
  const names = ['config', 'config.worktree'];
  return names.some((name) => path === join('.git', name) || path === join(gitFolder, name));
}

function pathIn(origin: string): string {
  return origin.slice('file:'.length);
}

/** The files that git looks for (git-config(1), FILES); null where that isn't known. */
function filesRead({ gitFolder }: GitSite): string[] | null {
  const { HOME, XDG_CONFIG_HOME } = process.env;
  if (process.platform === 'win32' || HOME === undefined || !isAbsolute(HOME)) return null;
  const own = XDG_CONFIG_HOME === undefined || XDG_CONFIG_HOME === '' ? join(HOME, '.config') : XDG_CONFIG_HOME;
  if (!isAbsolute(own)) return null;
  const ofRepository = gitFolder === null ? [] : [join(gitFolder, 'config'), join(gitFolder, 'config.worktree')];
  return ['/etc/gitconfig', join(HOME, '.gitconfig'), join(own, 'git', 'config'), ...ofRepository];
}

/** A repository's own files are compared whole: they are small, and whoever maps one into memory changes it without a sign. */
function signOf(path: string, { gitFolder }: GitSite): string {
  if (gitFolder === null || dirname(path) !== gitFolder || !existsSync(path)) return fileSign(path).text;
  return readFileSync(path, 'latin1');
}

/** A long path's end is enough: what is kept names the whole. */
function pathOf(folder: string, { gitFolder }: GitSite): string {
  return join(folder, `${(gitFolder ?? 'none').replace(/[^A-Za-z0-9._-]/g, '+').slice(-MAX_NAME)}.json`);
}
