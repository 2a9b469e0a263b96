/** One desk per store, by a lock that its process holds as long as it lives, however it ends. */
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export interface Lock {
  readonly release: () => void;
}

const SQLITE_BUSY = 5;

/** Null if another process holds it. Throws if there is no such folder, or it can't be written. */
export function takeLock(stateFolder: string): Lock | null {
  const path = join(stateFolder, 'desk.lock');
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
    chmodSync(path, 0o600);
    return { release: () => database.close() };
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return null;
    throw error;
  }
}

/** Whether a desk runs now. */
export function isLocked(stateFolder: string): boolean {
  try {
    const lock = takeLock(stateFolder);
    lock?.release();
    return lock === null;
  } catch {
    // Where nothing can be written no desk can hold it.
    return false;
  }
}
