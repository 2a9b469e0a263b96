/** An upstream's process in its own group, so that ending it ends everything it started. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { UpstreamSpec } from './schema.ts';

/** What every upstream gets of our environment; tokens are passed only where servers.json says so. */
const INHERITED =
  process.platform === 'win32'
    ? [
        'APPDATA',
        'HOMEDRIVE',
        'HOMEPATH',
        'LOCALAPPDATA',
        'PATH',
        'PATHEXT',
        'PROCESSOR_ARCHITECTURE',
        'SYSTEMDRIVE',
        'SYSTEMROOT',
        'TEMP',
        'USERNAME',
        'USERPROFILE',
        'PROGRAMFILES',
      ]
    : ['HOME', 'LOGNAME', 'PATH', 'SHELL', 'TERM', 'USER', 'LANG', 'TMPDIR'];

/** Set for everything that a gate starts: a gate that finds it was started by another, and stops. */
export const INSIDE = 'TOOLGATE_INSIDE';

const STDIN_GRACE_MS = 700;
const TERM_GRACE_MS = 1000;

export type UpstreamProcess = ChildProcessByStdio<Writable, Readable, Readable>;

export function startProcess(launch: UpstreamSpec['launch'] & { kind: 'stdio' }): UpstreamProcess {
  const env: Record<string, string> = {};
  for (const name of INHERITED) {
    const value = process.env[name];
    // A value that starts with "()" is an exported shell function.
    if (value !== undefined && !value.startsWith('()')) env[name] = value;
  }
  return spawn(launch.command, [...launch.args], {
    cwd: launch.cwd,
    env: { ...env, ...launch.env, [INSIDE]: '1' },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
    windowsHide: true,
    shell: false,
  });
}

/** Closes its stdin, then asks it, then forces it; resolves when it has gone, within about two seconds. */
export async function endProcess(child: UpstreamProcess): Promise<void> {
  const gone = new Promise<void>((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) resolve();
    else child.once('exit', () => resolve());
  });
  const within = async (ms: number) => {
    const controller = new AbortController();
    const timer = sleep(ms, false, { signal: controller.signal }).catch(() => false);
    const done = await Promise.race([gone.then(() => true), timer]);
    controller.abort();
    return done;
  };
  child.stdin.on('error', () => {});
  child.stdin.end();
  if (!(await within(STDIN_GRACE_MS))) {
    signalGroup(child, 'SIGTERM');
    if (!(await within(TERM_GRACE_MS))) signalGroup(child, 'SIGKILL');
  }
  await gone;
  sweepGroup(child);
}

/** Ends what a process left behind in its group. */
export function sweepGroup(child: UpstreamProcess): void {
  signalGroup(child, 'SIGKILL');
}

function signalGroup(child: UpstreamProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === 'win32') child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch {
    // Nobody is left in the group.
  }
}
