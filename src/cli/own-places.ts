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

/** A path without links, as far as it is there. */
export function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realPath(parent), basename(path));
  }
}
