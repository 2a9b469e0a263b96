import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { recognise } from '../../src/catalog/recognise.ts';
import { readServers, resolveServers } from '../../src/config/servers.ts';
import { fillVariables } from '../../src/config/variables.ts';
import { formatProblems } from '../../src/problem.ts';
import { catalog } from '../support/judge.ts';

const one = (entry: object) => JSON.stringify({ mcpServers: { a: entry } });
const problemsIn = (text: string) => formatProblems(readServers(text).problems);

describe('servers.example.json', () => {
  const text = readFileSync(join(import.meta.dirname, '../../servers.example.json'), 'utf8');
  const names = [...text.matchAll(/\$\{env:([A-Z_]+)\}/g)].map((match) => match[1]!);

  test('has the nine integrations, each recognised by its launch', () => {
    expect(problemsIn(text)).toBe('');
    const ready = resolveServers(readServers(text).servers!, Object.fromEntries(names.map((name) => [name, 'x'])));
    const found = ready.map((server) => {
      if (server.kind === 'off') return server.why;
      const { launch, key } = server.spec;
      const { by, integration } = recognise(catalog, {
        key,
        ...(launch.kind === 'stdio' ? launch : { url: launch.url }),
      });
      return `${by} ${integration.title}`;
    });
    expect(found).toEqual([
      'launch GitHub',
      'launch Atlassian',
      'launch Notion',
      'launch Google Drive',
      'launch Gmail',
      'launch Linear',
      'launch Dropbox',
      'launch Datadog',
      'launch Git',
    ]);
  });

  test('names every secret as a variable; one that is missing turns off its servers and no other', () => {
    const off = resolveServers(readServers(text).servers!, {}).filter(({ kind }) => kind === 'off');
    expect(off).toHaveLength(8);
    expect(off[0]).toMatchObject({
      key: 'github',
      why: 'github is off: the environment variable GITHUB_TOKEN is not set',
    });
    const empty = resolveServers(readServers(text).servers!, { GITHUB_TOKEN: '', LINEAR_API_KEY: 'k' });
    expect(empty.filter(({ kind }) => kind === 'ready').map(({ key }) => key)).toEqual(['linear', 'git']);
  });
});

describe('what clients write is understood', () => {
  test.each([
    [{ serverUrl: 'https://x/mcp' }],
    [{ httpUrl: 'https://x/mcp' }],
    [{ command: 'x', type: 'stdio' }],
    [{ command: 'x', enabled: true, disabled: false }],
  ])('%j', (entry) => expect(problemsIn(one(entry))).toBe(''));

  test('disabled is off', () => {
    const servers = readServers(
      '{"mcpServers":{"a":{"command":"x","disabled":true},"b":{"command":"x","enabled":false},"c":{"command":"x"}}}',
    ).servers!;
    expect(resolveServers(servers, {}).map(({ kind }) => kind)).toEqual(['off', 'off', 'ready']);
  });

  test('keys that only clients use are ignored, with a warning', () => {
    expect(problemsIn(one({ command: 'x', autoApprove: ['y'], timeout: 60 }))).toMatch(
      /warning: "autoApprove" is for clients[\s\S]*warning: "timeout" is for clients[\s\S]*use "timeoutSeconds"/,
    );
    expect(readServers(one({ command: 'x', autoApprove: [] })).servers).not.toBeNull();
  });

  test.each([
    ['${env:A}', 'va'],
    ['x${A}y', 'xvay'],
    ['${B:-c}', 'c'],
    ['${env:A:-c}', 'va'],
    ['$A', '$A'],
  ])('%s is %s', (value, filled) => expect(fillVariables(value, { A: 'va', B: '' }, 'a')).toBe(filled));
  test.each(['${input:token}', '${workspaceFolder}/x', '${B}', '${}'])('%s turns it off', (value) =>
    expect(() => fillVariables(value, { B: '' }, 'a')).toThrow(/^a is off: /),
  );
});

describe('every mistake has its place, its fault and its mend', () => {
  test.each([
    ['{ "mcpServers": { "a": { "comand": "x" } } }', 'servers.json:1:26 error: unknown key "comand"'],
    ['{ "mcpServers": { "a": { "comand": "x" } } }', 'did you mean "command"?'],
    ['{ "mcpServers": { "a": {} } }', 'this server has neither "command" nor "url"'],
    [one({ command: 'x', url: 'https://y' }), 'this server has both "command" and "url"'],
    [one({ command: 'x', args: [1] }), 'every argument must be text'],
    [one({ command: 'x', env: { A: 1 } }), 'every value of env must be text'],
    [one({ command: 'x', prefix: 'a__b' }), 'a prefix can\'t contain "__"'],
    [one({ command: 'x', timeoutSeconds: '60' }), 'timeoutSeconds must be a number of seconds'],
    [one({ url: 'https://x', type: 'sse' }), 'the SSE transport is not supported'],
    [one({ command: 'x', forwardRoots: true }), '"forwardRoots" is not supported yet'],
    ['{ "mcpServers": { "a__b": { "command": "x" } } }', '"a__b" can\'t be a server\'s key'],
    [
      '{ "mcpServers": { "a": { "command": "x" }, "A": { "command": "y" } } }',
      'its tools would have the same names as those of "a"',
    ],
    [
      '{ "mcpServers": { "a": { "command": "x" }, "a": { "command": "y" } } }',
      '"a" is written twice in the same block',
    ],
    [one({ command: 'x', prefix: 'a_' }), '"a_" ends with "_"'],
    [one({ command: 'x', args: '-y' }), '"args" must be a list'],
    [one({ command: 'node', args: ['/x/toolgate.cjs', 'serve'] }), '"a" starts toolgate itself'],
    ['{ "servers": {} }', '"mcpServers" is missing or not a block'],
    ['{ "mcpServers": [] }', '"mcpServers" is missing or not a block'],
    ['{ "mcpServers": { ', 'this is not valid JSON'],
    ['', 'the file is empty'],
    ['[]', 'this must be a block of keys, not a list'],
  ])('%s', (text, message) => {
    expect(problemsIn(text)).toContain(message);
    expect(readServers(text).servers).toBeNull();
  });

  test('comments and trailing commas are fine', () =>
    expect(problemsIn('{ // a\n "mcpServers": { "a": { "command": "x", }, }, }')).toBe(''));

  test('no value of the file is ever shown: any may be a secret', () => {
    const text =
      '{ "mcpServers": { "a": { "command": "x", "headers": { "Authorization": "Bearer SECRET1" }, "comand": "SECRET2", "args": ["SECRET3", 4] } } }';
    expect(problemsIn(text)).toContain('error');
    expect(problemsIn(text)).not.toMatch(/SECRET/);
    expect(problemsIn('{ "mcpServers": { "a": { "command": "x", "env": { "T": "SECRET4" "U": 1 } } } }')).not.toMatch(
      /SECRET/,
    );
  });

  test('an address that is none turns its server off without being shown', () => {
    const servers = readServers(one({ url: 'ftp://user:SECRET@x' })).servers!;
    expect(resolveServers(servers, {})[0]).toMatchObject({
      kind: 'off',
      why: 'a is off: its URL is not an http or https address',
    });
  });
});
