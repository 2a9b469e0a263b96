import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { folder } from '../support/approvals.ts';
import { run, startGate } from '../support/gate.ts';
import { scratch } from '../support/scratch.ts';
import { scripted } from '../support/servers.ts';

const POLICIES = `version: 1
reviewers: { bob: { os: nobody-here } }
policies:
  - { name: Gone, if: { user: root }, action: block, expires: "2020-01-01" }
  - { name: Amount, if: { server: shop, tool: pay, args: { amount: { over: 5 }, amuont: 3 } }, action: block }
  - { name: Sure, if: { server: shop, agent: Cursor }, action: allow }
  - { name: Except, if: { server: shop }, unless: { agent: Cursor, any: [{ not: { agent: Zed } }] }, action: block }
  - { name: Bob, if: { server: shop, tool: pay }, action: require approval, approval: { reviewers: [bob] } }
  - { name: Told, if: { server: shop, args: { amount: { over: 5, missing: match } } }, action: alert }
  - { name: Off, if: { args: { nothing: 1 } }, action: alert, enabled: false }
`;

test('policy check knows what this machine has: tools with their arguments, agents, reviewers, channels, the date', async () => {
  const where = folder();
  const pay = {
    name: 'pay',
    inputSchema: { type: 'object', properties: { amount: {}, to: {} }, required: ['to'] },
  };
  const gate = await startGate({ where, servers: { shop: scripted({ tools: [pay] }) }, policies: POLICIES });
  await gate.client.listTools();
  const { code, out } = await run(where, ['policy', 'check']);
  expect(code).toBe(0);
  const lines = out.split('\n').filter((line) => /^\S/.test(line));
  expect(lines).toEqual([
    expect.stringMatching(/^policies\.yaml:4:1 warning: "Gone": it expired on 2020-01-02 .*, so it no longer applies$/),
    'policies.yaml:5:1 warning: "Amount": shop/pay has no argument "amuont", so this never applies',
    'policies.yaml:5:1 warning: "Amount": "amount" is optional in shop/pay: calls without it are not covered',
    'policies.yaml:6:1 warning: "Sure": the agent "Cursor" counts here only if it is registered, and none is by that name',
    'policies.yaml:7:1 warning: "Except": the agent "Cursor" counts here only if it is registered, and none is by that name',
    expect.stringMatching(
      /^policies\.yaml:8:1 warning: "Bob": such a call is denied at once: .*can answer on this machine$/,
    ),
    'policies.yaml:9:1 warning: "Told": its alerts are only written down: no channel is set up',
    'servers.json:1:16 warning: "shop" is not recognised: its key is taken as its integration, and its tools are judged by their names',
  ]);
  expect(out).toContain('did you mean "amount"?');
  expect((await run(where, ['policy', 'check', '--strict'])).code).toBe(1);
  expect((await run(where, ['agents', 'register', 'Cursor'])).code).toBe(0);
  expect((await run(where, ['policy', 'check'])).out).not.toContain('the agent "Cursor"');
});

test('policy check reads the files of tests too, and says what is not UTF-8 or not set', async () => {
  const where = scratch();
  writeFileSync(join(where.config, 'servers.json'), '{"mcpServers":{}}');
  writeFileSync(
    join(where.config, 'policies.yaml'),
    'channels: { slack: { webhook: "${env:NOT_SET_HERE}" } }\npolicies: [{ name: Tell, if: { operation: Write }, action: alert }]',
  );
  mkdirSync(join(where.config, 'tests'));
  writeFileSync(
    join(where.config, 'tests', 'a.yaml'),
    'tests:\n  - { call: github/create_issue, expect: block }\n  - { call: github/list_isues, expect: allow }\n',
  );
  writeFileSync(join(where.config, 'tests', 'b.yaml'), '- broken\n');
  const { code, out } = await run(where, ['policy', 'check']);
  expect(code).toBe(0);
  expect(out).toContain(
    'tests/a.yaml:2:1 warning: the test "github/create_issue → block" fails\n    expected block, got alert, by Tell',
  );
  expect(out).toContain('tests/b.yaml:1:1 warning: this must be a block of keys, not a list');
  expect(out).toContain("its alerts don't reach Slack: NOT_SET_HERE is not set");
  const tested = await run(where, ['policy', 'test', join(where.config, 'tests', 'a.yaml')]);
  expect(tested.out).toContain('the catalog knows no tool "list_isues" of GitHub: did you mean "list_issues"?');
  writeFileSync(
    join(where.config, 'policies.yaml'),
    Buffer.from('policies: [{ name: caf\u00e9, action: block }]', 'latin1'),
  );
  expect(await run(where, ['policy', 'check'])).toMatchObject({
    code: 1,
    out: expect.stringContaining('is not written in UTF-8\n    save it as UTF-8'),
  });
  for (const since of ['7', '2099-01-01'])
    expect((await run(where, ['policy', 'replay', '--since', since])).code).toBe(2);
  expect((await run(where, ['policy', 'explain', 'github/create_issue', '--at', '2026-02-31T10:00:00Z'])).code).toBe(2);
});

test('explain offers the tools of the server that is meant, not those of another that serves the same integration', async () => {
  const where = scratch();
  const git = { command: 'uvx', args: ['mcp-server-git'] };
  writeFileSync(join(where.config, 'servers.json'), JSON.stringify({ mcpServers: { git } }));
  writeFileSync(join(where.config, 'policies.yaml'), 'policies: []');
  const pushed = await run(where, ['policy', 'explain', 'git/git_push']);
  expect(pushed.err).toContain('no tool "git_push" of git is known; it is judged by its name');
  const misspelt = await run(where, ['policy', 'explain', 'git/git_comit']);
  expect(misspelt.err).toContain('no tool "git_comit" of git is known: did you mean "git_commit"?');
});

test('a store that can’t be used hides no mistake', async () => {
  const where = scratch();
  writeFileSync(join(where.config, 'servers.json'), '{"mcpServers":{}}');
  writeFileSync(join(where.config, 'policies.yaml'), 'policies: []');
  const checked = await run({ ...where, state: '/proc/nowhere' }, ['policy', 'check']);
  expect(checked.code).toBe(0);
  expect(checked.err).toContain("the store in /proc/nowhere can't be used");
});
