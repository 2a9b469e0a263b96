import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { folder, holdingGate, linear, open, say } from '../support/approvals.ts';
import { connectGate, eventually, readEvents, run, startGate, textOf } from '../support/gate.ts';

const create = (title: string) => ({ name: 'linear__create_issue', arguments: { title } });
const remove = (id: string) => ({ name: 'linear__delete_issue', arguments: { id } });
const get = { name: 'linear__get_issue', arguments: { id: 'ENG-1' } };

describe('a rate', () => {
  const BRAKE = `version: 1
policies:
  - name: Brake
    if: { operation: [Write, Delete], rate: { over: 5, within: 1h } }
    action: block
`;

  test('is shared by all gates of a store: of twenty calls at once on two, exactly five run', async () => {
    const where = folder();
    const { server, ran } = linear(where);
    const first = await startGate({ where, servers: { linear: server }, policies: BRAKE });
    const second = await connectGate(where);
    await Promise.all([first.client.listTools(), second.client.listTools()]);
    const results = await Promise.all(
      [first, second].flatMap(({ client, pid }) =>
        Array.from({ length: 10 }, (_, index) => client.callTool(create(`${pid} ${index}`))),
      ),
    );
    expect(results.filter(({ isError }) => isError !== true)).toHaveLength(5);
    expect(ran().filter(({ name }) => name === 'create_issue')).toHaveLength(5);
    const refused = results.filter(({ isError }) => isError === true).map(textOf);
    expect(refused).toHaveLength(15);
    for (const text of refused) expect(text).toContain('the policy "Brake" blocks it');
    // Reads aren't counted, and aren't braked.
    expect((await second.client.callTool(get)).isError).toBeFalsy();
    // Another name is only claimed: it brings no counters of its own. A registered agent has them.
    const other = await connectGate(where, { clientName: 'Other' });
    expect((await other.client.callTool(create('x'))).isError).toBe(true);
    const { out } = await run(where, ['agents', 'register', 'Cursor', '--json']);
    const sure = await connectGate(where, {
      args: ['--agent', 'Cursor'],
      env: { TOOLGATE_AGENT_KEY: JSON.parse(out).key },
    });
    expect((await sure.client.callTool(create('y'))).isError).toBeFalsy();
  });

  test('counts only calls that run: one that was denied is given back, and one that waits is not counted twice', async () => {
    const gate = await holdingGate({
      policies: `version: 1
policies:
  - { name: Ask, if: { operation: Delete }, action: require approval }
  - { name: Once, if: { operation: Delete, rate: { over: 1, within: 1h } }, action: block }
`,
    });
    const first = gate.client.callTool(remove('1'));
    await say(gate, 'deny', (await open(gate))[0].code);
    expect((await first).isError).toBe(true);
    const second = gate.client.callTool(remove('2'));
    const [asked] = await eventually(async () => {
      const list = await open(gate);
      return list.length > 0 && list;
    });
    await say(gate, 'approve', asked.code);
    expect(textOf(await second)).toBe('{"id":"2"}');
    const third = await gate.client.callTool(remove('3'));
    expect(textOf(third)).toContain('the policy "Once" blocks it');
    expect(gate.ran().map(({ arguments: args }) => args.id)).toEqual(['2']);
  });
});

describe('what a session did before', () => {
  const FLOW = `version: 1
policies:
  - name: Nothing is written once it was read
    if: { operation: Write, session has: { operation: Read, integration: Linear } }
    action: block
`;

  test('counts for that session alone, and from the moment at which it was allowed', async () => {
    const where = folder();
    const { server } = linear(where);
    const gate = await startGate({ where, servers: { linear: server }, policies: FLOW });
    await gate.client.listTools();
    expect((await gate.client.callTool(create('before'))).isError).toBeFalsy();
    // On its way is as good as done.
    const [read, written] = await Promise.all([gate.client.callTool(get), gate.client.callTool(create('at once'))]);
    expect(read.isError).toBeFalsy();
    expect(textOf(written)).toContain('the policy "Nothing is written once it was read" blocks it');
    expect((await gate.client.callTool(create('after'))).isError).toBe(true);
    const other = await connectGate(where);
    await other.client.listTools();
    expect((await other.client.callTool(create('elsewhere'))).isError).toBeFalsy();
  });

  test('what only waits loosens nothing yet', async () => {
    const where = folder();
    const { server, ran } = linear(where);
    const gate = await startGate({
      where,
      servers: { linear: server },
      policies: `version: 1
policies:
  - { name: Look first, if: { operation: Write }, unless: { session has: { tool: get_issue } }, action: block }
  - { name: Looking is asked, if: { tool: get_issue }, action: require approval }
`,
    });
    await gate.client.listTools();
    const looking = gate.client.callTool(get);
    const [asked] = await open(gate);
    expect(textOf(await gate.client.callTool(create('early')))).toContain('the policy "Look first" blocks it');
    await say(gate, 'approve', asked.code);
    await looking;
    expect((await gate.client.callTool(create('late'))).isError).toBeFalsy();
    expect(ran().map(({ name }) => name)).toEqual(['get_issue', 'create_issue']);
  });

  test('a call that was refused was not done', async () => {
    const where = folder();
    const { server } = linear(where);
    const gate = await startGate({
      where,
      servers: { linear: server },
      policies: `${FLOW}  - { name: No reads, if: { tool: get_issue }, action: block }\n`,
    });
    await gate.client.listTools();
    expect((await gate.client.callTool(get)).isError).toBe(true);
    expect((await gate.client.callTool(create('still'))).isError).toBeFalsy();
  });
});

test('the folders that a client names are workspaces too, and may only restrict', async () => {
  const where = folder();
  const { server } = linear(where);
  const policies = `version: 1
defaults: { unclassified: allow }
policies:
  - { name: Not there, if: { workspace: /srv/secret, tool: get_issue }, action: block }
  - { name: Ask, if: { tool: list_issues }, unless: { workspace: /srv/open }, action: block }
`;
  const gate = await startGate({
    where,
    servers: { linear: server },
    policies,
    roots: ['file:///srv/secret/deep', 'file:///srv/open'],
  });
  await gate.client.listTools();
  expect(textOf(await gate.client.callTool(get))).toContain('the policy "Not there" blocks it');
  const list = { name: 'linear__list_issues', arguments: {} };
  expect(textOf(await gate.client.callTool(list))).toContain('the policy "Ask" blocks it');
  const silent = await connectGate(where);
  await silent.client.listTools();
  expect((await silent.client.callTool(get)).isError).toBeFalsy();
});

test('the folder that a client works in is its workspace', async () => {
  const where = folder();
  const secret = join(where.folder, 'secret', 'deep');
  mkdirSync(secret, { recursive: true });
  const { server } = linear(where);
  const policies = 'version: 1\npolicies:\n  - { name: Not there, if: { workspace: ~/secret }, action: block }\n';
  const inside = await startGate({ where, servers: { linear: server }, policies, cwd: secret });
  await inside.client.listTools();
  expect(textOf(await inside.client.callTool(get))).toContain('the policy "Not there" blocks it');
  const outside = await connectGate(where, { cwd: where.folder });
  await outside.client.listTools();
  expect((await outside.client.callTool(get)).isError).toBeFalsy();
  await eventually(() => readEvents(where.state, 'call.decided').length === 2);
});
