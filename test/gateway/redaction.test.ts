import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LoggingMessageNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { describe, expect, test } from 'vitest';
import { folder, linear, open, say } from '../support/approvals.ts';
import { eventually, readEvents, run, startGate } from '../support/gate.ts';
import { scripted } from '../support/servers.ts';

const SECRET = `ghp_${'s3Cr'.repeat(8)}`;
const MAIL = 'ann@acme.com';
const HIDDEN = `${SECRET} ${MAIL}`;
const CODED = Buffer.from(HIDDEN).toString('base64');
const text = (value: string) => ({ type: 'text', text: value });

/** One secret and one address, in every place that a server can put them. */
const PLACES: Record<string, object> = {
  text: { result: { content: [text(HIDDEN)] } },
  json: { result: { content: [text(JSON.stringify({ deep: [{ note: HIDDEN }] }))] } },
  structured: { result: { content: [], structuredContent: { a: [{ b: HIDDEN }] } } },
  key: { result: { content: [], structuredContent: { [HIDDEN]: 1 } } },
  resource: { result: { content: [{ type: 'resource', resource: { uri: 'x://1', text: HIDDEN } }] } },
  blob: {
    result: { content: [{ type: 'resource', resource: { uri: 'x://1', mimeType: 'text/plain', blob: CODED } }] },
  },
  image: { result: { content: [{ type: 'image', mimeType: 'image/png', data: CODED }] } },
  audio: { result: { content: [{ type: 'audio', mimeType: 'audio/wav', data: CODED }] } },
  link: {
    result: { content: [{ type: 'resource_link', uri: `x://h/?q=${SECRET}`, name: MAIL, description: HIDDEN }] },
  },
  meta: { result: { content: [text('x')], _meta: { note: HIDDEN } } },
  encoded: { result: { content: [text(`data: ${CODED} and data:text/plain;base64,${CODED}`)] } },
  failed: { result: { isError: true, content: [text(HIDDEN)] } },
  error: { error: { code: -32000, message: HIDDEN, data: { note: [HIDDEN] } } },
  progress: { progress: HIDDEN, result: { content: [] } },
  log: {
    notify: [{ method: 'notifications/message', params: { level: 'error', data: { note: HIDDEN } } }],
    result: { content: [] },
  },
};

/** Everything that the client got, as one text. */
async function heard(policies: string): Promise<{ all: string; parts: Record<string, string> }> {
  const gate = await startGate({
    servers: {
      leaky: scripted({
        tools: Object.keys(PLACES),
        on: PLACES,
        resources: [{ uri: 'x://1', name: 'one' }],
        contents: [
          { uri: 'x://1', text: HIDDEN },
          { uri: 'x://1', blob: CODED },
        ],
        prompts: [{ name: 'ask' }],
        messages: [{ role: 'user', content: text(HIDDEN) }],
      }),
    },
    policies,
  });
  const parts: Record<string, string> = {};
  const logs: unknown[] = [];
  gate.client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => void logs.push(params));
  await gate.client.listTools();
  for (const name of Object.keys(PLACES)) {
    const progress: unknown[] = [];
    const result = await gate.client
      .callTool({ name: `leaky__${name}`, arguments: {} }, undefined, { onprogress: (each) => progress.push(each) })
      .catch((error) => ({ code: error.code, message: error.message, data: error.data }));
    parts[name] = JSON.stringify([result, progress]);
  }
  parts['log'] = JSON.stringify(await eventually(() => logs.length > 0 && logs));
  parts['read'] = JSON.stringify(await gate.client.readResource({ uri: 'x://1' }));
  parts['prompt'] = JSON.stringify(await gate.client.getPrompt({ name: 'leaky__ask' }));
  return { all: JSON.stringify(parts), parts };
}

const has = (part: string) => part.includes(SECRET) || part.includes(MAIL) || part.includes(CODED);

describe('what a policy takes out of results', () => {
  test('reaches the client in no place', async () => {
    const { all, parts } = await heard(
      'version: 1\ndefaults: { unclassified: allow }\npolicies:\n  - { name: No secrets, if: { server: leaky }, action: allow, redact: { result: [secrets, emails] } }\n',
    );
    expect(Object.keys(parts).filter((name) => has(parts[name]!))).toEqual([]);
    expect(all).toContain('[redacted:email]');
    expect(parts['image']).toContain('[withheld: a policy redacts this result] image/png');
  });

  test('all of it does without the policy, and with one in monitor mode', async () => {
    for (const policies of [
      'version: 1\ndefaults: { unclassified: allow }\npolicies: []\n',
      'version: 1\ndefaults: { unclassified: allow }\npolicies:\n  - { name: Try, if: { server: leaky }, action: alert, mode: monitor, redact: { result: [secrets, emails] } }\n',
    ]) {
      const { parts } = await heard(policies);
      expect(Object.keys(parts).filter((name) => !has(parts[name]!))).toEqual([]);
    }
  });

  test('other numbers and fields come through as they were', async () => {
    const gate = await startGate({
      servers: {
        leaky: scripted({
          tools: ['a'],
          on: {
            a: {
              raw: '{"jsonrpc":"2.0","id":$ID,"result":{"content":[],"structuredContent":{"n":12345678901234567890,"customer":{"phone":"1"},"phone":"2"}}}',
            },
          },
        }),
      },
      policies:
        'version: 1\ndefaults: { unclassified: allow }\npolicies:\n  - { name: Fields, if: { server: leaky }, action: allow, redact: { result: [customer.phone] } }\n',
    });
    await gate.client.listTools();
    const { structuredContent } = await gate.client.callTool({ name: 'leaky__a', arguments: {} });
    expect(structuredContent).toMatchObject({ customer: { phone: '[redacted:field]' }, phone: '2' });
  });
});

test('arguments that can hardly be looked into are recorded all the same, and stop nobody', async () => {
  const where = folder();
  const { server } = linear(where);
  const gate = await startGate({
    where,
    servers: { linear: server },
    policies:
      'version: 1\npolicies:\n  - { name: Quiet, if: { integration: Linear }, action: allow, redact: { args: [emails] } }\n',
  });
  await gate.client.listTools();
  const list = (id: string) => gate.client.callTool({ name: 'linear__list_issues', arguments: { id } });
  for (const id of ['['.repeat(2000) + ']'.repeat(2000), 'A'.repeat(3_000_000), 'after'])
    expect((await list(id)).isError).toBeFalsy();
  await eventually(() => readEvents(where.state, 'call.decided').length === 3);
  expect(readEvents(where.state, 'call.decided').at(-1)!['gen_ai.tool.call.arguments']).toEqual({ id: 'after' });
});

test('an allow policy redacts also where it can not allow for sure', async () => {
  const where = folder();
  const { server } = linear(where);
  const gate = await startGate({
    where,
    servers: { linear: server },
    policies:
      'version: 1\npolicies:\n  - { name: Cursor, if: { agent: Cursor }, action: allow, redact: { result: [emails] } }\n',
    clientName: 'cursor',
  });
  await gate.client.listTools();
  const result = await gate.client.callTool({ name: 'linear__get_issue', arguments: { id: MAIL } });
  expect(JSON.stringify(result)).toContain('[redacted:email]');
});

test('a policy that comes to redact while a call waits counts for it', async () => {
  const where = folder();
  const { server } = linear(where);
  const ask = 'version: 1\npolicies:\n  - { name: Ask, if: { tool: delete_issue }, action: require approval }\n';
  const gate = await startGate({ where, servers: { linear: server }, policies: ask });
  await gate.client.listTools();
  const held = gate.client.callTool({ name: 'linear__delete_issue', arguments: { id: MAIL } });
  const [asked] = await open(gate);
  writeFileSync(
    join(where.config, 'policies.yaml'),
    `${ask}  - { name: Quiet, if: { integration: Linear }, action: alert, redact: { result: [emails] } }\n`,
  );
  await say(gate, 'approve', asked.code);
  expect(JSON.stringify(await held)).toContain('[redacted:email]');
  expect(
    JSON.parse((await run(where, ['alerts', '--json'])).out).map(({ policy }: { policy: string }) => policy),
  ).toContain('Quiet');
});

test('what a policy takes out of arguments is in no record and no notice, and runs all the same', async () => {
  const where = folder();
  const { server, ran } = linear(where);
  const gate = await startGate({
    where,
    servers: { linear: server },
    policies: `version: 1
channels: { desktop: true }
policies:
  - { name: Ask, if: { tool: delete_issue, args: { note: "*acme*" } }, action: require approval, alert: {} }
  - { name: Quiet, if: { integration: Linear }, action: alert, redact: { args: [emails, note] } }
`,
  });
  await gate.client.listTools();
  const args = { id: 'ENG-1', note: 'acme, in confidence', to: [MAIL] };
  const held = gate.client.callTool({ name: 'linear__delete_issue', arguments: args });
  const [asked] = await open(gate);
  const shown = await run(where, ['approvals', 'show', asked.code, '--json']);
  const alerts = await run(where, ['alerts', '--json']);
  await say(gate, 'approve', asked.code);
  await held;
  expect(ran().map((call) => call.arguments)).toEqual([args]);
  const log = JSON.stringify(readEvents(where.state));
  for (const record of [log, JSON.stringify(asked), shown.out, alerts.out]) {
    expect(record).toContain('ENG-1');
    expect(record).not.toContain('in confidence');
    expect(record).not.toContain(MAIL);
  }
  expect(asked.subject).toMatchObject({ complete: false, arguments: { id: 'ENG-1', note: '[redacted:field]' } });
});
