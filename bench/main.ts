/**
 * Direct against through the gate, over stdio, interleaved in one run: `npm run bench`.
 * Ratios are medians over rounds of through/direct in the same round, with the quartiles.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RawClient } from './raw-client.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const ECHO = [process.execPath, join(ROOT, 'bench/echo-server.mjs')];
const DIST = join(ROOT, 'dist/toolgate.js');
const ROUNDS = Number(process.env['ROUNDS'] ?? 12);

const folder = mkdtempSync(join(tmpdir(), 'toolgate-bench-'));

/** Fifty policies, of which a read meets none but has to be compared with all. */
function policies(): string {
  const list = Array.from(
    { length: 50 },
    (_, n) =>
      `  - name: Policy ${n}\n    if: { integration: ${['GitHub', 'Linear', 'Notion', 'Gmail', 'Git'][n % 5]}, operation: [Write, Delete], args: { name: "secret${n}*" } }\n    action: ${['block', 'alert', 'require approval'][n % 3]}\n`,
  );
  return `version: 1\ndefaults: { unclassified: allow }\npolicies:\n${list.join('')}`;
}

function configure(name: string, upstreams: number): string[] {
  const config = join(folder, name);
  mkdirSync(config);
  const servers = Object.fromEntries(
    Array.from({ length: upstreams }, (_, n) => [`s${n}`, { command: ECHO[0], args: [ECHO[1]] }]),
  );
  writeFileSync(join(config, 'servers.json'), JSON.stringify({ mcpServers: servers }));
  writeFileSync(join(config, 'policies.yaml'), policies());
  return [process.execPath, DIST, '--config', config, '--state', join(config, 'state'), 'serve'];
}

const median = (values: number[]) => quantile(values, 0.5);
function quantile(values: number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]!;
}

function show(name: string, direct: number[], through: number[], unit: string, aim: string): void {
  const ratios = through.map((value, round) => value / direct[round]!);
  const line = `${name.padEnd(44)} direct ${median(direct).toFixed(1).padStart(8)} ${unit}  gate ${median(through).toFixed(1).padStart(8)} ${unit}  ratio ${median(ratios).toFixed(2)} [${quantile(ratios, 0.25).toFixed(2)}–${quantile(ratios, 0.75).toFixed(2)}]`;
  console.log(`${line}  ${aim}`);
}

/** User and system time of a process so far, in microseconds. */
function cpuUs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

function rssMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;
}

async function timed(count: number, concurrent: number, call: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  let left = count;
  await Promise.all(
    Array.from({ length: concurrent }, async () => {
      while (left-- > 0) await call();
    }),
  );
  return ((performance.now() - started) / count) * 1000;
}

async function latencies(count: number, call: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const started = performance.now();
    await call();
    times.push((performance.now() - started) * 1000);
  }
  return median(times);
}

async function calls(): Promise<void> {
  const direct = await RawClient.start(ECHO);
  const pipe = await RawClient.start([process.execPath, join(ROOT, 'bench/pipe.mjs'), ...ECHO]);
  await pipe.ask('tools/list', {});
  const piped: number[] = [];
  const gate = await RawClient.start(configure('calls', 1));
  await direct.ask('tools/list', {});
  await gate.ask('tools/list', {});
  const tiny = (client: RawClient, name: string) => () =>
    client.ask('tools/call', { name, arguments: { message: 'hello' } });
  const big = (client: RawClient, name: string) => () =>
    client.ask('tools/call', { name, arguments: { bytes: 1024 * 1024 } });
  const pairs = {
    tiny: [tiny(direct, 'get_echo'), tiny(gate, 's0__get_echo')],
    big: [big(direct, 'get_bytes'), big(gate, 's0__get_bytes')],
  } as const;
  for (const run of [...pairs.tiny, ...pairs.big]) await timed(200, 16, run);
  const rows: Record<string, [number[], number[]]> = { sequential: [[], []], concurrent: [[], []], big: [[], []] };
  const cpu: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const order = round % 2 === 0 ? [0, 1] : [1, 0];
    for (const side of order as (0 | 1)[]) rows['sequential']![side].push(await latencies(1500, pairs.tiny[side]));
    piped.push(await latencies(1500, tiny(pipe, 'get_echo')));
    for (const side of order as (0 | 1)[]) {
      const before = side === 1 ? cpuUs(gate.pid) : 0;
      rows['concurrent']![side].push(await timed(8000, 64, pairs.tiny[side]));
      if (side === 1) cpu.push((cpuUs(gate.pid) - before) / 8000);
    }
    for (const side of order as (0 | 1)[]) rows['big']![side].push(await latencies(30, pairs.big[side]));
  }
  show('tiny call, one after the other (median)', ...rows['sequential']!, 'µs', 'aim ≤ 2.0');
  show('tiny call, 64 at once (time per call)', ...rows['concurrent']!, 'µs', '');
  console.log(
    `${'gate CPU per call, 64 at once'.padEnd(44)} ${median(cpu).toFixed(1)} µs [${quantile(cpu, 0.25).toFixed(1)}–${quantile(cpu, 0.75).toFixed(1)}]  aim ≤ 35`,
  );
  show('1 MiB result (median)', ...rows['big']!, 'µs', 'aim ≤ 2.1');
  show('a bare pipe in between, for comparison', rows['sequential']![0], piped, 'µs', '');
  await direct.close();
  await pipe.close();
  await gate.close();
}

async function startUp(): Promise<void> {
  for (const upstreams of [1, 20]) {
    const [initialised, listed, directInit, directListed]: number[][] = [[], [], [], []];
    const command = configure(`start-${upstreams}`, upstreams);
    for (let round = 0; round < (upstreams === 1 ? 8 : 4); round++) {
      for (const [argv, init, list] of [
        [ECHO, directInit, directListed],
        [command, initialised, listed],
      ] as const) {
        const started = performance.now();
        const client = await RawClient.start(argv as string[]);
        init!.push(performance.now() - started);
        await client.ask('tools/list', {});
        list!.push(performance.now() - started);
        await client.close();
      }
    }
    show(
      `initialize, ${upstreams} upstream${upstreams > 1 ? 's' : ''}`,
      directInit!,
      initialised!,
      'ms',
      upstreams === 20 ? 'aim ≤ 300 ms' : '',
    );
    show(`first tools/list, ${upstreams} upstream${upstreams > 1 ? 's' : ''}`, directListed!, listed!, 'ms', '');
  }
}

async function memory(): Promise<void> {
  const bare = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] });
  for (const upstreams of [1, 20]) {
    const command = configure(`memory-${upstreams}`, upstreams);
    // The first start after a change of the rules reads them; every other takes them from the store.
    const first = await RawClient.start(command);
    await first.ask('tools/list', {});
    await first.close();
    const gate = await RawClient.start(command);
    await gate.ask('tools/list', {});
    await new Promise((resolve) => setTimeout(resolve, 3000));
    console.log(
      `${`idle memory of the gate, ${upstreams} upstream${upstreams > 1 ? 's' : ''}`.padEnd(44)} ${rssMb(gate.pid).toFixed(0)} MB (an empty node: ${rssMb(bare.pid!).toFixed(0)} MB)  ${upstreams === 1 ? 'aim ≤ 75' : ''}`,
    );
    await gate.close();
  }
  bare.kill();
}

try {
  console.log(`Node ${process.version}, ${cpus().length} cores, ${ROUNDS} rounds; 50 policies, audit on\n`);
  await calls();
  await startUp();
  await memory();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
