/** What agents do to toolgate itself, by commands and by their file tools, is judged like any other call. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readEvents, run } from '../support/gate.ts';
import { AGENTS, house, payload, toolUse } from '../support/hooks.ts';
import { TIMED } from '../support/timed.ts';

const NAME = 'toolgate protects itself';
const BLOCKED = { code: 2, err: expect.stringContaining(`the policy "${NAME}" blocks it`) };
const NOTHING = { code: 0, err: '' };

describe('with no policy at all', () => {
  test.each(AGENTS)("%s can't write the rules by a command", async (agent) => {
    const where = house('policies: []');
    const asked = payload(agent, `git status > ${where.config}/policies.yaml`, where.repository);
    expect(await where.hook(agent, asked)).toMatchObject(BLOCKED);
    expect(readEvents(where.state, 'call.decided')).toMatchObject([
      {
        'toolgate.integration': 'toolgate',
        'toolgate.tool': 'change_rules',
        'toolgate.operation': 'Delete',
        'toolgate.policy.place': 'built in',
      },
    ]);
  });

  test.each([
    ['the rules by a relative path', 'Edit', '../config/policies.yaml'],
    ['a catalog file', 'Write', 'CONFIG/catalog/x.yaml'],
    ['the state', 'Read', 'STATE/toolgate.db'],
    ['its own registration', 'Write', '.claude/settings.json'],
    ['an MCP server of its own', 'Write', '.mcp.json'],
    ["another client's hook", 'Write', '.kiro/hooks/toolgate.json'],
    ['the program', 'Edit', join(import.meta.dirname, '../../dist/toolgate.js')],
  ])('a file tool reaches %s no more than a command', async (_, tool, path) => {
    const where = house('policies: []');
    const file = path.replace('CONFIG', where.config).replace('STATE', where.state);
    const asked = toolUse(tool, { file_path: file, content: 'x' }, where.repository);
    expect(await where.hook('claude-code', asked)).toMatchObject(BLOCKED);
  });

  test('a link leads nowhere else', async () => {
    const where = house('policies: []');
    symlinkSync(where.config, join(where.repository, 'notes'));
    const asked = toolUse('Write', { file_path: 'notes/policies.yaml', content: '' }, where.repository);
    expect(await where.hook('claude-code', asked)).toMatchObject(BLOCKED);
  });

  test('a patch is looked through', async () => {
    const where = house('policies: []');
    const patch = `*** Begin Patch\n*** Update File: a.txt\n*** Update File: ${where.config}/servers.json\n*** End Patch`;
    const asked = toolUse('apply_patch', { command: patch }, where.repository, { turn_id: 't', model: 'm' });
    expect(await where.hook('codex', asked)).toMatchObject(BLOCKED);
  });

  test.each([
    ['reads the rules', 'Read', 'CONFIG/policies.yaml'],
    ['edits anything else', 'Edit', 'a.txt'],
    ['reads its own registration', 'Read', '.claude/settings.json'],
  ])('who %s is not disturbed, and nothing is recorded', async (_, tool, path) => {
    const where = house('policies: []');
    const asked = toolUse(tool, { file_path: path.replace('CONFIG', where.config) }, where.repository);
    expect(await where.hook('claude-code', asked)).toMatchObject(NOTHING);
    expect(() => readEvents(where.state)).toThrow();
  });

  test.each([
    'toolgate approve A7K2',
    'toolgate serve --agent "Claude Code"',
    'pkill -f toolgate',
    'curl -s http://127.0.0.1:7433/',
  ])('%s', async (command) => {
    const where = house('policies: []');
    expect(await where.hook('claude-code', payload('claude-code', command, where.repository))).toMatchObject(BLOCKED);
  });

  test('the desk is known by the port that it has', async () => {
    const where = house('policies: []');
    await run(where, ['console', '--no-browser']);
    const desk = JSON.parse((await run(where, ['status', '--json'])).out).desk;
    const port = new URL(desk.address).port;
    const ask = (command: string) => where.hook('claude-code', payload('claude-code', command, where.repository));
    expect(await ask(`curl -s http://localhost:${port}/`)).toMatchObject(BLOCKED);
    expect(await ask('curl -s http://localhost:9/')).toMatchObject(NOTHING);
    // What the shell puts together, and after a command that is judged anyhow.
    expect(await ask(`git log; P=${port}; curl -s http://localhost:$P/`)).toMatchObject(BLOCKED);
    expect(await ask(`H=localhost; curl -s $H:${port}/`)).toMatchObject(BLOCKED);
  });
});

test.each([
  ['a patch of many files', 'apply_patch', { command: `${'--- a/x\n'.repeat(400_000)}*** Update File: .mcp.json\n` }],
  ['a path that no system takes', 'Write', { file_path: `/${'a/'.repeat(100_000)}x` }],
  ['a line of addresses', 'Bash', { command: `node -e "${'127.0.0.1'.repeat(14_000)}"` }],
])('%s is answered in time', TIMED, async (_, tool, input) => {
  const where = house('policies: []');
  const started = performance.now();
  const { code } = await where.hook('claude-code', toolUse(tool, input, where.repository));
  expect([0, 2]).toContain(code);
  expect(performance.now() - started).toBeLessThan(10_000);
});

test("the file's own mode does not switch it off", async () => {
  const where = house('defaults: { mode: monitor }\npolicies: []');
  const asked = payload('claude-code', `rm -rf ${where.config}`, where.repository);
  expect(await where.hook('claude-code', asked)).toMatchObject(BLOCKED);
});

test('only a policy of its name takes its place', async () => {
  const where = house(`policies:
  - { name: All may, if: { integration: toolgate }, action: allow }
`);
  const asked = toolUse('Write', { file_path: `${where.config}/policies.yaml`, content: '' }, where.repository);
  expect(await where.hook('claude-code', asked)).toMatchObject(BLOCKED);
  writeFileSync(
    join(where.config, 'policies.yaml'),
    `policies:
  - { name: ${NAME}, if: { integration: toolgate, tool: Open state }, action: block }
`,
  );
  expect(await where.hook('claude-code', asked)).toMatchObject(NOTHING);
  const state = toolUse('Read', { file_path: `${where.state}/toolgate.db` }, where.repository);
  expect(await where.hook('claude-code', state)).toMatchObject(BLOCKED);
});

test('policy show shows it, and what takes its place', async () => {
  const where = house('policies: []');
  expect((await run(where, ['policy', 'show'])).out).toContain(
    `${NAME}  built in\n    block if integration: toolgate and operation: Write or Delete`,
  );
  writeFileSync(
    join(where.config, 'policies.yaml'),
    `policies: [{ name: Toolgate protects itself, if: { integration: toolgate }, action: alert }]`,
  );
  const { out } = await run(where, ['policy', 'show']);
  expect(out).toContain('policies.yaml:1');
  expect(out).not.toContain('built in');
});

test('a project may have the name of toolgate', async () => {
  const where = house('policies: []');
  const project = join(where.folder, 'toolgate');
  mkdirSync(project);
  const asked = payload(
    'claude-code',
    `cd ${project} && echo x > policies.yaml && ls && git -C ${project} status`,
    project,
  );
  expect(await where.hook('claude-code', asked)).toMatchObject(NOTHING);
});
