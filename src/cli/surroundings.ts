/** For whom and where an agent works, as this process sees it. */
import { realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import type { Surroundings, Workspace } from '../call.ts';

/** Of a process that an agent's client started in the folder `cwd`. */
export function surroundingsHere(session: string, user: string, cwd = process.cwd()): Surroundings {
  return {
    session,
    user,
    workspaces: [workspaceAt(cwd, true)],
    zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  };
}

/** Of an agent that isn't there to be looked at. */
export function surroundingsUnseen(user: string | null): Surroundings {
  return { session: '', user, workspaces: [], zone: Intl.DateTimeFormat().resolvedOptions().timeZone };
}

/** A folder by its real path, and from the user's home as `~`. */
export function workspaceAt(folder: string, sure: boolean): Workspace {
  const path = plain(real(folder));
  const home = plain(real(homedir()));
  const below = path === home ? '~' : path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : null;
  return { spellings: below === null ? [path] : [path, below], sure };
}

function real(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder;
  }
}

function plain(path: string): string {
  return path.replaceAll('\\', '/');
}
