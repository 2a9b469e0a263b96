/** Starts the desk when there is something to deliver. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Folders } from '../config/paths.ts';

/** Starts it detached; where one already runs, the second finds the lock held and ends at once. */
export function wakeDesk(folders: Folders): void {
  const main = fileURLToPath(import.meta.url);
  const child = spawn(process.execPath, [main.replace(/[^/\\]+$/, 'toolgate.js'), 'desk', '--config', folders.config, '--state', folders.state], {
    detached: true,
    stdio: 'ignore',
    windowsHide: true,
  });
  child.on('error', () => {});
  child.unref();
}
