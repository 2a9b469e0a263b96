/** Starts the desk when there is something to deliver. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Folders } from '../config/paths.ts';
import { isLocked } from '../desk/lock.ts';

/** The built program beside this file. */
function program(): string {
  return fileURLToPath(new URL('./toolgate.js', import.meta.url));
}

/** One that was started is given this long to take the lock before it is looked after. */
const START_MS = 1500;
const TRIES = 3;
let looking: NodeJS.Timeout | null = null;

/** Starts it detached, unless one runs: that one sees the alert, which was written before. */
export function wakeDesk(folders: Folders, tries = TRIES): void {
  if (looking !== null || tries === 0 || isLocked(folders.state)) return;
  const args = [program(), '--config', folders.config, '--state', folders.state, 'desk', '--started'];
  const child = spawn(process.execPath, args, { detached: true, stdio: 'ignore', windowsHide: true });
  child.on('error', () => {});
  child.unref();
  // Alerts of the next moment are the same desk's; one that did not come up is started again.
  looking = setTimeout(() => {
    looking = null;
    wakeDesk(folders, tries - 1);
  }, START_MS).unref();
}
