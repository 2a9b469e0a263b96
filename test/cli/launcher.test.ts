import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually, isAlive, run } from '../support/gate.ts';
import { have } from '../support/need.ts';
import { scratch } from '../support/scratch.ts';
import { scripted } from '../support/servers.ts';

const BIN = join(import.meta.dirname, '../../bin/toolgate.cjs');
const others = (process.env['TOOLGATE_TEST_NODES'] ?? '').split(':').filter((path) => path !== '' && existsSync(path));
const nodes = [
  process.execPath,
  ...(have(others.length > 0, 'TOOLGATE_TEST_NODES (other Node versions)') ? others : []),
].map((path) => [execFileSync(path, ['--version'], { encoding: 'utf8' }).trim(), path] as const);

describe.each(nodes)('started by Node %s', (version, node) => {
  test('it runs, and passes exit codes on', async () => {
    const where = scratch();
    expect((await run(where, ['--version'], { program: [node, BIN] })).out.trim()).toBe('0.1.0');
    expect(await run(where, ['nonsense'], { program: [node, BIN] })).toMatchObject({ code: 2, out: '' });
    expect((await run(where, ['policy', 'check'], { program: [node, BIN] })).code).toBe(1);
  });

  test('kill -9 of the launcher leaves nothing running', async () => {
    const where = scratch();
    const pids = join(where.folder, 'pids');
    const upstream = where.write('upstream.sh', `echo $$ >> ${pids}; exec ${process.execPath} "$@"`);
    writeFileSync(join(where.config, 'policies.yaml'), 'policies: []\n');
    writeFileSync(
      join(where.config, 'servers.json'),
      JSON.stringify({
        mcpServers: { s: { command: '/bin/sh', args: [upstream, ...scripted({ tools: ['a'] }).args] } },
      }),
    );
    const child = spawn(node, [BIN, '--config', where.config, '--state', where.state, 'serve'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    child.stdin.write(
      '{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"raw","version":"1"}}}\n{"jsonrpc":"2.0","method":"notifications/initialized"}\n{"jsonrpc":"2.0","id":1,"method":"tools/list"}\n',
    );
    await eventually(() => existsSync(pids) && readFileSync(pids, 'utf8').trim() !== '');
    const upstreamPid = Number(readFileSync(pids, 'utf8').trim());
    const children = execFileSync('sh', ['-c', `cat /proc/${child.pid}/task/*/children`], { encoding: 'utf8' })
      .trim()
      .split(/\s+/)
      .filter(Boolean)
      .map(Number);
    // On an older Node the gate is the launcher's child, on a new one the launcher itself.
    expect(children).toHaveLength(1);
    child.kill('SIGKILL');
    const all = [child.pid!, upstreamPid, ...children];
    await eventually(async () => (await Promise.all(all.map(isAlive))).every((alive) => !alive));
    expect(version).toMatch(/^v\d+/);
  });
});

test('on an old Node without one of its own it says in a line what is needed', async () => {
  const old = nodes.find(([version]) => Number(version.slice(1).split('.')[0]) < 22);
  if (!have(old !== undefined, 'an old Node')) return;
  const where = scratch();
  const alone = join(where.folder, 'alone');
  mkdirSync(join(alone, 'bin'), { recursive: true });
  copyFileSync(BIN, join(alone, 'bin/toolgate.cjs'));
  symlinkSync(join(import.meta.dirname, '../../dist'), join(alone, 'dist'));
  // A Node in the working directory's node_modules is never used.
  mkdirSync(join(where.folder, 'node_modules/node/bin'), { recursive: true });
  writeFileSync(join(where.folder, 'node_modules/node/bin/node'), '#!/bin/sh\necho STOLEN\n', { mode: 0o755 });
  const ran = await run(where, ['status'], { program: [old![1], join(alone, 'bin/toolgate.cjs')] });
  expect(ran.code).toBe(3);
  expect(ran.err).toMatch(/^toolgate: Node 22\.13 or newer is needed, and this is v20\.\d+\.\d+; [^\n]+\n$/);
  const hook = spawn(old![1], [join(alone, 'bin/toolgate.cjs'), 'hook', 'claude-code'], {
    cwd: where.folder,
    stdio: 'ignore',
  });
  expect(await new Promise((resolve) => hook.once('exit', resolve))).toBe(2);
});
