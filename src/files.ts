import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
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

/** Whether a file is as it was, without reading it. */
export interface FileSign {
  /** the same for as long as it hasn't changed; links count with what they lead to */
  readonly text: string;
  /** milliseconds since 1970; 0 if it isn't there */
  readonly changedAt: number;
}

/** The time of the last change of a file's node can't be set back, as that of its text can. */
export function fileSign(path: string): FileSign {
  const link = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (link === undefined) return { text: 'absent', changedAt: 0 };
  const nodes = [link, statSync(path, { bigint: true, throwIfNoEntry: false })];
  return {
    text: nodes.map((node) => `${node?.dev} ${node?.ino} ${node?.size} ${node?.mtimeNs} ${node?.ctimeNs}`).join(' '),
    changedAt:
      Math.max(...nodes.flatMap((node) => (node === undefined ? [] : [Number(node.mtimeNs), Number(node.ctimeNs)]))) /
      1e6,
  };
}

const SETTLED_MS = 2000;

/** Whether a file was changed so long before `now` that another change will show in its sign. */
export function isSettled({ changedAt }: FileSign, now: number): boolean {
  return changedAt < now - SETTLED_MS;
}

/** A folder by its real path; itself where it can't be followed. */
export function realFolder(folder: string): string {
  try {
    return realpathSync.native(folder);
  } catch {
    return folder;
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
