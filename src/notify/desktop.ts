/**
 * Notifications on the desktop: on Linux by `notify-send`, found at a path that the user can't write; on macOS and
 * Windows by node-notifier, which shows and can be clicked, but has no buttons that could be trusted.
 */
import { execFile, spawn } from 'node:child_process';
import { accessSync, constants, existsSync, realpathSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { promisify } from 'node:util';
import { messageOf } from '../errors.ts';
import { newSecret } from '../ids.ts';
import { visible } from '../problem.ts';
import type { AlertRow } from './alerts.ts';
import type { Attempt } from './slack.ts';

const TIMEOUT_MS = 5000;
export const TITLE_LIMIT = 80;
export const BODY_LIMIT = 240;
const FOLDERS = ['/usr/bin', '/usr/local/bin', '/run/current-system/sw/bin'];

/** What was done with a notification. `failed`: it was not shown; `closed`: dismissed, or its time was over. */
export type Reaction =
  | { readonly kind: 'approve' | 'deny' | 'open' | 'closed' }
  | { readonly kind: 'failed'; readonly why: string };

export interface Notification {
  readonly title: string;
  readonly body: string;
  /** offers Approve and Deny: only where all of the request is shown */
  readonly buttons: boolean;
}

export interface Shown {
  readonly reaction: Promise<Reaction>;
  /** takes it off the screen */
  readonly close: () => void;
}

/** Where a program is; null if it isn't installed, or could have been replaced by the agent. */
export function findTrusted(name: string, folders: readonly string[] = FOLDERS): string | null {
  return folders.map((folder) => `${folder}/${name}`).find(isTrustworthy) ?? null;
}

/** Root's, and nobody else may write it; so for where a link leads. */
function isTrustworthy(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    const { uid, mode } = statSync(realpathSync(path));
    return uid === 0 && (mode & 0o022) === 0;
  } catch {
    return false;
  }
}

/** Agents' clients hand on few variables: what the session has at its usual places is found without them. */
export function desktopEnvironment(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  if (process.platform !== 'linux') return env;
  const folder = env['XDG_RUNTIME_DIR'] ?? `/run/user/${userInfo().uid}`;
  const found: NodeJS.ProcessEnv = {};
  if (!env['DBUS_SESSION_BUS_ADDRESS'] && existsSync(`${folder}/bus`))
    found['DBUS_SESSION_BUS_ADDRESS'] = `unix:path=${folder}/bus`;
  if (!env['DISPLAY'] && !env['WAYLAND_DISPLAY']) {
    if (existsSync(`${folder}/wayland-0`)) found['WAYLAND_DISPLAY'] = 'wayland-0';
    if (existsSync('/tmp/.X11-unix/X0')) found['DISPLAY'] = ':0';
  }
  return { XDG_RUNTIME_DIR: folder, ...env, ...found };
}

/** What the notification server can do. `capabilities` is null where nothing could ask it. */
export type Desktop =
  | { readonly kind: 'notify-send'; readonly program: string; readonly capabilities: readonly string[] | null }
  | { readonly kind: 'node-notifier' }
  | { readonly kind: 'none'; readonly why: string };

const SERVICE = 'org.freedesktop.Notifications';
const OBJECT = '/org/freedesktop/Notifications';

/** Asks before anything is shown. */
export async function probeDesktop(): Promise<Desktop> {
  if (process.platform === 'darwin' || process.platform === 'win32') return { kind: 'node-notifier' };
  if (process.platform !== 'linux')
    return { kind: 'none', why: `desktop notifications are not supported on ${process.platform}` };
  const program = findTrusted('notify-send');
  if (program === null)
    return {
      kind: 'none',
      why: 'notify-send is not installed (package libnotify-bin), or others than root may write it',
    };
  const env = desktopEnvironment();
  if (!env['DBUS_SESSION_BUS_ADDRESS'])
    return { kind: 'none', why: 'there is no session bus: nobody is logged in to a desktop here' };
  const asked = await askServer(env);
  return asked !== null && 'why' in asked
    ? { kind: 'none', why: asked.why }
    : { kind: 'notify-send', program, capabilities: asked };
}

/** Null if neither gdbus nor dbus-send is here to ask with. */
async function askServer(env: NodeJS.ProcessEnv): Promise<readonly string[] | { readonly why: string } | null> {
  const gdbus = findTrusted('gdbus');
  const dbusSend = findTrusted('dbus-send');
  const command: [string, string[]] | null =
    gdbus !== null
      ? [
          gdbus,
          [
            'call',
            '--session',
            '--timeout',
            '3',
            '--dest',
            SERVICE,
            '--object-path',
            OBJECT,
            '--method',
            `${SERVICE}.GetCapabilities`,
          ],
        ]
      : dbusSend !== null
        ? [
            dbusSend,
            [
              '--session',
              '--print-reply',
              '--reply-timeout=3000',
              `--dest=${SERVICE}`,
              OBJECT,
              `${SERVICE}.GetCapabilities`,
            ],
          ]
        : null;
  if (command === null) return null;
  try {
    const { stdout } = await promisify(execFile)(...command, { timeout: TIMEOUT_MS, env });
    return [...stdout.matchAll(/['"]([\w-]+)['"]/g)].map((match) => match[1]!);
  } catch (error) {
    return { why: `no notification server answers: ${firstLine(error)}` };
  }
}

/** Shows one; its reaction comes when somebody answers, dismisses it, or it is closed. */
export function showNotification(desktop: Desktop, notification: Notification): Shown {
  switch (desktop.kind) {
    case 'notify-send':
      return byNotifySend(desktop.program, desktop.capabilities, notification);
    case 'node-notifier':
      return byNodeNotifier(notification);
    case 'none':
      return { reaction: Promise.resolve({ kind: 'failed', why: desktop.why }), close: () => {} };
  }
}

function byNotifySend(
  program: string,
  capabilities: readonly string[] | null,
  { title, body, buttons }: Notification,
): Shown {
  // Random, so that only a button of this very notification is an answer; the body's click only opens.
  const approve = newSecret(8, 'hex');
  const deny = newSecret(8, 'hex');
  const actions = [
    '--action=default=Open',
    ...(buttons ? [`--action=${approve}=Approve`, `--action=${deny}=Deny`] : []),
  ];
  const withActions = capabilities === null || capabilities.includes('actions');
  const child = spawn(
    program,
    [
      '--app-name=toolgate',
      '--urgency=critical',
      '--expire-time=0',
      ...(withActions ? actions : []),
      ...textArguments(title, body, capabilities),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env: desktopEnvironment() },
  );
  let said = '';
  let complained = '';
  child.stdout.on('data', (chunk) => {
    said += String(chunk).slice(0, 1000);
  });
  child.stderr.on('data', (chunk) => {
    complained += String(chunk).slice(0, 1000);
  });
  const reaction = new Promise<Reaction>((resolve) => {
    child.once('error', (error) => resolve({ kind: 'failed', why: messageOf(error) }));
    child.once('close', (code) => {
      const answer = said.trim();
      if (buttons && answer === approve) resolve({ kind: 'approve' });
      else if (buttons && answer === deny) resolve({ kind: 'deny' });
      else if (answer === 'default') resolve({ kind: 'open' });
      else if (code === 0) resolve({ kind: 'closed' });
      else resolve({ kind: 'failed', why: `no desktop can show it: ${firstLine({ stderr: complained })}` });
    });
  });
  // On an interrupt it takes its notification off the screen.
  return { reaction, close: () => void child.kill('SIGINT') };
}

function byNodeNotifier({ title, body }: Notification): Shown {
  const reaction = (async (): Promise<Reaction> => {
    try {
      const { default: notifier } = await import('node-notifier');
      return await new Promise((resolve) => {
        const text = {
          title: cutMiddle(visible(title), TITLE_LIMIT),
          message: cutMiddle(visible(body), BODY_LIMIT),
          wait: true,
        };
        notifier.notify(text, (error, response) => {
          if (error) resolve({ kind: 'failed', why: `the notification could not be shown (${error.name})` });
          else resolve({ kind: /^(activate|click)/i.test(String(response)) ? 'open' : 'closed' });
        });
      });
    } catch (error) {
      return { kind: 'failed', why: messageOf(error).slice(0, 200) };
    }
  })();
  return { reaction, close: () => {} };
}

/** An alert, which nobody need answer. */
export async function showOnDesktop(alert: AlertRow): Promise<Attempt> {
  const desktop = await probeDesktop();
  const detail = JSON.parse(alert.detail) as Record<string, string>;
  const body = Object.entries(detail)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n');
  if (desktop.kind === 'none') return { kind: 'later', why: desktop.why, waitMs: null };
  if (desktop.kind === 'node-notifier') {
    const reaction = await Promise.race([
      showNotification(desktop, { title: alert.title, body, buttons: false }).reaction,
      // Shown is enough: nobody has to react to an alert.
      new Promise<Reaction>((resolve) => setTimeout(() => resolve({ kind: 'closed' }), TIMEOUT_MS)),
    ]);
    return reaction.kind === 'failed' ? { kind: 'later', why: reaction.why, waitMs: null } : { kind: 'sent' };
  }
  const urgency = { low: 'low', medium: 'normal', high: 'critical' }[alert.severity];
  try {
    await promisify(execFile)(
      desktop.program,
      ['--app-name=toolgate', `--urgency=${urgency}`, ...textArguments(alert.title, body, desktop.capabilities)],
      { timeout: TIMEOUT_MS, env: desktopEnvironment() },
    );
    return { kind: 'sent' };
  } catch (error) {
    return { kind: 'later', why: `no desktop can show it: ${firstLine(error)}`, waitMs: null };
  }
}

function firstLine(error: unknown): string {
  const said = String((error as { stderr?: string }).stderr || messageOf(error)).trim();
  return visible(said.split('\n')[0] ?? '').slice(0, 200);
}

/** What is from outside comes after the options' end, made visible and cut to what a notification holds. */
function textArguments(title: string, body: string, capabilities: readonly string[] | null): string[] {
  return ['--', cutMiddle(visible(title), TITLE_LIMIT), bodyText(cutMiddle(visible(body), BODY_LIMIT), capabilities)];
}

/** `notify-send` reads backslashes in the body, and some servers read markup there. */
function bodyText(text: string, capabilities: readonly string[] | null): string {
  const whole = text.replaceAll('\\', '\\\\');
  if (capabilities !== null && !capabilities.includes('body-markup')) return whole;
  return whole.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Where neither end is lost. */
function cutMiddle(text: string, limit: number): string {
  return text.length <= limit
    ? text
    : `${text.slice(0, Math.ceil(limit * 0.6))}…${text.slice(-Math.floor(limit * 0.3))}`;
}
