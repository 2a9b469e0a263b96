import { describe, expect, test } from 'vitest';
import { eventually, startGate, textOf } from '../support/gate.ts';
import { httpUpstream } from '../support/http-upstream.ts';
import { scripted } from '../support/servers.ts';

const POLICIES = 'version: 1\npolicies:\n  - { name: No deletes, if: { operation: Delete }, action: block }\n';

describe.each(['legacy', 'modern'] as const)('an upstream over Streamable HTTP, %s', (era) => {
  test('is listed, called and judged; its secret header comes from the environment', async () => {
    const upstream = await httpUpstream(era);
    const gate = await startGate({
      servers: { web: { url: upstream.url, headers: { Authorization: 'Bearer ${env:WEB_TOKEN}' } } },
      policies: POLICIES,
      env: { WEB_TOKEN: 'sesame-open-sesame' },
    });
    expect((await gate.client.listTools()).tools.map(({ name }) => name)).toEqual([
      'web__get_echo',
      'web__delete_it',
      'web__get_error',
      'web__get_slowly',
    ]);
    const echo = await gate.client.callTool({ name: 'web__get_echo', arguments: { text: 'hé' } });
    expect(echo.content).toEqual([{ type: 'text', text: 'hé' }]);
    expect((await gate.client.callTool({ name: 'web__get_error', arguments: { text: '' } })).isError).toBe(true);
    // Read off the wire: the client's SDK may drop progress that comes in one piece with the answer.
    const wire: any[] = [];
    const { onmessage } = gate.client.transport!;
    gate.client.transport!.onmessage = (message, extra) => {
      wire.push(message);
      onmessage?.(message, extra);
    };
    expect(
      textOf(
        await gate.client.callTool({ name: 'web__get_slowly', arguments: { text: '' } }, undefined, {
          onprogress: () => {},
        }),
      ),
    ).toBe('done');
    const { progressToken } = wire[0].params;
    expect(wire.map(({ method, params, result }) => (method === undefined ? result.content[0].text : params))).toEqual([
      { progressToken, progress: 1, total: 2 },
      { progressToken, progress: 2, total: 2 },
      'done',
    ]);

    const blocked = await gate.client.callTool({ name: 'web__delete_it', arguments: { text: 'x' } });
    expect(textOf(blocked)).toContain('No deletes');
    expect(upstream.requests).toContain('tools/call get_echo');
    expect(upstream.requests).not.toContain('tools/call delete_it');
    expect([...upstream.authorization]).toEqual(['Bearer sesame-open-sesame']);
    expect(gate.said()).not.toContain('sesame');
    await eventually(() => gate.events('call.completed').length === 3);
    expect(JSON.stringify(gate.events())).not.toContain('sesame');
  });
});

test('an address where nobody answers harms no other, and its fault is told without its secrets', async () => {
  const gate = await startGate({
    servers: {
      web: { url: 'http://127.0.0.1:9/mcp?key=SECRETKEY', headers: { Authorization: 'Bearer ${env:WEB_TOKEN}' } },
      good: scripted({ tools: ['get_it'] }),
    },
    policies: POLICIES,
    env: { WEB_TOKEN: 'sesame-open-sesame' },
  });
  expect((await gate.client.listTools()).tools.map(({ name }) => name)).toEqual(['good__get_it']);
  const told = textOf(await gate.client.callTool({ name: 'web__x', arguments: {} }));
  expect(told).toContain('web did not start');
  expect(told + gate.said()).not.toMatch(/SECRETKEY|sesame/);
});
