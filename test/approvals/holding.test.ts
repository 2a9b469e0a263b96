import { mkdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ASK_BEFORE_DELETING, approvals, deleteIssue, folder, holdingGate, open, say } from '../support/approvals.ts';
import { eventually, readEvents, run, textOf } from '../support/gate.ts';
import type { Scratch } from '../support/scratch.ts';
import { terminal } from '../support/terminal.ts';
import { TIMED } from '../support/timed.ts';

const policies = (extra: string, more = '') => `version: 1
${more}policies:
  - name: Require human approval before deleting a Linear issue
    if: { integration: Linear, tool: Delete issue }
    action: require approval
${extra}`;

const rewrite = (where: Scratch, text: string) => writeFileSync(join(where.config, 'policies.yaml'), text);

/** The error of a call whose client has stopped waiting. */
const gaveUp = expect.objectContaining({ message: expect.stringMatching(/timed out|aborted/i) });

describe('"Require human approval before deleting a Linear issue"', () => {
  test('a call waits, runs once when it is approved, with the arguments that were shown', async () => {
    const gate = await holdingGate();
    expect(
      (await gate.client.callTool({ name: 'linear__get_issue', arguments: { id: 'ENG-12' } })).isError,
    ).toBeFalsy();
    const held = gate.client.callTool({ ...deleteIssue(), _meta: { 'x/trace': '1' } });
    const [asked] = await open(gate);
    expect(asked).toMatchObject({
      state: 'open',
      nobodyWaiting: false,
      subject: {
        integration: 'Linear',
        tool: 'Delete issue',
        operation: 'Delete',
        arguments: { id: 'ENG-12' },
        complete: true,
      },
      requirements: [{ policy: 'Require human approval before deleting a Linear issue', approvals: 1 }],
    });
    expect(gate.ran().map(({ name }) => name)).toEqual(['get_issue']);
    expect(await say(gate, 'approve', asked.code)).toMatchObject({ code: 0 });
    expect(textOf(await held)).toBe('{"id":"ENG-12"}');
    expect(gate.ran().slice(1)).toEqual([{ name: 'delete_issue', arguments: { id: 'ENG-12' } }]);
    expect(await approvals(gate, '--all')).toMatchObject([{ code: asked.code, state: 'used' }]);
    await eventually(() => readEvents(gate.state, 'call.completed').length === 2);
    expect(
      gate
        .events()
        .map(({ type }) => type)
        .filter((type) => /^approval/.test(type)),
    ).toEqual(['approval.requested', 'approval.approved', 'approval.used']);
    // A second time it is asked anew: an approval is spent with its call.
    const again = gate.client.callTool(deleteIssue());
    const [next] = await open(gate);
    expect(next.code).not.toBe(asked.code);
    await say(gate, 'deny', next.code);
    expect((await again).isError).toBe(true);
    expect(gate.ran()).toHaveLength(2);
  });

  test('a call that is denied does not run, and the agent is told by whom and why', async () => {
    const gate = await holdingGate();
    const held = gate.client.callTool(deleteIssue());
    const [asked] = await open(gate);
    await say(gate, 'deny', asked.code, { reason: 'It is still needed' });
    const result = await held;
    expect(result.isError).toBe(true);
    expect(textOf(result)).toMatch(
      /was not run.*asks a person first, and it was denied by .*, who says: "It is still needed" Do not try/,
    );
    expect(gate.ran()).toEqual([]);
    expect((await say(gate, 'approve', asked.code)).code).toBe(1);
    expect(await approvals(gate, '--all')).toMatchObject([{ state: 'denied' }]);
  });

  test('a call that nobody decides in time does not run', async () => {
    const gate = await holdingGate({ policies: policies('    approval: { timeout: 1s }\n') });
    const result = await gate.client.callTool(deleteIssue());
    expect(textOf(result)).toMatch(/nobody answered .{4} in time/);
    const [ended] = await eventually(async () => {
      const all = await approvals(gate, '--all');
      return all[0]?.state === 'expired' && all;
    });
    expect(await say(gate, 'approve', ended.code)).toMatchObject({
      code: 1,
      err: expect.stringContaining('nobody decided in time'),
    });
    expect(gate.ran()).toEqual([]);
  });

  test('an approval while nobody waits runs nothing by itself; the same call then uses it, once', async () => {
    const gate = await holdingGate();
    await expect(gate.client.callTool(deleteIssue(), undefined, { timeout: 300 })).rejects.toEqual(gaveUp);
    const [asked] = await eventually(async () => {
      const found = await open(gate);
      return found[0].nobodyWaiting && found;
    });
    expect((await say(gate, 'approve', asked.code)).err).toContain('nobody is waiting');
    expect(gate.ran()).toEqual([]);
    expect(textOf(await gate.client.callTool(deleteIssue()))).toBe('{"id":"ENG-12"}');
    expect(gate.ran()).toHaveLength(1);
    const third = gate.client.callTool(deleteIssue());
    const [next] = await open(gate);
    await say(gate, 'deny', next.code);
    expect((await third).isError).toBe(true);
    expect(gate.ran()).toHaveLength(1);
  });

  test('after the limit of its client the agent is told to call again, and the same call waits for the same answer', async () => {
    const gate = await holdingGate({ args: ['--hold', '1s'] });
    const told: unknown[] = [];
    const first = await gate.client.callTool(deleteIssue(), undefined, {
      onprogress: (progress) => told.push(progress),
    });
    const [asked] = await open(gate);
    expect(first.isError).toBe(true);
    expect(first.structuredContent).toBeUndefined();
    expect(textOf(first)).toMatch(
      new RegExp(
        `^toolgate: pending ${asked.code}: Linear · Delete issue was not run: .* asks a person first, and waits.*call again with the same arguments`,
      ),
    );
    expect(first._meta).toMatchObject({ 'toolgate/decision': { approval: asked.code, decision: 'require approval' } });
    expect(told).toEqual([
      { progress: 1, message: expect.stringMatching(new RegExp(`Waiting for approval by .* \\(${asked.code}\\)`)) },
    ]);
    expect(textOf(await gate.client.callTool(deleteIssue()))).toContain(`pending ${asked.code}`);
    await say(gate, 'approve', asked.code);
    expect(textOf(await gate.client.callTool(deleteIssue()))).toBe('{"id":"ENG-12"}');
    expect(gate.ran()).toHaveLength(1);
    expect(readEvents(gate.state, 'approval.requested')).toHaveLength(1);
  });

  test('arguments that differ by one character are asked anew', async () => {
    const gate = await holdingGate({ args: ['--hold', '1s'] });
    await gate.client.callTool(deleteIssue('ENG-12'));
    const [asked] = await open(gate);
    await say(gate, 'approve', asked.code);
    expect(textOf(await gate.client.callTool(deleteIssue('ENG-13')))).toContain('pending');
    expect(gate.ran()).toEqual([]);
    expect((await open(gate))[0].subject.arguments).toEqual({ id: 'ENG-13' });
  });

  test('two calls alike that wait at once have each their own answer', async () => {
    const gate = await holdingGate();
    const held = [gate.client.callTool(deleteIssue()), gate.client.callTool(deleteIssue())];
    const asked = await open(gate, 2);
    await say(gate, 'approve', asked[0].code);
    await say(gate, 'deny', asked[1].code);
    const results = await Promise.all(held);
    expect(results.filter(({ isError }) => isError === true)).toHaveLength(1);
    expect(gate.ran()).toHaveLength(1);
  });
});

describe('the rules change while it waits', () => {
  test('a policy that blocks it now ends the wait: not run', async () => {
    const gate = await holdingGate();
    const held = gate.client.callTool(deleteIssue());
    const [asked] = await open(gate);
    rewrite(gate, ASK_BEFORE_DELETING.replace('Require human approval\n', 'block\n'));
    expect(textOf(await held)).toContain(
      'while it waited for a person, the policy "Require human approval before deleting a Linear issue" came to block it.',
    );
    expect(await say(gate, 'approve', asked.code)).toMatchObject({ code: 1 });
    expect(gate.ran()).toEqual([]);
  });

  test('a policy that allows it now lets it run', async () => {
    const gate = await holdingGate();
    const held = gate.client.callTool(deleteIssue());
    await open(gate);
    rewrite(gate, 'version: 1\npolicies: []\n');
    expect(textOf(await held)).toBe('{"id":"ENG-12"}');
    expect(gate.ran()).toHaveLength(1);
    expect(await approvals(gate, '--all')).toMatchObject([{ state: 'used' }]);
  });

  test('approved while nobody waits, then blocked: the same call is blocked', async () => {
    const gate = await holdingGate({ args: ['--hold', '1s'] });
    await gate.client.callTool(deleteIssue());
    const [asked] = await open(gate);
    await say(gate, 'approve', asked.code);
    const rules = readEvents(gate.state, 'rules.changed').length;
    rewrite(gate, ASK_BEFORE_DELETING.replace('Require human approval\n', 'block\n'));
    await eventually(() => readEvents(gate.state, 'rules.changed').length > rules);
    // The gate may not have read the change yet: then it does so before it would use the approval.
    expect(textOf(await gate.client.callTool(deleteIssue()))).toMatch(/(blocks|came to block) it/);
    expect(gate.ran()).toEqual([]);
  });

  test('approved by one, then the policy asks for another: asked anew', async () => {
    const people = 'reviewers:\n  alice: { os: alice }\n  bob: { os: bob }\n';
    const where = folder();
    // Keys first: someone who can't answer at all isn't asked.
    const asks = (id: string) => policies(`    approval: { reviewers: [${id}] }\n`, people);
    await say(where, 'approve', 'none', { as: 'alice' });
    await say(where, 'approve', 'none', { as: 'bob' });
    const gate = await holdingGate({ where, args: ['--hold', '1s'], policies: asks('alice') });
    await gate.client.callTool(deleteIssue());
    const [asked] = await open(gate);
    expect(await say(gate, 'approve', asked.code, { as: 'alice' })).toMatchObject({ code: 0 });
    const before = readEvents(gate.state, 'rules.changed').length;
    rewrite(gate, asks('bob'));
    await eventually(() => readEvents(gate.state, 'rules.changed').length > before);
    expect(textOf(await gate.client.callTool(deleteIssue()))).toMatch(
      /it was approved, but the policy .* asks bob now. Call again/,
    );
    expect(textOf(await gate.client.callTool(deleteIssue()))).toContain('pending');
    expect(gate.ran()).toEqual([]);
    expect(await say(gate, 'approve', (await open(gate))[0].code, { as: 'alice' })).toMatchObject({
      code: 1,
      err: expect.stringContaining('not among the reviewers'),
    });
  });

  test("the tool's definition changes: what was approved no longer runs", async () => {
    const changed = { name: 'delete_issue', description: 'Deletes every issue', inputSchema: { type: 'object' } };
    const gate = await holdingGate({
      args: ['--hold', '1s'],
      script: { on: { get_issue: { tools: ['list_issues', 'get_issue', 'create_issue', changed] } } },
    });
    await gate.client.callTool(deleteIssue());
    const [asked] = await open(gate);
    await say(gate, 'approve', asked.code);
    await gate.client.callTool({ name: 'linear__get_issue', arguments: {} });
    await eventually(() => readEvents(gate.state, 'tool.definition_changed').length === 1);
    expect(textOf(await gate.client.callTool(deleteIssue()))).toContain('pending');
    expect((await open(gate))[0].code).not.toBe(asked.code);
    expect(gate.ran().map(({ name }) => name)).toEqual(['get_issue']);
  });

  test("the tool's definition changes while it waits: an approval comes too late", async () => {
    const changed = { name: 'delete_issue', description: 'Deletes every issue', inputSchema: { type: 'object' } };
    const gate = await holdingGate({
      script: { on: { get_issue: { tools: ['list_issues', 'get_issue', 'create_issue', changed] } } },
    });
    const held = gate.client.callTool(deleteIssue());
    const [asked] = await open(gate);
    await gate.client.callTool({ name: 'linear__get_issue', arguments: {} });
    await eventually(() => readEvents(gate.state, 'tool.definition_changed').length === 1);
    expect(await say(gate, 'approve', asked.code)).toMatchObject({
      code: 1,
      err: expect.stringContaining('definition has changed'),
    });
    expect((await held).isError).toBe(true);
    expect(gate.ran().map(({ name }) => name)).toEqual(['get_issue']);
  });
});

describe('who must answer', () => {
  const people = 'reviewers:\n  alice: { os: alice }\n  bob: { os: bob }\n  leads: { members: [alice, bob] }\n';

  async function withKeys(text: string, ...ids: string[]) {
    const where = folder();
    for (const id of ids) await say(where, 'deny', 'none', { as: id });
    return holdingGate({ where, policies: text });
  }

  test("two of a group: one is not enough, and the same one twice isn't either", async () => {
    const gate = await withKeys(
      policies('    approval: { reviewers: [leads], approvals: 2 }\n', people),
      'alice',
      'bob',
    );
    const held = gate.client.callTool(deleteIssue());
    const [asked] = await open(gate);
    expect((await say(gate, 'approve', asked.code, { as: 'alice' })).err).toContain('is open: 1 of 2 approved');
    expect((await say(gate, 'approve', asked.code, { as: 'alice' })).code).toBe(1);
    expect(gate.ran()).toEqual([]);
    expect((await say(gate, 'approve', asked.code, { as: 'bob' })).code).toBe(0);
    expect((await held).isError).toBeFalsy();
    expect(gate.ran()).toHaveLength(1);
  });

  test('one deny ends it, even by who had approved', async () => {
    const gate = await withKeys(
      policies('    approval: { reviewers: [leads], approvals: 2 }\n', people),
      'alice',
      'bob',
    );
    const held = gate.client.callTool(deleteIssue());
    const [asked] = await open(gate);
    await say(gate, 'approve', asked.code, { as: 'alice' });
    expect((await say(gate, 'deny', asked.code, { as: 'alice' })).code).toBe(0);
    expect((await held).isError).toBe(true);
    expect(gate.ran()).toEqual([]);
  });

  test('two policies: each wants its own reviewer, and one person counts once in each list', async () => {
    const two = `version: 1\n${people}policies:
  - name: Deleting needs alice
    if: { integration: Linear, operation: Delete }
    action: require approval
    approval: { reviewers: [alice], timeout: 5m }
  - name: Linear needs a lead
    if: { integration: Linear, tool: Delete issue }
    action: require approval
    approval: { reviewers: [leads], timeout: 2m }
`;
    const gate = await withKeys(two, 'alice', 'bob');
    const held = gate.client.callTool(deleteIssue());
    const [asked] = await open(gate);
    expect(asked.requirements.map(({ policy }: { policy: string }) => policy)).toEqual([
      'Deleting needs alice',
      'Linear needs a lead',
    ]);
    expect(asked.decideBy - asked.createdAt).toBe(120_000);
    expect((await say(gate, 'approve', asked.code, { as: 'bob' })).err).toContain('0 of 1, 1 of 1 approved');
    expect((await say(gate, 'approve', asked.code, { as: 'alice' })).code).toBe(0);
    expect((await held).isError).toBeFalsy();
  });

  test('who is not on the list is refused', async () => {
    const gate = await withKeys(policies('    approval: { reviewers: [alice] }\n', people), 'alice', 'bob');
    const held = gate.client.callTool(deleteIssue(), undefined, { timeout: 60_000 });
    const [asked] = await open(gate);
    expect(await say(gate, 'approve', asked.code, { as: 'bob' })).toMatchObject({
      code: 1,
      err: expect.stringContaining('you are not among the reviewers'),
    });
    expect(await say(gate, 'deny', asked.code, { as: 'bob' })).toMatchObject({ code: 1 });
    expect((await open(gate))[0].votes).toEqual([]);
    await say(gate, 'deny', asked.code, { as: 'alice' });
    await held;
  });

  test('a policy that wants a reason gets one', async () => {
    const gate = await withKeys(policies('    approval: { reviewers: [alice], reason: required }\n', people), 'alice');
    const held = gate.client.callTool(deleteIssue());
    const [asked] = await open(gate);
    expect(await say(gate, 'approve', asked.code, { as: 'alice' })).toMatchObject({
      code: 1,
      err: expect.stringContaining('wants a reason'),
    });
    expect(await say(gate, 'approve', asked.code, { as: 'alice', reason: '  ' })).toMatchObject({ code: 1 });
    expect(await say(gate, 'approve', asked.code, { as: 'alice', reason: 'duplicate of ENG-11' })).toMatchObject({
      code: 0,
    });
    await held;
    expect(readEvents(gate.state, 'approval.approved')[0]).toMatchObject({
      'toolgate.approval.reason': 'duplicate of ENG-11',
      'toolgate.approval.by': 'key:alice',
    });
  });

  test('nobody on this machine can answer: denied at once, and said', TIMED, async () => {
    const gate = await withKeys(policies('    approval: { reviewers: [alice] }\n', people));
    const started = performance.now();
    const result = await gate.client.callTool(deleteIssue());
    expect(performance.now() - started).toBeLessThan(2000);
    expect(textOf(result)).toMatch(
      /no reviewer can be reached: the policy .* asks alice, of whom nobody can answer on this machine/,
    );
    expect(gate.ran()).toEqual([]);
  });

  test('the message of a policy is told to the agent', async () => {
    const gate = await holdingGate({ args: ['--hold', '1s'], policies: policies('    message: Close it instead.\n') });
    expect(textOf(await gate.client.callTool(deleteIssue()))).toContain('Close it instead.');
  });
});

describe('what fails leaves it not run', () => {
  test('no desk can be started: denied, no reviewer can be reached', async () => {
    const where = folder();
    mkdirSync(join(where.state, 'desk.lock'), { recursive: true });
    const gate = await holdingGate({ where });
    const result = await gate.client.callTool(deleteIssue());
    expect(textOf(result)).toContain('no reviewer can be reached: the desk');
    expect(await approvals(gate, '--all')).toMatchObject([{ state: 'denied' }]);
    expect(gate.ran()).toEqual([]);
  });

  test('the gate is killed: nothing can use an answer any more, so the question ends, and another gate asks anew', async () => {
    const gate = await holdingGate();
    void gate.client.callTool(deleteIssue()).catch(() => {});
    const [asked] = await open(gate);
    process.kill(gate.pid, 'SIGKILL');
    await eventually(async () => (await approvals(gate, '--all'))[0]?.state === 'expired');
    expect((await say(gate, 'approve', asked.code)).err).toContain('the connection of its agent has ended');
    const other = await holdingGate({ where: gate, args: ['--hold', '1s'] });
    expect(textOf(await other.client.callTool(deleteIssue()))).toContain('pending');
    expect(other.ran()).toEqual([]);
  });

  test('the desk is killed: it comes back, and the answer counts', async () => {
    const gate = await holdingGate();
    const held = gate.client.callTool(deleteIssue());
    const [asked] = await open(gate);
    const desk = async () => JSON.parse((await run(gate, ['status', '--json'])).out).desk;
    const first = await eventually(async () => (await desk())?.pid);
    process.kill(first, 'SIGKILL');
    await eventually(async () => (await desk())?.pid !== first && (await desk())?.pid);
    expect(gate.ran()).toEqual([]);
    await say(gate, 'approve', asked.code);
    expect((await held).isError).toBeFalsy();
    expect(gate.ran()).toHaveLength(1);
  });

  test('more than five at once of one connection: the sixth is denied, and what waits goes on', async () => {
    const gate = await holdingGate();
    const held = Array.from({ length: 5 }, (_, n) => gate.client.callTool(deleteIssue(`ENG-${n}`)));
    const asked = await open(gate, 5);
    expect(textOf(await gate.client.callTool(deleteIssue('ENG-6')))).toContain(
      'too many pending: 5 calls of this connection',
    );
    await Promise.all(asked.map(({ code }) => say(gate, 'deny', code)));
    await Promise.all(held);
    expect(gate.ran()).toEqual([]);
  });

  test('a request of more than 1 MiB is denied: no person could judge it', async () => {
    const gate = await holdingGate();
    expect(textOf(await gate.client.callTool(deleteIssue('x'.repeat(1024 * 1024))))).toContain('longer than 1 MiB');
    expect(gate.ran()).toEqual([]);
  });
});

describe('the command line', () => {
  test('without a terminal and without a key nobody is asked', async () => {
    const gate = await holdingGate();
    const held = gate.client.callTool(deleteIssue());
    const [asked] = await open(gate);
    expect(await run(gate, ['approve', asked.code], { input: 'y\n' })).toMatchObject({
      code: 1,
      err: expect.stringContaining('this is no terminal'),
    });
    expect((await open(gate))[0].votes).toEqual([]);
    await say(gate, 'deny', asked.code);
    await held;
  });

  test.each([
    ['CLAUDECODE', '1'],
    ['CODEX_SANDBOX', 'seatbelt'],
    ['CURSOR_AGENT', '1'],
    ['GEMINI_CLI', '1'],
    ['AI_AGENT', 'somebody@1'],
  ])('an agent (%s) can answer neither with a key nor without', async (name, value) => {
    const gate = await holdingGate();
    const held = gate.client.callTool(deleteIssue());
    const [asked] = await open(gate);
    const { reviewerKey } = await import('../support/approvals.ts');
    const refused = await run(gate, ['approve', asked.code, '--reviewer-key', await reviewerKey(gate)], {
      env: { [name]: value },
    });
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining("an agent can't answer for a person") });
    expect((await open(gate))[0].votes).toEqual([]);
    await say(gate, 'deny', asked.code);
    await held;
  });

  test('on a terminal the whole request is shown, and what is typed decides', async () => {
    const gate = await holdingGate();
    const held = gate.client.callTool(deleteIssue('ENG-12\u202e\u001b[31m'));
    const [asked] = await open(gate);
    const no = terminal(gate, ['--config', gate.config, '--state', gate.state, 'approve', asked.code]);
    const shown = await no.shows('Approve it? [y/N]');
    expect(shown).toContain('wants to     Linear · Delete issue [Delete]');
    expect(shown).toContain('ENG-12\\u{202e}\\u001b[31m');
    expect(shown).not.toContain('\u202e');
    expect(shown).not.toContain('\u001b[31m');
    no.type('\n');
    expect(await no.ended).toBe(1);
    expect((await open(gate))[0].votes).toEqual([]);
    const yes = terminal(gate, ['--config', gate.config, '--state', gate.state, 'approve', asked.code]);
    await yes.shows('Approve it? [y/N]');
    yes.type('y\n');
    expect(await yes.ended).toBe(0);
    expect((await held).isError).toBeFalsy();
    expect(gate.ran()).toHaveLength(1);
    expect(readEvents(gate.state, 'approval.approved')[0]).toMatchObject({
      'toolgate.approval.by': `os:${userInfo().username}`,
      'toolgate.channel': 'command line',
    });
  });

  test('Ctrl-C at the question decides nothing', async () => {
    const gate = await holdingGate();
    const held = gate.client.callTool(deleteIssue());
    const [asked] = await open(gate);
    const asking = terminal(gate, ['--config', gate.config, '--state', gate.state, 'approve', asked.code]);
    await asking.shows('Approve it? [y/N]');
    asking.type('\u0003');
    await asking.ended;
    expect((await open(gate))[0].votes).toEqual([]);
    await say(gate, 'deny', asked.code);
    await held;
  });

  test('an unknown code is named, with those that are open', async () => {
    const gate = await holdingGate();
    const held = gate.client.callTool(deleteIssue());
    const [asked] = await open(gate);
    expect((await say(gate, 'approve', 'ZZZZ9')).err).toContain(`there is no approval "ZZZZ9"; open: ${asked.code}`);
    // Letters that look like digits are understood.
    expect((await run(gate, ['approvals', 'show', asked.code.toLowerCase()])).out).toContain('ENG-12');
    await say(gate, 'deny', asked.code);
    await held;
  });
});
