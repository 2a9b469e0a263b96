import { writeFileSync } from 'node:fs';
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
  ]);
  expect(out).toContain('did you mean "amount"?');
  expect((await run(where, ['policy', 'check', '--strict'])).code).toBe(1);
  expect((await run(where, ['agents', 'register', 'Cursor'])).code).toBe(0);
  expect((await run(where, ['policy', 'check'])).out).not.toContain('the agent "Cursor"');
});

test('a store that can’t be used hides no mistake', async () => {
  const where = scratch();
  writeFileSync(join(where.config, 'servers.json'), '{"mcpServers":{}}');
  writeFileSync(join(where.config, 'policies.yaml'), 'policies: []');
  const checked = await run({ ...where, state: '/proc/nowhere' }, ['policy', 'check']);
  expect(checked.code).toBe(0);
  expect(checked.err).toContain("the store in /proc/nowhere can't be used");
});
