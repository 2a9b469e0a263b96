/** After a tool has run: what no hook had let through is written down, and told. */
import { describe, expect, test } from 'vitest';
import { open, say } from '../support/approvals.ts';
import { readEvents, run } from '../support/gate.ts';
import { type House, house, payload, toolUse } from '../support/hooks.ts';

const ran = (where: House, command: string, id = 'u1') =>
  where.hook(
    'claude-code',
    toolUse('Bash', { command }, where.repository, {
      hook_event_name: 'PostToolUse',
      tool_use_id: id,
      tool_response: {},
    }),
  );
const asks = (where: House, command: string, id = 'u1', ...flags: string[]) =>
  where.hook('claude-code', toolUse('Bash', { command }, where.repository, { tool_use_id: id }), ...flags);
const unjudged = (where: House) => readEvents(where.state, 'command.unjudged');

describe('a command that ran', () => {
  test('and had been let through is nothing to tell', async () => {
    const where = house('policies: []');
    await asks(where, 'git status');
    expect(await ran(where, 'git status')).toEqual({ code: 0, out: '', err: '' });
    expect(unjudged(where)).toEqual([]);
  });

  test('without a decision is recorded with an alert', async () => {
    const where = house('policies: []');
    await asks(where, 'git status', 'another');
    expect(await ran(where, 'git push --force')).toMatchObject({ code: 0 });
    expect(unjudged(where)).toMatchObject([
      {
        code: 'T1003',
        'gen_ai.agent.name': 'Claude Code',
        'gen_ai.tool.call.id': 'u1',
        'gen_ai.tool.name': 'git push',
        'toolgate.integration': 'Git',
        'toolgate.operation': 'Delete',
      },
    ]);
    const alerts = JSON.parse((await run(where, ['alerts', '--json'])).out);
    expect(alerts).toMatchObject([
      { severity: 'high', kind: 'command', title: 'Claude Code ran Git · Push, and toolgate had not let it' },
    ]);
    expect(unjudged(where)[0]!['toolgate.request']).toContain('git push --force');
  });

  test('though it was refused is too', async () => {
    const where = house('policies: [{ name: No, if: { integration: Git, operation: Delete }, action: block }]');
    expect(await asks(where, 'git push -f')).toMatchObject({ code: 2 });
    await ran(where, 'git push -f');
    expect(unjudged(where)).toHaveLength(1);
  });

  test('once it was approved is not', async () => {
    const where = house('policies: [{ name: Ask, if: { integration: Git, tool: push }, action: require approval }]');
    const held = asks(where, 'git push');
    const [asked] = await open(where);
    await say(where, 'approve', asked.code);
    expect(await held).toMatchObject({ code: 0 });
    await ran(where, 'git push');
    expect(unjudged(where)).toEqual([]);
  });

  test('and is of no integration leaves no trace', async () => {
    const where = house('policies: []');
    expect(await ran(where, 'ls -la')).toEqual({ code: 0, out: '', err: '' });
    expect(() => readEvents(where.state)).toThrow();
  });

  test('in an agent that gives no ids is told by its session and its name', async () => {
    const where = house('policies: []');
    const asked = payload('cursor', 'git status', where.repository);
    await where.hook('cursor', asked);
    await where.hook('cursor', { ...asked, hook_event_name: 'afterShellExecution', output: '' });
    expect(unjudged(where)).toEqual([]);
    await where.hook('cursor', {
      ...asked,
      conversation_id: 'other',
      hook_event_name: 'afterShellExecution',
      output: '',
    });
    expect(unjudged(where)).toHaveLength(1);
  });
});
