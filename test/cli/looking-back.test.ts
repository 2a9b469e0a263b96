import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { folder, linear, open, say } from '../support/approvals.ts';
import { connectGate, eventually, readEvents, run, startGate } from '../support/gate.ts';
import { house, toolUse } from '../support/hooks.ts';
import type { Scratch } from '../support/scratch.ts';

const POLICIES = `version: 1
policies:
  - name: No deletes
    if: { integration: Linear, operation: Delete }
    action: block
  - name: After a look
    if: { operation: Write, session has: { tool: Get issue } }
    action: alert
  - name: Secret
    if: { args: { token: "x*" } }
    action: alert
  - name: Never
    enabled: false
    if: { integration: GitHub }
    action: block
`;

/** A folder in whose log six calls of two agents stand. */
async function past(): Promise<Scratch> {
  const where = folder();
  const { server } = linear(where);
  const gate = await startGate({ where, servers: { linear: server }, policies: POLICIES });
  await gate.client.listTools();
  const call = (name: string, args: object) =>
    gate.client.callTool({ name: `linear__${name}`, arguments: { ...args } });
  for (const title of ['a', 'b', 'c']) await call('create_issue', { title });
  await call('get_issue', { id: 'ENG-1' });
  await call('create_issue', { title: 'd', token: 'x-very-secret' });
  await call('delete_issue', { id: 'ENG-1' });
  const other = await connectGate(where, { clientName: 'Other' });
  await other.client.callTool({ name: 'linear__list_issues', arguments: {} });
  await eventually(() => readEvents(where.state, 'call.decided').length === 7);
  return where;
}

describe('looking back', () => {
  test('replay: nothing differs under the same policies', async () => {
    const where = await past();
    const { code, out } = await run(where, ['policy', 'replay']);
    expect(out).toMatch(/^7 calls since .*: all judged as they were/);
    expect(code).toBe(0);
    // The masked argument makes one alert uncertain, and no decision.
    expect(JSON.parse((await run(where, ['policy', 'replay', '--json'])).out)).toMatchObject({ calls: 7, changes: [] });
  });

  test('replay against another file: what would be judged otherwise, by whom, with examples', async () => {
    const where = await past();
    const stricter = join(where.folder, 'stricter.yaml');
    writeFileSync(
      stricter,
      `version: 1
policies:
  - name: Ask for titles
    if: { integration: Linear, tool: Create issue, args: { title: [a, d] } }
    action: require approval
  - name: Secret
    if: { args: { token: "x*" } }
    action: block
  - name: Not so many
    if: { operation: Write, rate: { over: 2, within: 1h } }
    action: block
`,
    );
    const { code, out } = await run(where, ['policy', 'replay', '--against', stricter, '--since', '1h', '--json']);
    expect(code).toBe(1);
    const { calls, cantTell, changes } = JSON.parse(out);
    expect(calls).toBe(7);
    expect(cantTell).toBe(1);
    const brief = changes.map((each: any) => [each.from, each.to, each.was, each.by, each.calls, each.cantTell]);
    expect(brief.sort()).toEqual([
      ['allow', 'block', '(default: action)', 'Not so many', 1, 0],
      ['allow', 'block', '(default: action)', 'Secret', 1, 1],
      ['allow', 'require approval', '(default: action)', 'Ask for titles', 1, 0],
      ['block', 'allow', 'No deletes', '(default: action)', 1, 0],
    ]);
    const words = (await run(where, ['policy', 'replay', '--against', stricter])).out;
    expect(words).toContain(`1  allow → require approval\n          now by  Ask for titles (${stricter}:3)\n`);
    expect(words).toContain('tools   Linear · Create issue 1');
    expect(words).toMatch(/such as [0-9A-Z]{26} {2}20/);
    writeFileSync(stricter, 'policies: [{ name: x, action: blok }]');
    expect(await run(where, ['policy', 'replay', '--against', stricter])).toMatchObject({
      code: 3,
      err: expect.stringContaining(`${stricter}:1:31 error: "blok" is not an action`),
    });
    expect((await run(where, ['policy', 'replay', '--against', 'none.yaml'])).code).toBe(3);
    expect((await run(where, ['policy', 'replay', '--since', 'yesterday'])).code).toBe(2);
  });

  test('suggest: a file that can be used, allows what was normal and asks about the rest', async () => {
    const where = await past();
    const { code, out } = await run(where, ['policy', 'suggest']);
    expect(code).toBe(0);
    expect(out).toContain('# 4 calls by test-client, the last on 20');
    writeFileSync(join(where.config, 'policies.yaml'), out);
    expect(await run(where, ['policy', 'check'])).toMatchObject({ code: 0, out: '' });
    expect(await run(where, ['policy', 'test'])).toMatchObject({ code: 0 });
    for (const [call, expected] of [
      ['linear/create_issue', 'allow'],
      ['linear/get_issue', 'allow'],
      ['linear/delete_issue', 'require approval'],
      ['linear/update_issue', 'require approval'],
      ['github/get_file_contents', 'require approval'],
    ] as const)
      expect(JSON.parse((await run(where, ['policy', 'explain', call, '--json'])).out).decision.effect).toBe(expected);
    expect((await run(where, ['policy', 'suggest', '--least', '5'])).out).toContain(
      '#   Linear · Create issue [Write], 4 calls by test-client',
    );
    expect((await run(where, ['policy', 'suggest', '--least', 'x'])).code).toBe(2);
    const empty = folder();
    writeFileSync(join(empty.config, 'servers.json'), '{"mcpServers":{}}');
    expect(await run(empty, ['policy', 'suggest'])).toMatchObject({ code: 1, out: '' });
  });

  test('suggest: what people denied is not normal', async () => {
    const where = folder();
    const { server } = linear(where);
    const ask = 'policies:\n  - { name: Ask, if: { operation: Write }, action: require approval }\n';
    const gate = await startGate({ where, servers: { linear: server }, policies: ask });
    await gate.client.listTools();
    for (const title of ['a', 'b', 'c']) {
      const held = gate.client.callTool({ name: 'linear__create_issue', arguments: { title } });
      await say(gate, 'deny', (await open(gate))[0].code);
      await held;
    }
    await gate.client.callTool({ name: 'linear__get_issue', arguments: {} });
    const { out } = await eventually(async () => {
      const ran = await run(where, ['policy', 'suggest']);
      return ran.code === 0 && ran;
    });
    expect(out).not.toContain('Create issue');
  });

  test('show: every policy with its place, the defaults, and how much each covers', async () => {
    const where = await past();
    const { code, out } = await run(where, ['policy', 'show']);
    expect(code).toBe(0);
    expect(out).toMatch(
      /No deletes {2}policies\.yaml:3\n {4}block if integration: Linear and operation: Delete\n {4}covers \d+ tools of Linear\n/,
    );
    expect(out).toContain('Never  policies.yaml:12  (not enabled)\n    block if integration: GitHub\n');
    expect(out).toContain(
      '(default: unclassified tool)  defaults\n    require approval and nobody knows what the tool does',
    );
    const { policies } = JSON.parse((await run(where, ['policy', 'show', '--json'])).out);
    expect(policies.map(({ policy }: { policy: string }) => policy)).toEqual([
      'No deletes',
      'After a look',
      'Secret',
      'Never',
      'toolgate protects itself',
      '(default: action)',
      '(default: unclassified tool)',
    ]);
    expect(policies[0].covers.Linear).toBeGreaterThan(3);
  });

  test('explain: as if it were then, there, by somebody, after something', async () => {
    const where = folder();
    writeFileSync(join(where.config, 'servers.json'), '{"mcpServers":{}}');
    writeFileSync(
      join(where.config, 'policies.yaml'),
      `policies:
  - { name: Night, if: { tool: Create issue, time: { inside: "22:00-06:00", zone: UTC } }, action: block }
  - { name: Mail, if: { tool: Create issue, session has: { integration: Gmail } }, action: block }
  - { name: Root, if: { tool: Create issue, user: root2 }, action: block }
  - { name: Secret, if: { tool: Create issue, workspace: /srv/secret }, action: block }
  - { name: Rate, if: { tool: Create issue, rate: { over: 0, within: 1m } }, action: alert }
`,
    );
    const explain = (...flags: string[]) => run(where, ['policy', 'explain', 'linear/create_issue', ...flags]);
    const noon = ['--at', '2026-11-23T12:00:00Z'];
    const free = await explain(...noon);
    expect(free).toMatchObject({ code: 0 });
    expect(free.out).toContain('✗ time: inside 22:00-06:00, UTC   (Mon 12:00 in UTC)');
    expect(free.out).toContain('✓ rate: over 0 within 1m per agent   (call 1)');
    expect((await explain('--at', '2026-11-23T23:30:00Z')).out).toContain('decision: block, by Night');
    expect((await explain(...noon, '--before', 'gmail/search_threads')).out).toContain('decision: block, by Mail');
    expect((await explain(...noon, '--user', 'root2')).out).toContain('decision: block, by Root');
    expect((await explain(...noon, '--workspace', '/srv/secret/x')).out).toContain('decision: block, by Secret');
    expect(await explain('--at', 'noon')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--at must be an instant'),
    });
    expect(await explain('--before', 'nobody/nothing')).toMatchObject({ code: 2 });
  });

  test('an alert goes to the channels that its policy names', async () => {
    const where = folder();
    const { server } = linear(where);
    const gate = await startGate({
      where,
      servers: { linear: server },
      policies: `channels: { desktop: true, slack: { webhook: "\${env:NOT_SET}" } }
policies:
  - { name: One, if: { tool: get_issue }, action: alert, alert: { channel: slack, severity: high } }
  - { name: All, if: { tool: get_issue }, action: alert }
`,
    });
    await gate.client.listTools();
    await gate.client.callTool({ name: 'linear__get_issue', arguments: {} });
    const alerts = JSON.parse((await run(where, ['alerts', '--json'])).out) as any[];
    const told = Object.fromEntries(
      alerts.map((alert) => [alert.policy, [alert.severity, alert.deliveries.map(({ channel }: any) => channel)]]),
    );
    expect(told).toEqual({ One: ['high', ['slack']], All: ['medium', ['desktop', 'slack']] });
  });

  test('why: the rules of that time, condition by condition, whatever they are now', async () => {
    const where = await past();
    const blocked = readEvents(where.state, 'call.decided').find(
      (event) => event['toolgate.policy.decision'] === 'block',
    )!;
    writeFileSync(join(where.config, 'policies.yaml'), 'policies: []');
    const { out } = await run(where, ['log', 'why', blocked['call_id']]);
    expect(out).toContain(`▶ No deletes  [block]  policies.yaml:3  applies, and decides
    ✓ integration: Linear   (Linear)
    ✓ operation: Delete   (Delete)
○ After a look  [alert]  policies.yaml:6  near miss: all but operation: Write
    ✗ operation: Write   (Delete)
    ✓ session has: tool: Get issue   (Linear · Get issue)
`);
    const masked = readEvents(where.state, 'call.decided').find((event) => event['toolgate.arguments.digest'])!;
    const why = await run(where, ['log', 'why', masked['call_id']]);
    expect(why.out).toContain('? args.token: "x*"   (unreadable: the log does not hold it whole)  can\'t tell');
    const { explained } = JSON.parse((await run(where, ['log', 'why', blocked['call_id'], '--json'])).out);
    expect(explained.policies[0]).toMatchObject({ policy: 'No deletes', applies: true, decides: true });
  });
});

describe('looking back at commands', () => {
  /** Five commands that a hook let through, the last with a secret in it. */
  async function commands(): Promise<Scratch> {
    const where = house('defaults: { unclassified: allow }\npolicies: []');
    for (const line of [
      'git status && git push origin main',
      'git push origin feat/x',
      'make',
      'eval "$X"',
      'git push https://u:ghp_0123456789abcdefghijABCDEFGHIJ012345@example.com/x main',
    ])
      await where.hook('claude-code', toolUse('Bash', { command: line }, where.repository));
    return where;
  }

  test('replay reads the whole line again, and tells what the record does not hold', async () => {
    const where = await commands();
    const stricter = join(where.folder, 'stricter.yaml');
    writeFileSync(
      stricter,
      `defaults: { opaque_commands: block, unclassified: allow }
policies:
  - name: No pushes to main
    if: { integration: Git, tool: Push, args: { branch: main } }
    action: block
`,
    );
    const { out } = await run(where, ['policy', 'replay', '--against', stricter, '--json']);
    const { calls, changes } = JSON.parse(out);
    expect(calls).toBe(5);
    const brief = changes.map((each: any) => [each.from, each.to, each.by, each.calls, each.cantTell, each.tools]);
    // The address with the secret is not in the record: where that push went nobody can tell.
    expect(brief.sort()).toEqual([
      ['allow', 'block', '(default: opaque commands)', 1, 1, { make: 1 }],
      ['allow', 'block', 'No pushes to main', 1, 1, { 'any integration · unresolved command': 1 }],
      ['allow', 'block', 'No pushes to main', 2, 1, { 'Git · Push': 2 }],
    ]);
  });

  test('the log is searched, and policies are suggested, by each command of a line', async () => {
    const where = await commands();
    const reads = await run(where, ['log', 'list', '--integration', 'git', '--operation', 'Read']);
    expect(reads.out.trim().split('\n')).toHaveLength(1);
    expect(reads.out).toContain('Git · Push [Write]');
    expect((await run(where, ['log', 'list', '--operation', 'Delete'])).out).not.toContain('Git');
    const suggested = (await run(where, ['policy', 'suggest', '--least', '1'])).out;
    expect(suggested).toContain('Reads of Git');
    expect(suggested).toContain('Usual changes of Git');
  });

  test('why: each command of the line by itself', async () => {
    const where = await commands();
    const [line, , make] = readEvents(where.state, 'call.decided');
    const why = await run(where, ['log', 'why', line!['call_id']]);
    expect(why.out).toMatch(/Git · Push \[Write\] +\(default: action\)/);
    expect(why.out).toContain(`  ${line!['call_id']}
    agent        Claude Code (claimed, Unreviewed)
    tool         git status on the shell, review status Unreviewed
    operation    Read (catalog)
    tool         git push on the shell, review status Unreviewed
    operation    Write (catalog)
    arguments    {"command":"git status && git push origin main"}
    policy       (default: action) [allow]
    rules `);
    expect(why.out).toContain(`Claude Code (claimed, Unreviewed) calls Git · Push (Unreviewed)
  operation: Write (catalog: git push in the catalog's commands)

decision: allow, by (default: action)

of all that the line does the strictest decides: allow
`);
    expect((await run(where, ['log', 'why', make!['call_id']])).out).toContain(
      '\nmake: for code that is not in the line defaults.opaque_commands rules\n',
    );
  });
});
