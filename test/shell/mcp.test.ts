/** MCP calls at hooks: those that go round the gate are judged, and held; those through it are held there. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { approvals, open, say } from '../support/approvals.ts';
import { readEvents, startGate } from '../support/gate.ts';
import { type House, house, payload, toolUse } from '../support/hooks.ts';
import { DIST, git, memory } from '../support/servers.ts';

const ask = (where: House, tool: string, input: object = {}, ...flags: string[]) =>
  where.hook('claude-code', toolUse(tool, input, where.repository), ...flags);

/** What the client of this repository starts under a name. */
const registers = (where: House, name: string, entry: object) =>
  writeFileSync(join(where.repository, '.mcp.json'), JSON.stringify({ mcpServers: { [name]: entry } }));

const ourGate = (where: House, ...more: string[]) => ({
  command: process.execPath,
  args: [DIST, '--config', where.config, '--state', where.state, 'serve', ...more],
});

describe('a call that goes round the gate', () => {
  test('is judged like one through it', async () => {
    const where = house(
      'policies: [{ name: No deleting, if: { integration: GitHub, operation: Delete }, action: block }]',
    );
    expect(await ask(where, 'mcp__github__delete_repository', { owner: 'a', repo: 'b' })).toMatchObject({
      code: 2,
      err: expect.stringContaining('No deleting'),
    });
    expect(await ask(where, 'mcp__github__get_me')).toMatchObject({ code: 0, out: '' });
    expect(readEvents(where.state, 'call.decided')).toMatchObject([
      { 'toolgate.via': 'mcp', 'toolgate.server': 'github', 'toolgate.operation': 'Delete' },
      { 'toolgate.operation': 'Read' },
    ]);
  });

  test('is recognised by how its client starts the server', async () => {
    const where = house(
      'policies: [{ name: No writing, if: { integration: GitHub, operation: Write }, action: block }]',
    );
    const asked = {
      conversation_id: 's',
      cursor_version: '3',
      hook_event_name: 'beforeMCPExecution',
      tool_name: 'create_issue',
      tool_input: JSON.stringify({ owner: 'a', repo: 'b', title: 'x' }),
      command: 'npx -y @modelcontextprotocol/server-github',
      cwd: where.repository,
    };
    expect(await where.hook('cursor', asked)).toMatchObject({ code: 2, err: expect.stringContaining('No writing') });
  });

  test('waits for a person, and the same call counts once', async () => {
    const where = house(
      'policies: [{ name: Ask, if: { integration: GitHub, operation: Write }, action: require approval }]',
    );
    const input = { owner: 'a', repo: 'b', title: 'x' };
    const held = ask(where, 'mcp__github__create_issue', input);
    const [asked] = await open(where);
    expect(asked).toMatchObject({ subject: { integration: 'GitHub', tool: 'Create issue', via: 'mcp' } });
    await say(where, 'approve', asked.code);
    expect(await held).toMatchObject({ code: 0 });
    expect(await ask(where, 'mcp__github__create_issue', input, '--hold', '1s')).toMatchObject({ code: 2 });
  });
});

describe('a server that is called toolgate', () => {
  test('and is another is judged, and held', async () => {
    const where = house(`policies:
  - { name: No deleting, if: { operation: Delete }, action: block }
  - { name: Ask, if: { operation: Write }, action: require approval }
`);
    registers(where, 'toolgate', memory(join(where.folder, 'memory.json')));
    expect(await ask(where, 'mcp__toolgate__delete_entities', { entityNames: ['x'] })).toMatchObject({
      code: 2,
      err: expect.stringContaining('No deleting'),
    });
    expect(await ask(where, 'mcp__toolgate__create_entities', {}, '--hold', '1s')).toMatchObject({
      code: 2,
      err: expect.stringContaining('pending'),
    });
  });

  const POLICIES = `policies:
  - { name: No deleting, if: { integration: GitHub, operation: Delete }, action: block }
  - { name: Ask, if: { integration: GitHub, operation: Write }, action: require approval }
`;
  const withGitHub = () => {
    const where = house(POLICIES);
    writeFileSync(
      join(where.config, 'servers.json'),
      '{"mcpServers":{"github":{"command":"npx","args":["-y","@modelcontextprotocol/server-github"]}}}',
    );
    return where;
  };

  test('and is our gate holds what it is asked itself; what is blocked is blocked at once', async () => {
    const where = withGitHub();
    registers(where, 'toolgate', ourGate(where));
    expect(await ask(where, 'mcp__toolgate__github__create_issue', {}, '--hold', '1s')).toMatchObject({ code: 0 });
    expect(await approvals(where)).toEqual([]);
    expect(readEvents(where.state, 'call.decided')).toEqual([]);
    expect(await ask(where, 'mcp__toolgate__github__delete_repository')).toMatchObject({ code: 2 });
    expect(readEvents(where.state, 'call.decided')).toMatchObject([{ 'toolgate.server': 'github' }]);
  });

  test.each<[string, (where: House) => object]>([
    ['a gate of other rules', (where) => ({ ...ourGate(where), args: [DIST, '--config', '/nowhere', 'serve'] })],
    ['another environment', (where) => ({ ...ourGate(where), env: { NODE_OPTIONS: '--require /tmp/x.cjs' } })],
    ['a program before it', (where) => ({ command: '/bin/sh', args: ['-c', 'x', ...ourGate(where).args] })],
    ['more than the gate', (where) => ourGate(where, '--agent', 'x', 'y')],
    ['an address', () => ({ url: 'http://127.0.0.1:9/mcp' })],
    ['an address beside our program', (where) => ({ ...ourGate(where), url: 'http://127.0.0.1:9/mcp' })],
    ['switched off', (where) => ({ ...ourGate(where), disabled: true })],
    ['started by another node', (where) => ({ ...ourGate(where), command: join(where.folder, 'node') })],
  ])('and is %s is held here', async (_, entry) => {
    const where = withGitHub();
    registers(where, 'toolgate', entry(where));
    expect(await ask(where, 'mcp__toolgate__github__create_issue', {}, '--hold', '1s')).toMatchObject({
      code: 2,
      err: expect.stringContaining('pending'),
    });
  });
});

test('one policy, both doors: a forced push through a Git server and through a shell', async () => {
  const where = house(
    'policies: [{ name: No forced pushes, if: { integration: Git, tool: push, operation: Delete }, action: block }]',
  );
  const before = where.remoteHead();
  const gate = await startGate({ where, servers: { git: git(where.folder) }, policies: '' });
  const tools = (await gate.client.listTools()).tools.map(({ name }) => name);
  expect(tools).toContain('git__git_push');
  const pushed = await gate.client.callTool({
    name: 'git__git_push',
    arguments: { path: where.repository, remote: 'origin', branch: 'main', force: true },
  });
  expect(pushed).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('No forced pushes') }] });
  const line = payload('claude-code', 'git push --force origin main', where.repository);
  expect(await where.hook('claude-code', line)).toMatchObject({ code: 2 });
  expect(where.remoteHead()).toBe(before);
  const same = {
    'toolgate.integration': 'Git',
    'toolgate.tool': 'push',
    'toolgate.operation': 'Delete',
    'toolgate.policy.decision': 'block',
    'toolgate.policy.name': 'No forced pushes',
    'toolgate.policy.place': 'policies.yaml:1',
  };
  const [first, second] = readEvents(where.state, 'call.decided');
  expect(first).toMatchObject({ ...same, 'toolgate.via': 'mcp' });
  expect(second).toMatchObject({ ...same, 'toolgate.via': 'cli' });
  expect(first!['toolgate.rules']).toBe(second!['toolgate.rules']);
});
