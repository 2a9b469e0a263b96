/** Starts the desk when there is something to deliver. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Folders } from '../config/paths.ts';
import { isLocked } from '../desk/lock.ts';

/** The built program beside this file. */
function program(): string {
  return fileURLToPath(new URL('./toolgate.js', import.meta.url));
}

/** Starts it detached, unless one runs: that one has seen the alert, which was written before. */
export function wakeDesk(folders: Folders): void {
  if (isLocked(folders.state)) return;
  const child = spawn(process.execPath, [program(), '--config', folders.config, '--state', folders.state, 'desk'], {
    detached: true,
    stdio: 'ignore',
    windowsHide: true,
  });
  child.on('error', () => {});
  child.unref();
}
