import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { eventually, startGate, textOf } from '../support/gate.ts';
import { scratch } from '../support/scratch.ts';
import { filesystem, git, github, type Launch, scripted, watched } from '../support/servers.ts';

const BLOCK_CHANGES_ON_GITHUB = `version: 1
policies:
  - name: Block all writes and deletions on GitHub
    when: an agent makes a tool call
    if: { integration: GitHub, operation: Write or Delete }
    action: block
`;

const stdinOf = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8') : '');

describe('"Block all writes and deletions on GitHub"', () => {
  test.each([
    ['recognised by its tools, started from a path', {}],
    ['said to be GitHub by the owner', { integration: 'github' }],
  ])('lets reads through and keeps create_issue from the upstream: %s', async (_, extra) => {
    const where = scratch();
    const seen = join(where.folder, 'stdin');
    const gate = await startGate({
      where,
      servers: { hub: { ...watched(github(), seen), ...extra } },
      policies: BLOCK_CHANGES_ON_GITHUB,
    });
    await gate.client.listTools();

    const refused = await gate.client.callTool({
      name: 'hub__create_issue',
      arguments: { owner: 'o', repo: 'r', title: 'NEVER' },
    });
    expect(refused.isError).toBe(true);
    expect(refused.structuredContent).toBeUndefined();
    expect(textOf(refused)).toContain('the policy "Block all writes and deletions on GitHub" blocks it');
    expect((refused._meta as Record<string, unknown>)['toolgate/decision']).toMatchObject({
      decision: 'block',
      policy: 'Block all writes and deletions on GitHub',
    });

    // The read reaches the upstream, which then can't reach GitHub: its own error comes back.
    await expect(
      gate.client.callTool({ name: 'hub__list_issues', arguments: { owner: 'o', repo: 'r' } }),
    ).rejects.toThrow(/fetch failed/);
    const stdin = stdinOf(seen);
    expect(stdin).toContain('list_issues');
    expect(stdin).not.toContain('create_issue');
    expect(stdin).not.toContain('NEVER');
  });

  test('a package launch is recognised before anything has answered', async () => {
    const { recognise } = await import('../../src/catalog/recognise.ts');
    const { buildCatalog, readCatalogFolder } = await import('../../src/catalog/load.ts');
    const catalog = buildCatalog((await readCatalogFolder(join(import.meta.dirname, '../../catalog'))).files);
    expect(
      recognise(catalog, { key: 'x', command: 'npx', args: ['-y', '@modelcontextprotocol/server-github@1.2.3'] }),
    ).toMatchObject({ by: 'launch', integration: { id: 'github' } });
  });
});

const EVERY_METHOD = (key: string) =>
  [
    ['tools/call', { name: `${key}__look`, arguments: {} }],
    ['resources/read', { uri: 'x://a' }],
    ['resources/read', { uri: 'x://template/7' }],
    ['resources/subscribe', { uri: 'x://a' }],
    ['prompts/get', { name: `${key}__ask` }],
    ['completion/complete', { ref: { type: 'ref/prompt', name: `${key}__ask` }, argument: { name: 'a', value: 'b' } }],
    [
      'completion/complete',
      { ref: { type: 'ref/resource', uri: 'x://template/{id}' }, argument: { name: 'id', value: '1' } },
    ],
    ['tasks/get', { taskId: 't' }],
    ['tasks/result', { taskId: 't' }],
    ['tasks/list', {}],
    ['vendor/anything', { name: `${key}__look` }],
  ] as const;

const OFFERING = {
  tools: [{ name: 'look', annotations: { readOnlyHint: true } }],
  resources: [{ uri: 'x://a', name: 'a' }],
  templates: [{ uriTemplate: 'x://template/{id}', name: 't' }],
  prompts: [{ name: 'ask' }],
};

test('a Read-block on one integration keeps every request method from its stdin', async () => {
  const where = scratch();
  const seen = join(where.folder, 'stdin');
  const policies =
    'version: 1\npolicies:\n  - { name: Nothing of it, if: { integration: shop, operation: Read }, action: block }\n';
  const gate = await startGate({
    where,
    servers: { shop: watched(scripted(OFFERING), seen), open: scripted({ ...OFFERING, resources: [], templates: [] }) },
    policies,
  });
  await gate.client.listTools();
  await gate.client.listResources();
  const before = stdinOf(seen);
  for (const [method, params] of EVERY_METHOD('shop')) {
    const answer = await gate.client
      .request({ method, params } as { method: string; params: Record<string, unknown> }, z.looseObject({}))
      .catch((error: Error) => error);
    const refused = answer instanceof Error ? answer.message : textOf(answer);
    expect(refused, method).toMatch(/the policy "Nothing of it" blocks it|does not carry the method|not found/);
  }
  expect(stdinOf(seen)).toBe(before);
  // The same without the block arrives: the watch itself works.
  expect(textOf(await gate.client.callTool({ name: 'open__look', arguments: {} }))).toBe('{}');
});

test('without a block each of these methods reaches the upstream', async () => {
  const where = scratch();
  const seen = join(where.folder, 'stdin');
  const gate = await startGate({ where, servers: { shop: watched(scripted(OFFERING), seen) } });
  await gate.client.listTools();
  for (const [method, params] of EVERY_METHOD('shop').slice(0, 7)) {
    await gate.client.request(
      { method, params } as { method: string; params: Record<string, unknown> },
      z.looseObject({}),
    );
    expect(stdinOf(seen), method).toContain(`"method":"${method}"`);
  }
  // Each is recorded as a Read of its integration.
  await eventually(() => gate.events('call.completed').length === 7);
  const decided = gate.events('call.decided');
  expect(decided.map((event) => event['toolgate.tool'])).toEqual([
    'look',
    'read_resource',
    'read_resource',
    'subscribe_resource',
    'get_prompt',
    'complete',
    'complete',
  ]);
  expect(new Set(decided.map((event) => event['toolgate.operation']))).toEqual(new Set(['Read']));
});

describe('a real git server on a real repository', () => {
  function repository(folder: string): { work: string; remote: string; commits: () => string } {
    const work = join(folder, 'work');
    const remote = join(folder, 'remote.git');
    const run = (...args: string[]) =>
      execFileSync('git', ['-c', 'init.defaultBranch=main', ...args], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
    run('init', '--bare', remote);
    mkdirSync(work);
    run('init', work);
    for (const [key, value] of [
      ['user.name', 'T'],
      ['user.email', 't@example.com'],
      ['commit.gpgsign', 'false'],
    ] as const)
      run('-C', work, 'config', key, value);
    run('-C', work, 'remote', 'add', 'origin', remote);
    writeFileSync(join(work, 'a'), 'a');
    run('-C', work, 'add', '.');
    run('-C', work, 'commit', '-m', 'one');
    run('-C', work, 'push', '-u', 'origin', 'HEAD:main');
    writeFileSync(join(work, 'a'), 'b');
    run('-C', work, 'commit', '-am', 'two');
    return { work, remote, commits: () => run('-C', remote, 'log', '--format=%s', 'main').trim() };
  }

  const policies = `version: 1
policies:
  - name: No push to main
    if: { integration: Git, tool: Push, args: { branch: main } }
    action: block
`;

  test('a blocked push leaves the bare remote as it was; an allowed one arrives', async () => {
    const where = scratch();
    const { work, commits } = repository(where.folder);
    const gate = await startGate({
      where,
      servers: { git: { ...git(join(where.folder, 'logs')), integration: 'Git' } },
      policies,
    });
    await gate.client.listTools();
    const blocked = await gate.client.callTool({
      name: 'git__git_push',
      arguments: { path: work, remote: 'origin', branch: 'main' },
    });
    expect(textOf(blocked)).toContain('No push to main');
    expect(commits()).toBe('one');
    // The destination counts, not the local branch.
    const sneaky = await gate.client.callTool({
      name: 'git__git_push',
      arguments: { path: work, remote: 'origin', branch: 'other', remoteBranch: 'main' },
    });
    expect(textOf(sneaky)).toContain('No push to main');
    expect(commits()).toBe('one');
    const allowed = await gate.client.callTool({
      name: 'git__git_push',
      arguments: { path: work, remote: 'origin', branch: 'main', remoteBranch: 'feature' },
    });
    expect(allowed.isError ?? false).toBe(false);
    expect(commits()).toBe('one');
    expect(
      execFileSync('git', ['-C', join(where.folder, 'remote.git'), 'branch', '--format=%(refname:short)'], {
        encoding: 'utf8',
      }),
    ).toContain('feature');
  });
});

describe('alerts, monitor and statuses, as the agent and the log see them', () => {
  const policies = `version: 1
agents: { test-client: Allowed, Bad Bot: Disallowed }
tools: { Filesystem: { Write file: Disallowed } }
policies:
  - name: Alert on reads
    if: { integration: Filesystem, operation: Read }
    action: alert
  - name: Trial
    mode: monitor
    if: { integration: Filesystem, tool: Create directory }
    action: block
  - name: Disallowed tools
    if: { tool review status: Disallowed }
    action: block
  - name: Unsanctioned agents do nothing
    if: { agent review status: Disallowed }
    action: block
  - name: Alert when an unsanctioned agent is discovered
    when: an agent is discovered
    if: { agent review status: Disallowed }
    action: alert
`;
  const servers = (folder: string): Record<string, Launch> => ({ files: filesystem(folder) });

  test('an alert runs the call and is written with it; monitor says what it would have done', async () => {
    const where = scratch();
    const gate = await startGate({ where, servers: servers(where.folder), policies });
    expect(
      textOf(await gate.client.callTool({ name: 'files__list_directory', arguments: { path: where.folder } })),
    ).toContain('config');
    await gate.client.callTool({ name: 'files__create_directory', arguments: { path: join(where.folder, 'made') } });
    expect(existsSync(join(where.folder, 'made'))).toBe(true);
    const blocked = await gate.client.callTool({
      name: 'files__write_file',
      arguments: { path: join(where.folder, 'never'), content: 'x' },
    });
    expect(textOf(blocked)).toContain('Disallowed tools');
    expect(existsSync(join(where.folder, 'never'))).toBe(false);

    const decided = gate.events('call.decided');
    expect(
      decided.map((event) => [
        event['toolgate.tool'],
        event['toolgate.policy.decision'],
        event['toolgate.policy.would'],
        event['toolgate.alerts'],
      ]),
    ).toEqual([
      ['list_directory', 'allow', undefined, ['Alert on reads']],
      ['create_directory', 'allow', 'block', undefined],
      ['write_file', 'block', undefined, undefined],
    ]);
  });

  test('a disallowed agent is discovered once, with an alert, and its calls are blocked', async () => {
    const where = scratch();
    const gate = await startGate({ where, servers: servers(where.folder), policies, clientName: 'Bad Bot' });
    expect(
      textOf(await gate.client.callTool({ name: 'files__list_directory', arguments: { path: where.folder } })),
    ).toContain('Unsanctioned agents do nothing');
    const discovered = gate.events('agent.discovered');
    expect(discovered).toHaveLength(1);
    expect(discovered[0]).toMatchObject({
      'gen_ai.agent.name': 'Bad Bot',
      'toolgate.agent.status': 'Disallowed',
      'toolgate.agent.strength': 'claimed',
      'toolgate.alerts': ['Alert when an unsanctioned agent is discovered'],
    });
  });
});
