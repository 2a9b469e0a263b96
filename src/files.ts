import { existsSync, mkdirSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a folder and those above it, for its owner alone. One by one: the recursive form of Node's own never returns
 * where a file system refuses folders with "no such file".
 */
export function makeFolder(folder: string): void {
  const missing: string[] = [];
  for (let at = folder; !existsSync(at) && dirname(at) !== at; at = dirname(at)) missing.unshift(at);
  for (const each of missing) {
    try {
      mkdirSync(each, { mode: 0o700 });
    } catch (error) {
      // Another process may have made it meanwhile.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/**
 * Writes a file for its owner alone, whole or not at all, and makes its folder; false if that can't be, which is no more than
 * a help that is missing. `durably`: it is on the disk before it can be read.
 */
export function keepFile(path: string, contents: string | Buffer, durably = false): boolean {
  const unfinished = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(unfinished, contents, { mode: 0o600, flag: 'wx', flush: durably });
    renameSync(unfinished, path);
    return true;
  } catch {
    try {
      unlinkSync(unfinished);
    } catch {
      // It was never there.
    }
    return false;
  }
}

/** Saved in another coding of letters than ours. */
export class NotUtf8 extends Error {}

/** The text of a file. Throws `NotUtf8` where it would be read as something else than it says. */
export function readUtf8(path: string): string {
  const bytes = readFileSync(path);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new NotUtf8(`${path} is not written in UTF-8`);
  }
}
