/** Whether agents' clients still ask toolgate before they run commands: doctor, status, and what a gate notices. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { guardsOf } from '../../src/clients/hooks.ts';
import type { HookAgent } from '../../src/shell/payload.ts';
import { registrationOf } from '../../src/shell/registration.ts';
import { folder } from '../support/approvals.ts';
import { connectGate, eventually, readEvents, run } from '../support/gate.ts';
import { house, payload } from '../support/hooks.ts';
import type { Scratch } from '../support/scratch.ts';
import { DIST } from '../support/servers.ts';

const AGENTS = ['claude-code', 'cursor', 'codex', 'gemini', 'copilot', 'windsurf', 'droid', 'kiro', 'goose'] as const;

function write(home: string, file: string, content: object): string {
  const path = join(home, file.replace('~/', ''));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, JSON.stringify(content));
  return path;
}

/** As `toolgate hook --print` says. */
function register(home: string, agent: HookAgent, program = DIST): string {
  const { file, config } = registrationOf(agent, [process.execPath, program, 'hook', agent]);
  if (agent === 'goose') mkdirSync(join(home, '.config/goose'), { recursive: true });
  return write(home, file, config as object);
}

describe('of a client that is installed', () => {
  test.each(AGENTS)('%s: what is pasted is found', (agent) => {
    const { folder: home } = folder();
    const file = register(home, agent);
    expect(guardsOf(home, [])).toEqual([{ agent, state: 'guarded', file, lacks: null }]);
  });

  test.each(AGENTS)('%s: a hook of a program that is gone is stale', (agent) => {
    const { folder: home } = folder();
    register(home, agent, '/gone/dist/toolgate.js');
    expect(guardsOf(home, [])).toMatchObject([{ agent, state: 'stale' }]);
  });

  test('without a hook it is missing; a client that is not installed is not listed', () => {
    const { folder: home } = folder();
    mkdirSync(join(home, '.cursor'));
    write(home, '.claude/settings.json', {
      hooks: { PreToolUse: [{ hooks: [{ type: 'command', command: 'other' }] }] },
    });
    expect(guardsOf(home, [])).toMatchObject([
      { agent: 'claude-code', state: 'missing' },
      { agent: 'cursor', state: 'missing' },
    ]);
  });

  test.each(['home', 'project'])('hooks that are switched off in the %s are off', (where) => {
    const { folder: home } = folder();
    const project = join(home, 'web');
    const file = register(home, 'claude-code');
    expect(guardsOf(home, [project])).toMatchObject([{ state: 'guarded', file }]);
    const off = write(where === 'home' ? home : project, '.claude/settings.local.json', { disableAllHooks: true });
    expect(guardsOf(home, [project])).toMatchObject([{ state: 'off', file: off }]);
  });

  test('one that lets commands run when the hook fails is said to', () => {
    const { folder: home } = folder();
    const command = `${process.execPath} ${DIST} hook cursor`;
    write(home, '.cursor/hooks.json', { version: 1, hooks: { beforeShellExecution: [{ command }] } });
    expect(guardsOf(home, [])).toMatchObject([{ state: 'guarded', lacks: 'failClosed' }]);
  });
});

const prepared = (): Scratch => {
  const where = folder();
  writeFileSync(join(where.config, 'servers.json'), '{"mcpServers":{}}');
  writeFileSync(join(where.config, 'policies.yaml'), 'policies: []\nchannels: { desktop: false }\n');
  return where;
};

test('doctor and status say of each client what it does, and what happens if a hook hangs', async () => {
  const where = prepared();
  register(where.folder, 'claude-code');
  mkdirSync(join(where.folder, '.gemini'));
  const { out } = await run(where, ['doctor']);
  expect(out).toContain(
    "✓ hooks       Claude Code asks before it runs commands; a hook that hangs or is killed: the command doesn't run",
  );
  expect(out).toContain('· hooks       Gemini CLI runs its own commands without asking: toolgate hook --print gemini');
  const status = await run(where, ['status']);
  expect(status.out).toContain('hooks      Claude Code: it asks toolgate before it runs commands');
  expect(JSON.parse((await run(where, ['status', '--json'])).out).hooks).toMatchObject([
    { agent: 'claude-code', state: 'guarded' },
    { agent: 'gemini', state: 'missing' },
  ]);
});

test('a gate records that a client asks, and tells once that it does so no more', async () => {
  const where = prepared();
  const file = register(where.folder, 'claude-code');
  await connectGate(where);
  const [guarded] = await eventually(() => {
    const found = readEvents(where.state, 'agent.guarded');
    return found.length > 0 && found;
  });
  expect(guarded).toMatchObject({ code: 'T2005', 'gen_ai.agent.name': 'Claude Code', 'toolgate.file': file });
  rmSync(file);
  await Promise.all([connectGate(where), connectGate(where)]);
  await eventually(() => readEvents(where.state, 'agent.unguarded').length > 0);
  await connectGate(where);
  await eventually(() => readEvents(where.state, 'gateway.started').length === 4);
  expect(readEvents(where.state, 'agent.unguarded')).toMatchObject([
    { code: 'T2004', 'gen_ai.agent.name': 'Claude Code', 'toolgate.error': 'no hook of toolgate is registered there' },
  ]);
  const alerts = JSON.parse((await run(where, ['alerts', '--json'])).out);
  expect(alerts).toMatchObject([
    { severity: 'high', title: 'Claude Code no longer asks toolgate before it runs commands' },
  ]);
  register(where.folder, 'claude-code');
  await connectGate(where);
  await eventually(() => readEvents(where.state, 'agent.guarded').length === 2);
});

test('status counts the lines that hooks judged, and those that could not be read', async () => {
  const where = house('defaults: { unclassified: allow }\npolicies: []');
  for (const command of ['git status', 'eval "$X"', 'make test', 'ls', 'git push'])
    await where.hook('claude-code', payload('claude-code', command, where.repository));
  expect(JSON.parse((await run(where, ['status', '--json'])).out).last24h.commands).toEqual({
    judged: 4,
    unreadable: 1,
    hidden: 1,
    unjudged: 0,
  });
  expect((await run(where, ['status'])).out).toContain(
    'commands   4 lines judged; 1 not readable, 1 with code that is not in the line',
  );
});
