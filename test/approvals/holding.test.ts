import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually, type GateOptions, type RunningGate, run, startGate, textOf } from '../support/gate.ts';
import { type Scratch, scratch } from '../support/scratch.ts';
import { scripted, watched } from '../support/servers.ts';

const MISSION = `version: 1
policies:
  - name: Require human approval before deleting a Linear issue
    when: an agent makes a tool call
    if: { integration: Linear, tool: Delete issue }
    action: Require human approval
`;

/** A server that offers Linear's tools, with every byte that reaches it. */
function linear(where: Scratch) {
  const seen = join(where.folder, 'stdin');
  const server = {
    ...watched(scripted({ tools: ['list_issues', 'get_issue', 'create_issue', 'delete_issue'] }), seen),
    integration: 'Linear',
  };
  const ran = () =>
    existsSync(seen)
      ? readFileSync(seen, 'utf8')
          .split('\n')
          .filter((line) => line.includes('"tools/call"'))
          .map((line) => JSON.parse(line).params)
      : [];
  return { server, ran };
}

async function holdingGate(options: Partial<GateOptions> = {}): Promise<RunningGate & { ran: () => any[] }> {
  const where = scratch();
  onTestFinished(async () => {
    await run(where, ['desk', '--stop']);
  });
  const { server, ran } = linear(where);
  const gate = await startGate({ where, servers: { linear: server }, policies: MISSION, ...options });
  await gate.client.listTools();
  return { ...gate, ran };
}

const call = (issue = 'ENG-12') => ({ name: 'linear__delete_issue', arguments: { id: issue } });

async function openOne(where: Scratch): Promise<any> {
  return eventually(async () => JSON.parse((await run(where, ['approvals', '--json'])).out)[0]);
}

describe('"Require human approval before deleting a Linear issue"', () => {
  test('waits', async () => {
    const gate = await holdingGate({ args: ['--hold', '3s'] });
    const held = gate.client.callTool(call());
    const open = await openOne(gate);
    console.log(JSON.stringify(open, null, 1), (await run(gate, ['approvals'])).out, (await run(gate, ['approvals', 'show', open.code])).out);
    console.log(textOf(await held), gate.said());
    console.log(gate.events().map((e) => e.type + ' ' + (e['toolgate.approval.code'] ?? '')));
    expect(gate.ran()).toEqual([]);
  });
});
