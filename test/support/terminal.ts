/** A command on a terminal of its own, as a person would run it. */
import { spawn } from 'node:child_process';
import { onTestFinished } from 'vitest';
import { eventually } from './gate.ts';
import type { Scratch } from './scratch.ts';
import { DIST } from './servers.ts';

export interface Terminal {
  /** what stands on it so far */
  readonly text: () => string;
  readonly type: (text: string) => void;
  /** waits until it shows this */
  readonly shows: (text: string | RegExp) => Promise<string>;
  readonly ended: Promise<number | null>;
}

export function terminal(where: Scratch, args: readonly string[], env: Record<string, string> = {}): Terminal {
  const quoted = [process.execPath, DIST, ...args].map((arg) => `'${arg.replaceAll("'", "'\\''")}'`).join(' ');
  const child = spawn('script', ['-qfec', quoted, '/dev/null'], {
    env: { PATH: process.env['PATH']!, HOME: where.folder, TERM: 'xterm', SHELL: '/bin/sh', ...env },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  onTestFinished(() => void child.kill('SIGTERM'));
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += String(chunk);
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  return {
    text: () => text,
    type: (typed) => void child.stdin.write(typed),
    shows: (wanted) =>
      eventually(() => (typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text)) && text, 20_000),
    ended,
  };
}
