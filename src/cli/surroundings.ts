/** For whom and where an agent works, as this process sees it. */
import { homedir } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Surroundings, Workspace } from '../call.ts';
import { realFolder } from '../files.ts';

/** Of a process that an agent's client started in the folder `cwd`. */
export function surroundingsHere(session: string, user: string, cwd = process.cwd()): Surroundings {
  return {
    session,
    user,
    workspaces: [workspaceAt(cwd, true)],
    zone: localZone,
  };
}

/** The same, with what its client says of the folders it works in; null while that isn't known: then nobody can tell. */
export function withRoots(here: Surroundings, uris: readonly string[] | null): Surroundings {
  if (uris === null) return { ...here, workspaces: [] };
  const said = uris.flatMap((uri) => {
    try {
      return [workspaceAt(fileURLToPath(uri), false)];
    } catch {
      return [];
    }
  });
  return { ...here, workspaces: [...here.workspaces, ...said] };
}

/** Of an agent that isn't there to be looked at. */
export function surroundingsUnseen(user: string | null): Surroundings {
  return { session: '', user, workspaces: [], zone: localZone };
}

let zoneHere: string | null = null;

/** The zone that this computer is set to. The first look loads all that is known of dates: some 30 ms, some megabytes. */
export function localZone(): string {
  zoneHere ??= Intl.DateTimeFormat().resolvedOptions().timeZone;
  return zoneHere;
}

/** A folder by its real path, and from the user's home as `~`. */
export function workspaceAt(folder: string, sure: boolean): Workspace {
  const path = plain(realFolder(folder));
  const home = plain(realFolder(homedir()));
  const below = path === home ? '~' : path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : null;
  return { spellings: below === null ? [path] : [path, below], sure };
}

function plain(path: string): string {
  return path.replaceAll('\\', '/');
}
