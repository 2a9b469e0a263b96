import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { haveDesktop, startDesktop } from '../support/desktop.ts';
import { connectGate, eventually, isAlive, readEvents, run, startGate } from '../support/gate.ts';
import { type Scratch, scratch } from '../support/scratch.ts';
import { scripted } from '../support/servers.ts';
import { fakeSlack } from '../support/slack.ts';
import { TIMED } from '../support/timed.ts';

const POLICIES = `version: 1
channels: { slack: { webhook: "\${env:SLACK_WEBHOOK_URL}" } }
policies:
  - name: Alert on everything <!channel> & *bold*
    if: { server: s }
    action: alert
`;
const servers = { s: scripted({ tools: ['save_it'] }) };
const call = (args: Record<string, unknown> = {}) => ({ name: 's__save_it', arguments: args });

interface Delivery {
  state: string;
  attempts: number;
  error: string | null;
}

function deliveries(where: Scratch): Delivery[] {
  const database = new DatabaseSync(join(where.state, 'toolgate.db'), { readOnly: true });
  const rows = database
    .prepare('SELECT state, attempts, error FROM deliveries ORDER BY alert_id, channel')
    .all() as unknown as Delivery[];
  database.close();
  return rows;
}

function deskPid(where: Scratch): number {
  const database = new DatabaseSync(join(where.state, 'toolgate.db'), { readOnly: true });
  const row = database.prepare("SELECT value FROM meta WHERE key = 'desk'").get() as { value: string } | undefined;
  database.close();
  return row === undefined ? 0 : JSON.parse(row.value).pid;
}

/** Stops the desk while it holds no lock: one that it holds would stop the gates too. */
async function stopBetweenWrites(where: Scratch): Promise<void> {
  const database = new DatabaseSync(join(where.state, 'toolgate.db'), { timeout: 0 });
  await eventually(() => {
    process.kill(deskPid(where), 'SIGSTOP');
    try {
      database.exec('BEGIN IMMEDIATE; ROLLBACK');
      return true;
    } catch {
      process.kill(deskPid(where), 'SIGCONT');
      return false;
    }
  });
  database.close();
}

/** Everything that runs for this store is ended after the test. */
function folder(): Scratch {
  const where = scratch();
  onTestFinished(async () => {
    await run(where, ['desk', '--stop']);
  });
  return where;
}

const allText = (where: Scratch) =>
  readdirSync(where.state)
    .map((name) => readFileSync(join(where.state, name), 'latin1'))
    .join('\n');

describe('an alert reaches Slack', () => {
  test('once, in plain text, without the URL appearing anywhere', async () => {
    const slack = await fakeSlack();
    const where = folder();
    const env = { SLACK_WEBHOOK_URL: slack.url };
    const gate = await startGate({ where, servers, policies: POLICIES, env });
    await gate.client.callTool(
      call({ text: '<!channel> <@U1> *b* _i_ `c` \u202e\u001b[31m', token: 'hunter2hunter2' }),
    );
    await eventually(() => slack.received.length > 0);
    await eventually(() => deliveries(where)[0]?.state === 'sent');
    expect(slack.received).toHaveLength(1);
    const [message] = slack.received;
    expect(message.unfurl_links).toBe(false);
    // Hostile text stands only where nothing is markup, and what can't be seen is shown.
    const texts: { type: string; text: string }[] = [];
    JSON.stringify(message.blocks, (_, value) => {
      if (value?.type === 'plain_text' || value?.type === 'mrkdwn') texts.push(value);
      return value;
    });
    expect(new Set(texts.map(({ type }) => type))).toEqual(new Set(['plain_text']));
    const shown = texts.map(({ text }) => text).join('\n');
    expect(shown).toContain('<!channel> <@U1> *b*');
    expect(shown).not.toContain('\u202e');
    expect(shown).not.toContain('\u001b');
    expect(shown).not.toContain('hunter2');
    expect(message.text).not.toMatch(/<!channel>|<@U1>/);
    expect(allText(where)).not.toContain('SECRETPART');
    expect(gate.said()).not.toContain('SECRETPART');
    const listed = await run(where, ['alerts', '--json']);
    expect(JSON.parse(listed.out)[0]).toMatchObject({
      policy: 'Alert on everything <!channel> & *bold*',
      deliveries: [{ channel: 'slack', state: 'sent' }],
    });
    expect(readEvents(where.state, 'alert.sent')).toHaveLength(1);
  });

  test('through an outage: tried again until it is there, then once', TIMED, async () => {
    const slack = await fakeSlack();
    slack.answer = 500;
    const where = folder();
    const gate = await startGate({ where, servers, policies: POLICIES, env: { SLACK_WEBHOOK_URL: slack.url } });
    const started = performance.now();
    expect((await gate.client.callTool(call())).isError ?? false).toBe(false);
    expect(performance.now() - started).toBeLessThan(2000);
    await eventually(() => deliveries(where)[0]?.error === 'Slack answered 500');
    slack.answer = 200;
    await eventually(() => deliveries(where)[0]?.state === 'sent', 15_000);
    expect(slack.received.length).toBe(deliveries(where)[0]!.attempts);
    expect(readEvents(where.state, 'alert.sent')).toHaveLength(1);
    expect(allText(where)).not.toContain('SECRETPART');
  });

  test('a webhook that is refused is not tried for ever: failed, and said', async () => {
    const slack = await fakeSlack();
    slack.answer = 404;
    const where = folder();
    const gate = await startGate({ where, servers, policies: POLICIES, env: { SLACK_WEBHOOK_URL: slack.url } });
    await gate.client.callTool(call());
    await eventually(() => deliveries(where)[0]?.state === 'failed');
    expect(slack.received).toHaveLength(1);
    expect((await run(where, ['alerts'])).out).toContain('slack failed (Slack answered 404: check the webhook)');
  });

  test('though the gate is killed at once, and though two gates alert at once: one desk, each alert once', async () => {
    const slack = await fakeSlack();
    const where = folder();
    const env = { SLACK_WEBHOOK_URL: slack.url };
    const first = await startGate({ where, servers, policies: POLICIES, env });
    const second = await connectGate(where, { env });
    await Promise.all(
      [first, second].flatMap(({ client }, gate) =>
        Array.from({ length: 5 }, (_, n) => client.callTool(call({ gate, n }))),
      ),
    );
    process.kill(first.pid, 'SIGKILL');
    await eventually(
      () => deliveries(where).length === 10 && deliveries(where).every(({ state }) => state === 'sent'),
      20_000,
    );
    const ids = slack.received.map((message) => JSON.stringify(message.blocks).match(/alert (\w{26})/)![1]);
    expect(ids).toHaveLength(10);
    expect(new Set(ids).size).toBe(10);
  });

  test('though the desk is killed before it could send: the next one sends it, once', async () => {
    const slack = await fakeSlack();
    const where = folder();
    const env = { SLACK_WEBHOOK_URL: slack.url };
    slack.answer = 500;
    const gate = await startGate({ where, servers, policies: POLICIES, env });
    await gate.client.callTool(call({ n: 1 }));
    await eventually(() => deliveries(where)[0]?.error === 'Slack answered 500');
    const killed = deskPid(where);
    process.kill(killed, 'SIGKILL');
    await eventually(async () => !(await isAlive(killed)));
    const before = slack.received.length;
    slack.answer = 200;
    await gate.client.callTool(call({ n: 2 }));
    await eventually(
      () => deliveries(where).length === 2 && deliveries(where).every(({ state }) => state === 'sent'),
      20_000,
    );
    expect(slack.received.length - before).toBe(2);
  });

  test('killed while sending, nobody knows whether it arrived: it is sent again, and says that it may be a repeat', async () => {
    const slack = await fakeSlack();
    slack.answer = 'hang';
    const where = folder();
    const env = { SLACK_WEBHOOK_URL: slack.url };
    const gate = await startGate({ where, servers, policies: POLICIES, env });
    await gate.client.callTool(call());
    await eventually(() => slack.received.length === 1);
    process.kill(deskPid(where), 'SIGKILL');
    slack.answer = 200;
    const desk = run(where, ['desk'], { env });
    await eventually(() => deliveries(where)[0]?.state === 'sent');
    expect(JSON.stringify(slack.received[1].blocks)).toContain('may be a repeat');
    await run(where, ['desk', '--stop']);
    expect((await desk).code).toBe(0);
  });

  test('though the desk stood still meanwhile: all of them once it goes on', async () => {
    const slack = await fakeSlack();
    const where = folder();
    const gate = await startGate({ where, servers, policies: POLICIES, env: { SLACK_WEBHOOK_URL: slack.url } });
    await gate.client.callTool(call({ n: 1 }));
    await eventually(() => deliveries(where)[0]?.state === 'sent');
    await stopBetweenWrites(where);
    for (let n = 2; n <= 4; n++) await gate.client.callTool(call({ n }));
    expect(slack.received).toHaveLength(1);
    process.kill(deskPid(where), 'SIGCONT');
    await eventually(() => deliveries(where).length === 4 && deliveries(where).every(({ state }) => state === 'sent'));
    expect(slack.received).toHaveLength(4);
  });

  test('a second desk ends at once, and `desk --stop` stops the first', async () => {
    const slack = await fakeSlack();
    const where = folder();
    const gate = await startGate({ where, servers, policies: POLICIES, env: { SLACK_WEBHOOK_URL: slack.url } });
    await gate.client.callTool(call());
    await eventually(() => deliveries(where)[0]?.state === 'sent');
    const second = await run(where, ['desk']);
    expect(second).toMatchObject({ code: 0 });
    expect(second.err).toContain('already runs');
    expect((await run(where, ['status'])).out).toContain('desk       running');
    const pid = deskPid(where);
    expect((await run(where, ['desk', '--stop'])).code).toBe(0);
    await eventually(async () => !(await isAlive(pid)));
  });

  test('its variable is not set: the call is unharmed, the alert waits and says why', async () => {
    const where = folder();
    const gate = await startGate({ where, servers, policies: POLICIES });
    expect((await gate.client.callTool(call())).isError ?? false).toBe(false);
    await eventually(() =>
      deliveries(where)[0]?.error?.includes('the environment variable SLACK_WEBHOOK_URL is not set'),
    );
  });
});

test('a desk that was started where the variable is not set gives way to one of a gate that has it', async () => {
  const slack = await fakeSlack();
  const where = folder();
  const gate = await startGate({ where, servers, policies: POLICIES, env: { SLACK_WEBHOOK_URL: slack.url } });
  await gate.client.listTools();
  expect((await run(where, ['console', '--no-browser'])).code).toBe(0);
  const blind = deskPid(where);
  await gate.client.callTool(call());
  await eventually(() => slack.received.length === 1, 20_000);
  expect(deskPid(where)).not.toBe(blind);
  await eventually(() => deliveries(where)[0]?.state === 'sent');
});

describe('the discovery of an agent', () => {
  test('is alerted on once over many connections, and again when it becomes disallowed', async () => {
    const slack = await fakeSlack();
    const where = folder();
    const policies =
      'version: 1\nchannels: { slack: { webhook: "${env:SLACK_WEBHOOK_URL}" } }\npolicies:\n  - name: Alert when an unsanctioned agent is discovered\n    when: an agent is discovered\n    if: { agent review status: Disallowed }\n    action: alert\n';
    const env = { SLACK_WEBHOOK_URL: slack.url };
    const gate = await startGate({ where, servers, policies, env, clientName: 'OpenClaw' });
    await gate.client.callTool(call());
    expect(deliveries(where)).toHaveLength(0);
    expect((await run(where, ['agents', 'disallow', 'OpenClaw'], { env })).code).toBe(0);
    await eventually(() => slack.received.length === 1);
    expect(JSON.stringify(slack.received[0])).toContain('OpenClaw');
    await connectGate(where, { env, clientName: 'OpenClaw' }).then(({ client }) => client.callTool(call()));
    await gate.client.callTool(call());
    expect(deliveries(where)).toHaveLength(1);
  });
});

test.runIf(haveDesktop)('an alert appears on a real desktop, its text as it is', async () => {
  const where = folder();
  const desktop = await startDesktop(where);
  const gate = await startGate({
    where,
    servers,
    env: desktop.env,
    policies:
      'version: 1\nchannels: { desktop: true }\npolicies:\n  - { name: Tell me, if: { server: s }, action: alert, alert: { severity: high } }\n',
  });
  await gate.client.callTool(call({ text: '<b>bold</b> & "more" \\n' }));
  await eventually(() => desktop.shown().includes('toolgate|'), 20_000);
  expect(desktop.shown()).toContain('test-client called s · Save it');
  expect(desktop.shown()).toContain(JSON.stringify({ text: '<b>bold</b> & "more" \\n' }));
  await eventually(() => deliveries(where)[0]?.state === 'sent');
});
