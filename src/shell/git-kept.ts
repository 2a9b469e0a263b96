/**
 * What git said of a repository's configuration, for as long as none of the files that it read has changed and none that
 * it would read has come. Kept are no secrets, and nothing that depends on more than these files. A system's configuration
 * that stands in an unusual place and comes only later is not noticed: like all of the system's it is the owner's.
 */
import { lstatSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { GitSetting } from '../catalog/git-context.ts';
import { keepFile } from '../files.ts';
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

const FORMAT = 1;
/** A file that was changed so shortly before may be changed again without a sign. */
const SETTLED_MS = 2000;
const MOST_KEPT = 200;
const MAX_NAME = 200;

/** Null where git must be asked. */
export function keptSettings(folder: string, site: GitSite): readonly GitSetting[] | null {
  const files = filesRead(site);
  if (files === null) return null;
  try {
    const kept = JSON.parse(readFileSync(pathOf(folder, site), 'utf8')) as Kept;
    const isSame =
      kept.format === FORMAT &&
      kept.gitFolder === site.gitFolder &&
      files.every((file) => Object.hasOwn(kept.files, file)) &&
      Object.entries(kept.files).every(([file, sign]) => signOf(file) === sign);
    return isSame ? kept.settings : null;
  } catch {
    return null;
  }
}

/** Keeps what git said at `askedAt`, if it may be kept; never throws. */
export function keepSettings(folder: string, site: GitSite, said: readonly SaidSetting[], askedAt: number): void {
  const files = filesRead(site);
  if (files === null || !said.every((setting) => isKeepable(setting, site))) return;
  const named = said.filter(({ origin }) => isAbsolute(pathIn(origin))).map(({ origin }) => pathIn(origin));
  const all = [...new Set([...files, ...named])];
  // In this order: what changes after its sign was taken shows, and what changed before it is too young.
  const signs = Object.fromEntries(all.map((file) => [file, signOf(file)]));
  if (all.some((file) => changedAt(file) > askedAt - SETTLED_MS)) return;
  const settings = said.map(({ scope, key, value }) => ({ scope, key, value }));
  const kept: Kept = {
    format: FORMAT,
    gitFolder: site.gitFolder,
    files: signs,
    settings,
  };
  const text = JSON.stringify(kept);
  if (redactText(text) !== text) return;
  if (isFull(folder)) rmSync(folder, { recursive: true, force: true });
  keepFile(pathOf(folder, site), text);
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
      return gitFolder !== null && /^file:(.*\/)?\.git\/config(\.worktree)?$/.test(origin);
    default:
      return false;
  }
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

const ABSENT = 'absent';

/** The time of the last change of a file's node can't be set back, as that of its text can. Links count with what they lead to. */
function signOf(path: string): string {
  const link = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (link === undefined) return ABSENT;
  const file = statSync(path, { bigint: true, throwIfNoEntry: false });
  return [link, file]
    .map((each) => `${each?.dev} ${each?.ino} ${each?.size} ${each?.mtimeNs} ${each?.ctimeNs}`)
    .join(' ');
}

function changedAt(path: string): number {
  const stats = [lstatSync(path, { throwIfNoEntry: false }), statSync(path, { throwIfNoEntry: false })];
  return Math.max(...stats.map((each) => Math.max(each?.mtimeMs ?? 0, each?.ctimeMs ?? 0)));
}

/** A long path's end is enough: what is kept names the whole. */
function pathOf(folder: string, { gitFolder }: GitSite): string {
  return join(folder, `${(gitFolder ?? 'none').replace(/[^A-Za-z0-9._-]/g, '+').slice(-MAX_NAME)}.json`);
}

function isFull(folder: string): boolean {
  try {
    return readdirSync(folder).length > MOST_KEPT;
  } catch {
    return false;
  }
}
