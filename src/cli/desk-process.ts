/** Starts the desk when there is something to show or to deliver. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { isLocked } from '../desk/lock.ts';
import { askDeskToStop } from '../desk/run.ts';
import { deleteMeta, getMeta, setMeta } from '../store/meta.ts';
import type { House } from './house.ts';
import { slackWebhook } from './slack-webhook.ts';

/** The built program beside this file. */
function program(): string {
  return fileURLToPath(new URL('./toolgate.js', import.meta.url));
}

/** One that was started is given this long to take the lock before it is looked after. */
const START_MS = 1500;
const TRIES = 3;
let looking: NodeJS.Timeout | null = null;

/** Starts it detached, unless one runs: that one sees what was written before. */
export function wakeDesk(house: House, tries = TRIES): void {
  if (looking !== null || tries === 0) return;
  const running = isLocked(house.folders.state);
  if (!running) start(house);
  // Alerts of the next moment are the same desk's; one that did not come up, or can't see, is replaced.
  looking = setTimeout(() => {
    looking = null;
    if (!running) wakeDesk(house, tries - 1);
    else void replaceBlind(house).catch(() => {});
  }, START_MS).unref();
}

function start({ folders }: House): void {
  const args = [program(), '--config', folders.config, '--state', folders.state, 'desk', '--started'];
  const child = spawn(process.execPath, args, { detached: true, stdio: 'ignore', windowsHide: true });
  child.on('error', () => {});
  child.unref();
}

const LACKS = 'desk_lacks_slack';

/** Call it in a desk that can't fill in the webhook: it was started where the variable isn't set. */
export async function noteBlindDesk(house: House): Promise<void> {
  await house.store.write((tx) => setMeta(tx, LACKS, String(process.pid)));
}

/** A desk that was started without Slack's variable gives way to one of ours, if we have it. */
async function replaceBlind(house: House): Promise<void> {
  const webhook = slackWebhook(house);
  if (webhook === null || 'why' in webhook) return;
  if ((await house.store.read((tx) => getMeta(tx, LACKS))) === null) return;
  await house.store.write((tx) => {
    deleteMeta(tx, LACKS);
    askDeskToStop(tx);
  });
  // Started after the stop, it waits for the lock that the other is about to release.
  start(house);
}
