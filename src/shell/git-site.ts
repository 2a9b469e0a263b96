/** Which repository git would find from a folder, without asking it: only where there is no doubt. */
import { accessSync, constants, lstatSync, readFileSync, realpathSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';

/** A folder's repository; `gitFolder` is null where there is none. */
export interface GitSite {
  readonly gitFolder: string | null;
}

/**
 * Null where git itself must be asked: links, worktrees, submodules, bare repositories, other owners, other disks. It looks
 * as git does, from the folder upward (setup.c): `.git` first, then whether the folder itself is a repository.
 */
export function gitSiteOf(folder: string): GitSite | null {
  try {
    return lookUp(realpathSync.native(folder));
  } catch {
    return null;
  }
}

function lookUp(folder: string): GitSite | null {
  // A name that isn't text would be read as another's.
  if (folder.includes('\uFFFD')) return null;
  const disk = statOf(folder)?.dev;
  for (let at = folder; ; at = dirname(at)) {
    const [here, inside] = [statOf(at), statOf(join(at, '.git'))];
    if (here === null || here.dev !== disk) return null;
    if (inside !== null) return isPlain(join(at, '.git'), here) ? { gitFolder: join(at, '.git') } : null;
    if (statOf(join(at, 'HEAD')) !== null) return null;
    if (at === dirname(at)) return { gitFolder: null };
  }
}

/** A repository like any that git makes, of the user's own. */
function isPlain(gitFolder: string, workTree: Stats): boolean {
  const own = process.getuid?.();
  const isOurs = (path: string, kind: 'isDirectory' | 'isFile') => {
    const stat = statOf(join(gitFolder, path));
    return stat?.[kind]() === true && stat.uid === own;
  };
  return (
    own !== undefined &&
    workTree.uid === own &&
    isOurs('.', 'isDirectory') &&
    isOurs('objects', 'isDirectory') &&
    isOurs('refs', 'isDirectory') &&
    isOurs('HEAD', 'isFile') &&
    isOurs('config', 'isFile') &&
    canSearch(join(gitFolder, 'objects')) &&
    canSearch(join(gitFolder, 'refs')) &&
    statOf(join(gitFolder, 'commondir')) === null &&
    isHead(join(gitFolder, 'HEAD'))
  );
}

/** As git asks before it takes a folder for a repository. */
function canSearch(path: string): boolean {
  accessSync(path, constants.X_OK);
  return true;
}

function isHead(path: string): boolean {
  return /^(ref: refs\/\S+|[0-9a-f]{40}|[0-9a-f]{64})\n?$/.test(readFileSync(path, 'utf8'));
}

/** Null where nothing is. Throws where that can't be seen. */
function statOf(path: string): Stats | null {
  return lstatSync(path, { throwIfNoEntry: false }) ?? null;
}
