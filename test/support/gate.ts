/** A real gate, started as a client would, spoken to by the v1 SDK: an implementation that isn't ours. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Readable, Writable } from 'node:stream';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { ListRootsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { onTestFinished } from 'vitest';
import { type Scratch, scratch } from './scratch.ts';
import { DIST, type Launch } from './servers.ts';

export const ALLOW_ALL = 'version: 1\ndefaults: { unclassified: allow }\npolicies: []\n';

export interface GateOptions {
  readonly servers: Readonly<Record<string, Launch | object>>;
  readonly policies?: string;
  readonly clientName?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** folders that the client says its user works in */
  readonly roots?: readonly string[];
  /** the folder that its client works in */
  readonly cwd?: string;
  readonly where?: Scratch;
}

export interface RunningGate extends Scratch {
  readonly client: Client;
  readonly pid: number;
  /** what it said on stderr so far */
  readonly said: () => string;
  readonly events: (type?: string) => Record<string, any>[];
}

/** Writes the configuration and connects; everything is ended after the test. */
export async function startGate(options: GateOptions): Promise<RunningGate> {
  const where = options.where ?? scratch();
  writeFileSync(join(where.config, 'servers.json'), JSON.stringify({ mcpServers: options.servers }));
  if (options.policies !== '') writeFileSync(join(where.config, 'policies.yaml'), options.policies ?? ALLOW_ALL);
  return connectGate(where, options);
}

/** Connects one more client to a configuration that is there. */
export async function connectGate(where: Scratch, options: Omit<GateOptions, 'servers'> = {}): Promise<RunningGate> {
  let said = '';
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [DIST, '--config', where.config, '--state', where.state, 'serve', ...(options.args ?? [])],
    env: { PATH: process.env['PATH']!, HOME: where.folder, ...options.env },
    stderr: 'pipe',
    ...(options.cwd !== undefined && { cwd: options.cwd }),
  });
  transport.stderr?.on('data', (chunk) => {
    said += String(chunk);
  });
  const client = new Client(
    { name: options.clientName ?? 'test-client', version: '1' },
    { capabilities: options.roots === undefined ? {} : { roots: {} } },
  );
  if (options.roots !== undefined)
    client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: options.roots!.map((uri) => ({ uri })) }));
  await client.connect(transport);
  onTestFinished(() => client.close());
  return { ...where, client, pid: transport.pid!, said: () => said, events: (type) => readEvents(where.state, type) };
}

/** A gate without a client, for what no SDK would send; ended with the test. */
export function spawnGate(where: Scratch): ChildProcessByStdio<Writable, Readable, null> {
  const child = spawn(process.execPath, [DIST, '--config', where.config, '--state', where.state, 'serve'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** Connects the same client directly to a server. */
export async function connectDirectly(launch: Launch): Promise<Client> {
  const client = new Client({ name: 'test-client', version: '1' });
  await client.connect(
    new StdioClientTransport({
      command: launch.command,
      args: [...launch.args],
      env: { ...(launch.env as Record<string, string>), PATH: process.env['PATH']! },
      stderr: 'ignore',
    }),
  );
  onTestFinished(() => client.close());
  return client;
}

export function readEvents(state: string, type?: string): Record<string, any>[] {
  const database = new DatabaseSync(join(state, 'toolgate.db'), { readOnly: true });
  try {
    const rows = database.prepare('SELECT body FROM events ORDER BY seq').all() as { body: string }[];
    return rows.map(({ body }) => JSON.parse(body)).filter((body) => type === undefined || body.type === type);
  } finally {
    database.close();
  }
}

/** Waits until `get` gives something, by asking again; fails after `timeoutMs`. */
export async function eventually<T>(
  get: () => T | undefined | null | false | Promise<T | undefined | null | false>,
  timeoutMs = 20_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await get();
      if (value !== undefined && value !== null && value !== false) return value;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`it did not happen within ${timeoutMs} ms`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a command of toolgate's to its end. */
export function run(
  where: Pick<Scratch, 'config' | 'state' | 'folder'>,
  args: readonly string[],
  options: { input?: string; env?: Record<string, string>; program?: readonly string[] } = {},
): Promise<Ran> {
  const [command, ...before] = options.program ?? [process.execPath, DIST];
  const child = spawn(command!, [...before, '--config', where.config, '--state', where.state, ...args], {
    env: { PATH: process.env['PATH']!, HOME: where.folder, ...options.env },
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => {
    out += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    err += String(chunk);
  });
  child.stdin.end(options.input ?? '');
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })));
}

/** Text of a tool's result. */
export function textOf(result: unknown): string {
  return ((result as { content?: { text?: string }[] }).content ?? []).map(({ text }) => text ?? '').join('\n');
}

/** Whether a process runs; a zombie does not. */
export async function isAlive(pid: number): Promise<boolean> {
  const { readFile } = await import('node:fs/promises');
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    return !/^\d+ \(.*\) [ZX]/s.test(stat);
  } catch {
    return false;
  }
}
