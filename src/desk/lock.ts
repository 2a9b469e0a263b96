/** One desk per store, by a lock that its process holds as long as it lives, however it ends. */
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export interface Lock {
  readonly release: () => void;
}

/** Null if another process holds it. */
export function takeLock(stateFolder: string): Lock | null {
  mkdirSync(stateFolder, { recursive: true, mode: 0o700 });
  const path = join(stateFolder, 'desk.lock');
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
    chmodSync(path, 0o600);
    return { release: () => database.close() };
  } catch {
    database.close();
    return null;
  }
}

/** Whether a desk runs now. */
export function isLocked(stateFolder: string): boolean {
  const lock = takeLock(stateFolder);
  lock?.release();
  return lock === null;
}
