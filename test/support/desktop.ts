/** A real desktop: dunst on a private session bus, on a virtual screen. */
import { execFile, spawn } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { eventually } from './gate.ts';
import { haveProgram } from './need.ts';
import type { Scratch } from './scratch.ts';

export const haveDesktop = ['dunst', 'Xvfb', 'notify-send', 'dbus-run-session', 'dbus-send'].every(haveProgram);

export interface RunningDesktop {
  /** what a program needs to find it */
  readonly env: Readonly<Record<string, string>>;
  /** every notification that appeared, as `app|title|body` */
  readonly shown: () => string;
  /** presses the button of the newest notification whose label starts so */
  readonly press: (label: string) => Promise<void>;
  /** clicks the body of the newest notification */
  readonly click: () => Promise<void>;
  /** how many stand on the screen now */
  readonly count: () => Promise<number>;
  /** dismisses the newest */
  readonly dismiss: () => Promise<void>;
}

/** `opened` gets the file that xdg-open would have opened. */
export async function startDesktop(where: Scratch): Promise<RunningDesktop> {
  const log = join(where.folder, 'shown');
  const script = (name: string, text: string) => {
    const path = where.write(name, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
    return path;
  };
  const want = join(where.folder, 'want');
  const note = script('note.sh', `printf '%s|%s|%s\\n' "$1" "$2" "$3" >> ${log}`);
  const pick = script('pick.sh', `grep "#$(cat ${want})"`);
  const rc = where.write('dunstrc', `[global]\n  dmenu = ${pick}\n[every]\n  summary = "*"\n  script = ${note}\n`);
  // The screen chooses its own free number, and writes it to the pipe.
  const screen = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '800x600x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  onTestFinished(() => void screen.kill('SIGTERM'));
  const display = await new Promise<string>((resolve, reject) => {
    screen.once('error', reject);
    screen.stdio[3]!.once('data', (chunk) => resolve(`:${String(chunk).trim()}`));
  });
  const bus = spawn(
    'dbus-run-session',
    [
      '--',
      'sh',
      '-c',
      `echo "$DBUS_SESSION_BUS_ADDRESS"; exec dunst -config ${rc} 2> ${join(where.folder, 'dunst.log')}`,
    ],
    {
      env: { PATH: process.env['PATH']!, HOME: where.folder, DISPLAY: display },
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  onTestFinished(() => {
    if (bus.exitCode === null) process.kill(-bus.pid!, 'SIGTERM');
  });
  const address = await new Promise<string>((resolve) =>
    bus.stdout.once('data', (chunk) => resolve(String(chunk).trim())),
  );
  const env = { DISPLAY: display, DBUS_SESSION_BUS_ADDRESS: address };
  const control = async (...args: string[]) =>
    (await promisify(execFile)('dunstctl', args, { env: { ...env, PATH: process.env['PATH']! } })).stdout.trim();
  // Asking dunst before it has its name would make the bus start another one: the bus alone is asked.
  const owned = () =>
    promisify(execFile)(
      'dbus-send',
      [
        '--session',
        '--print-reply=literal',
        '--dest=org.freedesktop.DBus',
        '/',
        'org.freedesktop.DBus.NameHasOwner',
        'string:org.freedesktop.Notifications',
      ],
      { env: { ...env, PATH: process.env['PATH']! } },
    ).then(({ stdout }) => stdout.includes('true'));
  await eventually(owned).catch((error) => {
    throw new Error(`dunst did not start: ${readFileSync(join(where.folder, 'dunst.log'), 'utf8')}`, { cause: error });
  });
  return {
    env,
    shown: () => (existsSync(log) ? readFileSync(log, 'utf8') : ''),
    press: async (label) => {
      writeFileSync(want, label);
      await control('context');
    },
    click: () => control('action', '0').then(() => {}),
    count: async () =>
      Number(
        await control('count', 'displayed').catch((error) => {
          throw new Error(`dunst is gone: ${readFileSync(join(where.folder, 'dunst.log'), 'utf8')}`, { cause: error });
        }),
      ),
    dismiss: () => control('close').then(() => {}),
  };
}
