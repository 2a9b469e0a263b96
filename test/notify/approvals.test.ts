import { describe, expect, test } from 'vitest';
import { ASK_BEFORE_DELETING, deleteIssue, folder, holdingGate, open, say } from '../support/approvals.ts';
import { eventually, run, textOf } from '../support/gate.ts';
import { fakeSlack } from '../support/slack.ts';
import { TIMED } from '../support/timed.ts';

const POLICIES = ASK_BEFORE_DELETING.replace(
  'policies:',
  'channels: { slack: { webhook: "${env:SLACK_WEBHOOK_URL}" } }\npolicies:',
);

async function onSlack(args: string[] = []) {
  const slack = await fakeSlack();
  const where = folder();
  const gate = await holdingGate({ where, policies: POLICIES, env: { SLACK_WEBHOOK_URL: slack.url }, args });
  return { slack, gate };
}

describe('a held call on Slack', () => {
  test('is told once, with a link to the console that works on this machine, and where the outcome stands', async () => {
    const { slack, gate } = await onSlack();
    const held = gate.client.callTool(deleteIssue('<!channel> *b* ENG-12'));
    const [asked] = await open(gate);
    await eventually(() => slack.received.length === 1);
    const { desk } = JSON.parse((await run(gate, ['status', '--json'])).out);
    const text = JSON.stringify(slack.received[0].blocks);
    expect(text).toContain(
      `<${desk.address}/approvals/${asked.id}|Answer in toolgate> — this link works on the machine where the agent runs.`,
    );
    expect(text).toContain(`it stands in the console under ${asked.code}`);
    const markdown = slack.received[0].blocks
      .flatMap((block: any) => [block.text, ...(block.fields ?? [])])
      .filter((each: any) => each?.type === 'mrkdwn');
    expect(markdown).toHaveLength(1);
    expect(JSON.stringify(markdown)).not.toContain('ENG-12');
    await say(gate, 'approve', asked.code);
    expect((await held).isError).toBeFalsy();
    expect(slack.received).toHaveLength(1);
    expect(gate.ran()).toHaveLength(1);
  });

  test.each([500, 429, 'hang', 'garbage'] as const)(
    'Slack answers %s: nothing runs, the answer comes in time, and counts',
    TIMED,
    async (answer) => {
      const { slack, gate } = await onSlack(['--hold', '2s']);
      slack.answer = answer;
      const started = performance.now();
      expect(textOf(await gate.client.callTool(deleteIssue()))).toContain('pending');
      expect(performance.now() - started).toBeLessThan(4000);
      expect(gate.ran()).toEqual([]);
      await say(gate, 'approve', (await open(gate))[0].code);
      expect(textOf(await gate.client.callTool(deleteIssue()))).toBe('{"id":"ENG-12"}');
      const [alert] = JSON.parse((await run(gate, ['alerts', '--json'])).out);
      expect(alert).toMatchObject({ kind: 'approval', deliveries: [{ channel: 'slack' }] });
      // Not lost: it still waits for its next attempt.
      if (answer === 500 || answer === 429) expect(['pending', 'sending']).toContain(alert.deliveries[0].state);
    },
  );

  test('that was decided before Slack could be reached is told with its outcome', async () => {
    const { slack, gate } = await onSlack();
    slack.answer = 500;
    const held = gate.client.callTool(deleteIssue());
    const [asked] = await open(gate);
    await eventually(() => slack.received.length === 1);
    await say(gate, 'deny', asked.code);
    await held;
    slack.answer = 200;
    await eventually(
      () => slack.received.length >= 2 && JSON.stringify(slack.received.at(-1)).includes('Already over'),
      15_000,
    );
    expect(JSON.stringify(slack.received.at(-1).blocks)).toContain(`${asked.code} is denied by`);
  });
});
