/**
 * How fast a person is asked, and how fast an answer counts: `npm run bench:holding`. A real gate, its desk, and, where
 * dunst, Xvfb and dbus-run-session are installed, a real desktop. Milliseconds; medians over rounds, with the quartiles.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DIST = join(ROOT, 'dist/toolgate.js');
const ROUNDS = Number(process.env['ROUNDS'] ?? 30);
const folder = mkdtempSync(join(tmpdir(), 'toolgate-bench-'));
const config = join(folder, 'config');
const state = join(folder, 'state');
const children: ChildProcess[] = [];
const groups: number[] = [];

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

function show(name: string, values: readonly number[], aim: string): void {
  console.log(
    `${name.padEnd(52)} ${quantile(values, 0.5).toFixed(0).padStart(5)} ms [${quantile(values, 0.25).toFixed(0)}–${quantile(values, 0.75).toFixed(0)}]  ${aim}`,
  );
}

/** When each notification appeared, in milliseconds since the epoch, by the number of the issue in it. */
async function desktop(): Promise<{ env: Record<string, string>; shownAt: (issue: string) => number | null } | null> {
  if (!['dunst', 'Xvfb', 'dbus-run-session', 'notify-send'].every((name) => existsSync(`/usr/bin/${name}`)))
    return null;
  const log = join(folder, 'shown');
  const note = join(folder, 'note.sh');
  writeFileSync(note, `#!/bin/sh\nprintf '%s %s\\n' "$(date +%s%N)" "$(echo "$3" | head -1)" >> ${log}\n`);
  chmodSync(note, 0o755);
  const rc = join(folder, 'dunstrc');
  writeFileSync(rc, `[every]\n  summary = "*"\n  script = ${note}\n`);
  const screen = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '640x480x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  children.push(screen);
  const display = await new Promise<string>((resolve) =>
    screen.stdio[3]!.once('data', (chunk) => resolve(`:${String(chunk).trim()}`)),
  );
  const bus = spawn(
    'dbus-run-session',
    ['--', 'sh', '-c', `echo "$DBUS_SESSION_BUS_ADDRESS"; exec dunst -config ${rc}`],
    {
      env: { PATH: process.env['PATH']!, HOME: folder, DISPLAY: display },
      // A group of its own, so that its bus ends with it.
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  groups.push(bus.pid!);
  const address = await new Promise<string>((resolve) =>
    bus.stdout.once('data', (chunk) => resolve(String(chunk).trim())),
  );
  return {
    env: { DISPLAY: display, DBUS_SESSION_BUS_ADDRESS: address },
    shownAt: (issue) => {
      const line = existsSync(log)
        ? readFileSync(log, 'utf8')
            .split('\n')
            .find((each) => each.includes(`"${issue}"`))
        : undefined;
      return line === undefined ? null : Number(line.split(' ')[0]) / 1e6;
    },
  };
}

async function until<T>(get: () => T | null | undefined | Promise<T | null | undefined>): Promise<T> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    const value = await get();
    if (value !== null && value !== undefined) return value;
    if (performance.now() > deadline) throw new Error('it did not happen within 20 s');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Signs in as a page does, and keeps the newest message of the live stream. */
async function console_(env: Record<string, string>) {
  const child = spawn(process.execPath, [DIST, '--config', config, '--state', state, 'console', '--no-browser'], {
    env: { PATH: process.env['PATH']!, HOME: folder, ...env },
  });
  let out = '';
  child.stdout.on('data', (chunk) => {
    out += String(chunk);
  });
  await new Promise((resolve) => child.once('close', resolve));
  const url = new URL(out.trim());
  const headers = { origin: url.origin, 'content-type': 'application/json' };
  const secret = new URLSearchParams(url.hash.slice(1)).get('login');
  const { token } = (await (
    await fetch(`${url.origin}/api/login`, { method: 'POST', headers, body: JSON.stringify({ secret }) })
  ).json()) as { token: string };
  const signed = { ...headers, 'x-toolgate-token': token };
  const live = await fetch(`${url.origin}/api/live`, { headers: signed });
  let changes = 0;
  void (async () => {
    for await (const _ of live.body!) changes++;
  })().catch(() => {});
  return {
    changes: () => changes,
    open: async () =>
      (
        (await (await fetch(`${url.origin}/api/approvals`, { headers: signed })).json()) as {
          open: { id: string; preview: string }[];
        }
      ).open,
    approve: (id: string) =>
      fetch(`${url.origin}/api/approvals/${id}/approve`, { method: 'POST', headers: signed, body: '{}' }),
  };
}

async function main(): Promise<void> {
  mkdirSync(config);
  writeFileSync(
    join(config, 'servers.json'),
    JSON.stringify({
      mcpServers: { echo: { command: process.execPath, args: [join(ROOT, 'bench/echo-server.mjs')] } },
    }),
  );
  writeFileSync(
    join(config, 'policies.yaml'),
    'version: 1\npolicies:\n  - { name: Ask, if: { server: echo }, action: require approval }\n',
  );
  const screen = await desktop();
  const env = screen?.env ?? {};
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [DIST, '--config', config, '--state', state, 'serve', '--hold', '5m'],
    env: { PATH: process.env['PATH']!, HOME: folder, ...env },
    stderr: 'ignore',
  });
  const client = new Client({ name: 'bench', version: '1' });
  await client.connect(transport);
  const tool = (await client.listTools()).tools[0]!.name;
  const call = (issue: string) =>
    client.callTool({ name: tool, arguments: { message: issue } }, undefined, { timeout: 60_000 });

  const cold = Date.now();
  const first = call('cold');
  if (screen !== null)
    console.log(
      `${'hold → notification, the desk not yet running'.padEnd(52)} ${((await until(() => screen.shownAt('cold'))) - cold).toFixed(0).padStart(5)} ms`,
    );
  const desk = await console_(env);
  await desk.approve((await until(async () => (await desk.open())[0])).id);
  await first;

  const toNotice: number[] = [];
  const toConsole: number[] = [];
  const toResult: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const issue = `issue-${round}`;
    const before = desk.changes();
    const [at, started] = [Date.now(), performance.now()];
    const held = call(issue);
    // As a page does: the live stream says that something changed, then it asks what.
    const id = await until(async () =>
      desk.changes() === before ? null : (await desk.open()).find(({ preview }) => preview.includes(issue))?.id,
    );
    toConsole.push(performance.now() - started);
    if (screen !== null) toNotice.push((await until(() => screen.shownAt(issue))) - at);
    const decided = performance.now();
    await desk.approve(id);
    await held;
    toResult.push(performance.now() - decided);
  }
  if (screen !== null) show('hold → notification', toNotice, 'aim 500');
  show('hold → in the open console', toConsole, 'aim 1000');
  show('decision → forwarded, run, and answered', toResult, 'aim 200');
  await client.close();
  const stop = spawn(process.execPath, [DIST, '--config', config, '--state', state, 'desk', '--stop'], {
    stdio: 'ignore',
  });
  await new Promise((resolve) => stop.once('close', resolve));
}

try {
  await main();
} finally {
  for (const group of groups) process.kill(-group, 'SIGTERM');
  for (const child of children) child.kill('SIGTERM');
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
process.exit(0);
