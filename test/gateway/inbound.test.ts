import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readClientLine } from '../../src/gateway/inbound.ts';

const call = (params: string, extra = '') =>
  `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}${extra}}`;

/** Thirty ways to write a request that JSON readers take differently. */
const HOSTILE: readonly [string, string][] = [
  ['a second name', call('{"name":"get_me","name":"delete_repository"}')],
  ['a second method', '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call","params":{}}'],
  ['a second params', call('{"name":"a"}', ',"params":{"name":"b"}')],
  ['a second arguments', call('{"name":"a","arguments":{"x":1},"arguments":{"x":2}}')],
  ['a second key inside arguments', call('{"name":"a","arguments":{"branch":"x","branch":"main"}}')],
  ['a second key deep inside arguments', call('{"name":"a","arguments":{"a":[{"b":{"c":1,"c":2}}]}}')],
  ['a second key, the first escaped', call('{"name":"a","arguments":{"\\u0062ranch":"x","branch":"main"}}')],
  ['Name beside name', call('{"name":"get_me","Name":"delete_repository"}')],
  ['NAME alone', call('{"NAME":"delete_repository"}')],
  ['Arguments beside arguments', call('{"name":"a","arguments":{},"Arguments":{"force":true}}')],
  ['ARGUMENTS alone', call('{"name":"a","ARGUMENTS":{"force":true}}')],
  ['Params beside params', call('{"name":"a"}', ',"Params":{"name":"b"}')],
  ['PARAMS alone', '{"jsonrpc":"2.0","id":1,"method":"tools/call","PARAMS":{"name":"b"}}'],
  ['Method beside method', '{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}'],
  ['Id beside id', '{"jsonrpc":"2.0","id":1,"Id":2,"method":"ping"}'],
  ['the long s in params', '{"jsonrpc":"2.0","id":1,"method":"tools/call","param\u017f":{"name":"b"}}'],
  ['the Kelvin sign in a key', call('{"name":"a","tas\u212a":{}}')],
  ['full-width letters', call('{"\uff4eame":"b","name":"a"}')],
  ['Uri beside uri', '{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"a","Uri":"b"}}'],
  ['two unknown keys that fold together', call('{"name":"a","extra":1,"EXTRA":2}')],
  ['_META beside _meta', call('{"name":"a","_meta":{},"_META":{}}')],
  ['a batch', `[${call('{"name":"a"}')}]`],
  ['no JSON', '{"jsonrpc":"2.0",'],
  ['a trailing comma', '{"jsonrpc":"2.0","id":1,"method":"ping",}'],
  ['a comment', '{"jsonrpc":"2.0","id":1,/**/"method":"ping"}'],
  ['a bare value', '"tools/call"'],
  ['null', 'null'],
  ['two values', '{"id":1}{"id":2}'],
  ['a byte order mark', '\ufeff{"jsonrpc":"2.0","id":1,"method":"ping"}'],
  ['single quotes', "{'jsonrpc':'2.0'}"],
];

describe('a request that other readers would take differently is refused', () => {
  test('there are thirty of them', () => expect(HOSTILE).toHaveLength(30));
  test.each(HOSTILE)('%s', (_, line) => expect(readClientLine(line).kind).toBe('bad'));
});

describe('a request that all readers take alike is read', () => {
  test.each([
    ['spaces', '{ "jsonrpc" : "2.0", "id" : 1, "method" : "ping" }'],
    ['escapes', '{"jsonrpc":"2.0","id":1,"method":"tools\\/call","params":{"name":"\\u0061"}}'],
    ['the same key in two objects', call('{"name":"a","arguments":{"a":{"x":1},"b":{"x":2},"c":[{"x":3},{"x":4}]}}')],
    ['a text that looks like JSON', call('{"name":"a","arguments":{"t":"{\\"k\\":1,\\"k\\":2}"}}')],
    ['keys of its own', call('{"name":"a","vendor":{"Name":1}}')],
    ['__proto__', call('{"name":"a","arguments":{"__proto__":{"x":1},"constructor":1}}')],
  ])('%s', (_, line) => {
    const inbound = readClientLine(line);
    expect(inbound.kind).toBe('message');
    if (inbound.kind === 'message') expect(JSON.parse(JSON.stringify(inbound.message))).toEqual(JSON.parse(line));
  });

  test.each([
    ['9007199254740993', '9007199254740993'],
    ['123456789012345678901234567890', '123456789012345678901234567890'],
    ['1e400', '1e400'],
    ['0.1000000000000000055511151231257827', '0.1000000000000000055511151231257827'],
    ['1.0', '1'],
    ['1e3', '1000'],
    ['-0', '0'],
    ['0.10', '0.1'],
    ['1.50E+2', '150'],
  ])('the number %s is passed on as %s', (source, sent) => {
    const inbound = readClientLine(call(`{"name":"a","arguments":{"n":${source}}}`));
    expect(inbound.kind).toBe('message');
    if (inbound.kind === 'message') expect(JSON.stringify(inbound.message)).toContain(`"n":${sent}}`);
  });
});

test('what the upstream parses is what was recorded, however the client wrote it', async () => {
  const { spawn } = await import('node:child_process');
  const { createInterface } = await import('node:readline');
  const { readFileSync, writeFileSync } = await import('node:fs');
  const { DIST, scripted, watched } = await import('../support/servers.ts');
  const { readEvents } = await import('../support/gate.ts');
  const { scratch } = await import('../support/scratch.ts');
  const where = scratch();
  const seen = join(where.folder, 'stdin');
  writeFileSync(
    join(where.config, 'servers.json'),
    JSON.stringify({ mcpServers: { s: watched(scripted({ tools: ['delete_it', 'get_me'] }), seen) } }),
  );
  writeFileSync(
    join(where.config, 'policies.yaml'),
    'version: 1\npolicies:\n  - { name: b, if: { tool: delete_it }, action: block }\n  - { name: main, if: { args: { branch: main } }, action: block }\n  - { name: big, if: { args: { n: { over: 5 } } }, action: block }\n',
  );
  const child = spawn(process.execPath, [DIST, '--config', where.config, '--state', where.state, 'serve'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const send = (line: string) => child.stdin.write(`${line}\n`);
  const answer = async (id: number) => {
    for (;;) {
      const { value } = await lines.next();
      const message = JSON.parse(value ?? '');
      if (message.id === id) return message;
    }
  };
  send(
    '{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"raw","version":"1"}}}',
  );
  await answer(0);
  send('{"jsonrpc":"2.0","method":"notifications/initialized"}');
  send('{"jsonrpc":"2.0","id":1,"method":"tools/list"}');
  await answer(1);
  const ask = (id: number, params: string) => {
    send(`{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":${params}}`);
    return answer(id);
  };
  // A folded twin of an argument that a policy reads can't be told: the block applies.
  expect(JSON.stringify(await ask(2, '{"name":"s__get_me","arguments":{"Branch":"main"}}'))).toContain('blocks it');
  // So does a number too large to compare.
  expect(JSON.stringify(await ask(3, '{"name":"s__get_me","arguments":{"n":9007199254740993}}'))).toContain(
    'blocks it',
  );
  const passed = await ask(
    4,
    '{"name":"s__get_me", "arguments":{"branch":"dev","m":12345678901234567890,"x":{"__proto__":1}},"Vendor":{"name":"delete_it"}}',
  );
  expect(passed.result.content[0].text).toContain('"branch":"dev"');
  child.stdin.end();
  await new Promise((resolve) => child.once('exit', resolve));
  const received = readFileSync(seen, 'utf8')
    .split('\n')
    .filter((line) => line.includes('tools/call'));
  expect(received).toHaveLength(1);
  // The judged value, written anew: no key that wasn't judged.
  expect(received[0]).toContain(
    '"params":{"name":"get_me","arguments":{"branch":"dev","m":12345678901234567890,"x":{"__proto__":1}}}',
  );
  const decided = readEvents(where.state, 'call.decided');
  expect(decided.map((event) => event['toolgate.policy.decision'])).toEqual(['block', 'block', 'allow']);
  expect(decided[2]!['gen_ai.tool.call.arguments'].branch).toBe('dev');
});
