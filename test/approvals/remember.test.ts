import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type HoldingGate, holdingGate, open, reviewerKey, say } from '../support/approvals.ts';
import { connectGate, eventually, readEvents, run, textOf } from '../support/gate.ts';

const policies = (remember: string, more = '') => `version: 1
policies:
  - name: Ask
    if: { integration: Linear, operation: [Write, Delete] }
    action: require approval
    approval: { remember: ${remember} }
${more}`;

const create = (title: string) => ({ name: 'linear__create_issue', arguments: { title } });
const remove = (id: string) => ({ name: 'linear__delete_issue', arguments: { id } });

/** Calls, and has the question answered. */
async function answered(gate: HoldingGate, call: ReturnType<typeof create>, remember = true, client = gate.client) {
  const held = client.callTool(call);
  held.catch(() => {});
  const [asked] = await eventually(async () => {
    const list = await open(gate);
    return list.length > 0 && list;
  });
  const said = await say(gate, 'approve', asked.code, { remember });
  expect(said).toMatchObject({ code: 0 });
  return textOf(await held);
}

/** Whether a call runs without anybody being asked; what is asked is denied. */
async function runsAtOnce(gate: HoldingGate, call: { name: string; arguments: object }, client = gate.client) {
  const before = readEvents(gate.state, 'approval.requested').length;
  const held = client.callTool(call as never);
  const result = await Promise.race([
    held.then(({ isError }) => isError !== true),
    eventually(() => readEvents(gate.state, 'approval.requested').length > before).then(() => 'asked'),
  ]);
  if (result !== 'asked') return result;
  await say(gate, 'deny', (await open(gate))[0].code);
  await held;
  return false;
}

const remembered = async (gate: HoldingGate) =>
  JSON.parse((await run(gate, ['approvals', 'remembered', '--json'])).out) as Record<string, any>[];

describe('an approval that is remembered', () => {
  test('counts for that tool, agent and time alone, is listed, and can be taken back', async () => {
    const gate = await holdingGate({ policies: policies('1h') });
    expect(await answered(gate, create('first'))).toBe('{"title":"first"}');
    expect(await runsAtOnce(gate, create('second'))).toBe(true);
    expect(readEvents(gate.state, 'call.decided').at(-1)).toMatchObject({
      'toolgate.policy.decision': 'require approval',
      'toolgate.grants': [expect.any(String)],
    });
    expect(await runsAtOnce(gate, remove('1'))).toBe(false);
    const other = await connectGate(gate, { clientName: 'Other' });
    expect(await runsAtOnce(gate, create('third'), other.client)).toBe(false);
    // Another connection of the same agent is the same agent.
    const again = await connectGate(gate);
    expect(await runsAtOnce(gate, create('fourth'), again.client)).toBe(true);
    const [grant] = await remembered(gate);
    expect(grant).toMatchObject({ policy: 'Ask', covers: expect.stringContaining('Linear · Create issue by') });
    expect(grant!['until'] - grant!['createdAt']).toBe(3_600_000);
    expect((await run(gate, ['approvals', 'revoke', grant!['id']])).code).toBe(0);
    expect((await run(gate, ['approvals', 'revoke', grant!['id']])).code).toBe(1);
    expect(await remembered(gate)).toEqual([]);
    expect(await runsAtOnce(gate, create('fifth'))).toBe(false);
    const events = readEvents(gate.state).map(({ type }) => type);
    expect(events).toContain('approval.remembered');
    expect(events).toContain('approval.revoked');
  });

  test('ends with a change of the rules', async () => {
    const gate = await holdingGate({ policies: policies('session') });
    await answered(gate, create('first'));
    expect(await runsAtOnce(gate, create('second'))).toBe(true);
    writeFileSync(
      join(gate.config, 'policies.yaml'),
      policies('session', '  - { name: More, if: { agent: Nobody }, action: alert }\n'),
    );
    // The desk may have seen it before this gate has.
    await eventually(async () => !(await runsAtOnce(gate, create('third'))));
    expect(await remembered(gate)).toEqual([]);
  });

  test('ends with a change of the tool’s definition, and with its session', async () => {
    const changed = [{ name: 'create_issue', description: 'changed' }, 'delete_issue', 'get_issue'];
    const gate = await holdingGate({
      policies: policies('session'),
      script: { on: { get_issue: { tools: changed } } },
    });
    await answered(gate, create('first'));
    expect(await runsAtOnce(gate, create('second'))).toBe(true);
    const next = await connectGate(gate);
    expect(await runsAtOnce(gate, create('elsewhere'), next.client)).toBe(false);
    await gate.client.callTool({ name: 'linear__get_issue', arguments: {} });
    await eventually(() => readEvents(gate.state, 'tool.definition_changed').length > 0);
    expect(await runsAtOnce(gate, create('third'))).toBe(false);
  });

  test('"this call" counts for exactly the same arguments', async () => {
    const gate = await holdingGate({ policies: policies('this call') });
    await answered(gate, create('one'));
    expect(await runsAtOnce(gate, create('one'))).toBe(true);
    expect(await runsAtOnce(gate, create('one '))).toBe(false);
  });

  test('"until reviewed" ends when somebody has reviewed the tool', async () => {
    const gate = await holdingGate({ policies: policies('until reviewed') });
    await answered(gate, create('one'));
    expect(await runsAtOnce(gate, create('two'))).toBe(true);
    expect((await run(gate, ['tools', 'allow', 'linear', 'create_issue'])).code).toBe(0);
    await eventually(async () => !(await runsAtOnce(gate, create('three'))));
  });

  test('only if the reviewer wants it, and a Delete only if the policy names Delete', async () => {
    const gate = await holdingGate({
      policies: policies('1h').replace('operation: [Write, Delete]', 'server: linear'),
    });
    await answered(gate, create('one'), false);
    expect(await runsAtOnce(gate, create('two'))).toBe(false);
    const held = gate.client.callTool(remove('1'));
    const [asked] = await open(gate);
    const said = await say(gate, 'approve', asked.code, { remember: true });
    expect(said).toMatchObject({
      code: 1,
      err: expect.stringContaining('no policy of this request offers to remember'),
    });
    await say(gate, 'deny', asked.code);
    await held;
  });

  test('what is offered by now is not what somebody said yes to', async () => {
    const two = (remember: string) =>
      `version: 1
reviewers: { ann: { os: a }, bob: { os: b } }
policies:
  - name: Ask
    if: { integration: Linear, operation: [Write, Delete] }
    action: require approval
    approval: { remember: ${remember}, reviewers: [ann, bob], approvals: 2 }
`;
    const gate = await holdingGate({ policies: two('this call') });
    for (const reviewer of ['ann', 'bob']) await reviewerKey(gate, reviewer);
    const held = gate.client.callTool(create('one'));
    const [asked] = await open(gate);
    expect(await say(gate, 'approve', asked.code, { as: 'ann', remember: true })).toMatchObject({ code: 0 });
    writeFileSync(join(gate.config, 'policies.yaml'), two('30d'));
    await eventually(() => readEvents(gate.state, 'rules.changed').length > 0);
    expect(await say(gate, 'approve', asked.code, { as: 'bob', remember: true })).toMatchObject({ code: 0 });
    expect(textOf(await held)).toBe('{"title":"one"}');
    expect(readEvents(gate.state, 'approval.remembered')).toEqual([]);
  });

  test('one policy’s answer is not another’s: what else asks is still asked', async () => {
    const gate = await holdingGate({
      policies: policies('1h', '  - { name: Too, if: { args: { title: "big*" } }, action: require approval }\n'),
    });
    await answered(gate, create('small'));
    const held = gate.client.callTool(create('big one'));
    const [asked] = await open(gate);
    expect(asked.requirements.map(({ policy }: { policy: string }) => policy)).toEqual(['Too']);
    expect(await say(gate, 'approve', asked.code)).toMatchObject({ code: 0 });
    expect(textOf(await held)).toBe('{"title":"big one"}');
  });
});
