/** An upstream that asks for more by its result (protocol of 2026): each round is a call of its own, asked and approved anew. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { expect, onTestFinished, test } from 'vitest';
import { approvals, folder, open, say } from '../support/approvals.ts';
import { connectGate, textOf } from '../support/gate.ts';
import { httpUpstream } from '../support/http-upstream.ts';
import type { Scratch } from '../support/scratch.ts';
import { DIST } from '../support/servers.ts';

async function configured(): Promise<{ where: Scratch; requests: string[] }> {
  const where = folder();
  const upstream = await httpUpstream('modern', true);
  writeFileSync(join(where.config, 'servers.json'), JSON.stringify({ mcpServers: { up: { url: upstream.url } } }));
  writeFileSync(
    join(where.config, 'policies.yaml'),
    'version: 1\npolicies:\n  - { name: Ask, if: { operation: Delete }, action: require approval }\n',
  );
  return { where, requests: upstream.requests };
}

test('what the client answers is part of what is approved: one round does not cover the next', async () => {
  const { where, requests } = await configured();
  const client = new Client(
    { name: 'modern-client', version: '1' },
    { capabilities: { elicitation: {} }, versionNegotiation: { mode: 'auto' } },
  );
  const asked: string[] = [];
  client.setRequestHandler('elicitation/create', async ({ params }) => {
    asked.push(String(params.message));
    return { action: 'accept', content: { name: 'ENG-12' } };
  });
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [DIST, '--config', where.config, '--state', where.state, 'serve'],
      env: { PATH: process.env['PATH']!, HOME: where.folder },
      stderr: 'ignore',
    }),
  );
  onTestFinished(() => client.close());
  expect(client.getProtocolEra()).toBe('modern');
  await client.listTools();
  const held = client.callTool({ name: 'up__delete_after_asking', arguments: {} });
  held.catch(() => {});
  const [first] = await open(where);
  await say(where, 'approve', first.code);
  const [second] = await open(where);
  expect(second.code).not.toBe(first.code);
  // Who asks is named, and the answer stands in what is to be approved.
  expect(asked).toEqual(['[up] Which one?']);
  expect(JSON.stringify(second.subject.arguments)).toContain('ENG-12');
  expect(requests.filter((each) => each.startsWith('tools/call'))).toHaveLength(1);
  await say(where, 'approve', second.code);
  expect(textOf(await held)).toBe('deleted ENG-12');
  expect((await approvals(where, '--all')).map(({ state }) => state)).toEqual(['used', 'used']);
});

test('a client of 2025 is told that it can not be asked', async () => {
  const { where } = await configured();
  writeFileSync(join(where.config, 'policies.yaml'), 'version: 1\npolicies: []\n');
  const { client } = await connectGate(where);
  await client.listTools();
  const result = await client.callTool({ name: 'up__delete_after_asking', arguments: {} }).catch((error) => error);
  expect(String(result)).toContain('do not declare the required capability');
});
