/** An alert as a desktop notification: on Linux by `notify-send`, found at a path that the user can't write. */
import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { promisify } from 'node:util';
import { messageOf } from '../errors.ts';
import { visible } from '../problem.ts';
import type { AlertRow } from './alerts.ts';
import type { Attempt } from './slack.ts';

const TIMEOUT_MS = 5000;
const TITLE_LIMIT = 80;
const BODY_LIMIT = 240;
const PLACES = ['/usr/bin/notify-send', '/usr/local/bin/notify-send', '/run/current-system/sw/bin/notify-send'];

/** Where `notify-send` is; null if it isn't installed, or could have been replaced by the agent. */
export function findNotifySend(places: readonly string[] = PLACES): string | null {
  return places.find((path) => isTrustworthy(path)) ?? null;
}

function isTrustworthy(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    const { uid, mode } = statSync(path);
    return uid === 0 && (mode & 0o022) === 0;
  } catch {
    return false;
  }
}

export async function showOnDesktop(alert: AlertRow): Promise<Attempt> {
  if (process.platform !== 'linux')
    return { kind: 'never', why: `desktop notifications are not supported on ${process.platform} yet` };
  const program = findNotifySend();
  if (program === null) return { kind: 'never', why: 'notify-send is not installed (package libnotify-bin)' };
  const detail = JSON.parse(alert.detail) as Record<string, string>;
  const body = Object.entries(detail)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n');
  const urgency = { low: 'low', medium: 'normal', high: 'critical' }[alert.severity];
  try {
    await promisify(execFile)(
      program,
      ['--app-name=toolgate', `--urgency=${urgency}`, '--', inert(alert.title, TITLE_LIMIT), inert(body, BODY_LIMIT)],
      { timeout: TIMEOUT_MS },
    );
    return { kind: 'sent' };
  } catch (error) {
    const said =
      String((error as { stderr?: string }).stderr ?? messageOf(error))
        .trim()
        .split('\n')[0] ?? '';
    return { kind: 'later', why: `no desktop can show it: ${visible(said).slice(0, 200)}`, waitMs: null };
  }
}

/** Some servers read markup; cut in the middle, where neither end is lost. */
function inert(text: string, limit: number): string {
  const shown = visible(text);
  const short =
    shown.length <= limit
      ? shown
      : `${shown.slice(0, Math.ceil(limit * 0.6))}…${shown.slice(-Math.floor(limit * 0.3))}`;
  return short.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
