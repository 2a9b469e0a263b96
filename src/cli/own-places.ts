/** Where toolgate's own files and the desk are on this machine, for judging what agents do to them. */
import { realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { OwnPlaces } from '../catalog/own.ts';
import type { Folders } from '../config/paths.ts';
import { DEFAULT_PORT } from '../desk/port.ts';
import { once } from '../once.ts';

/** `port`: the desk's, if it runs on another than it usually does. */
export function ownPlaces({ config, state }: Folders, port: number | null = null): OwnPlaces {
  // Where they really are is looked up when a command names a file; most name none.
  const places = {
    config: once(() => spellings(config)),
    state: once(() => spellings(state)),
    program: once(() => spellings(dirname(fileURLToPath(import.meta.url)))),
  };
  return {
    get config() {
      return places.config();
    },
    get state() {
      return places.state();
    },
    get program() {
      return places.program();
    },
    ports: port === null || port === DEFAULT_PORT ? [DEFAULT_PORT] : [DEFAULT_PORT, port],
  };
}

function spellings(folder: string): string[] {
  return [...new Set([folder, realPath(folder)])];
}

/** No system takes a longer one. */
const MAX_PATH = 4096;

/** A path without links, as far as it is there. */
export function realPath(path: string): string {
  if (path.length > MAX_PATH) return path;
  let rest = '';
  for (let at = path; ; ) {
    try {
      return join(realpathSync(at), rest);
    } catch {
      const parent = dirname(at);
      if (parent === at) return path;
      rest = join(basename(at), rest);
      at = parent;
    }
  }
}
