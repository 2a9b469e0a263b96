import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../src/call.ts';
import { argumentReader, normalisePath, readAs, readPath } from '../../src/catalog/arguments.ts';
import { classifyTool } from '../../src/catalog/classify.ts';
import { readLaunch, recognise } from '../../src/catalog/recognise.ts';
import { catalog } from '../support/judge.ts';

describe('what a launch names', () => {
  test.each([
    ['npx', ['-y', '@modelcontextprotocol/server-github@2025.4.8'], '@modelcontextprotocol/server-github'],
    ['npx', ['--yes', '--package', '@scope/pkg@1', 'bin'], '@scope/pkg'],
    ['bunx', ['mcp-git'], 'mcp-git'],
    ['pnpm', ['dlx', 'mcp-git@latest'], 'mcp-git'],
    ['npm', ['exec', '--', 'mcp-git'], 'mcp-git'],
    ['uvx', ['--from', 'git+https://x', 'mcp-server-git'], 'git+https://x'],
    ['uvx', ['mcp-server-git==1.0'], 'mcp-server-git'],
    ['uv', ['tool', 'run', 'mcp-atlassian[extra]'], 'mcp-atlassian'],
    ['/usr/local/bin/npx', ['x'], 'x'],
    ['C:\\npx.cmd', ['x'], 'x'],
    [
      'docker',
      ['run', '-i', '--rm', '-e', 'TOKEN', 'ghcr.io/github/github-mcp-server:latest'],
      'ghcr.io/github/github-mcp-server',
    ],
    ['docker', ['run', '--env=X', '--name', 'n', 'mcp/git@sha256:abc'], 'mcp/git'],
  ])('%s %j is %s', (command, args, name) => {
    expect(readLaunch({ command: command.replace(/^C:\\/, ''), args })).toMatchObject({ name });
  });

  test.each([
    ['npx', ['-y', 'mcp-remote', 'https://mcp.linear.app/mcp'], 'mcp.linear.app'],
    ['npx', ['mcp-remote@0.1', 'https://mcp.notion.com/mcp', '--header', 'X: y'], 'mcp.notion.com'],
  ])('%s %j is at %s', (command, args, host) => {
    expect(readLaunch({ command, args })).toMatchObject({ kind: 'url', host });
  });
});

describe('whose server it is', () => {
  test.each([
    [{ key: 'x', url: 'https://mcp.linear.app/mcp' }, 'launch', 'linear'],
    [{ key: 'x', url: 'https://api.githubcopilot.com/mcp/' }, 'launch', 'github'],
    [{ key: 'x', url: 'https://mcp.linear.app.evil.io/mcp' }, 'key', 'x'],
    [{ key: 'x', url: 'https://evil.io/mcp.linear.app' }, 'key', 'x'],
    [{ key: 'x', url: 'https://mcp.atlassian.com/v1/mcp?tools=all' }, 'launch', 'atlassian'],
    [{ key: 'x', command: 'npx', args: ['@notionhq/notion-mcp-server'] }, 'launch', 'notion'],
    [{ key: 'x', command: 'docker', args: ['run', 'ghcr.io/github/github-mcp-server'] }, 'launch', 'github'],
    [{ key: 'x', command: 'github-mcp-server', args: ['stdio'] }, 'label', 'github'],
    [{ key: 'x', command: 'node', args: ['y.js'], serverInfoName: 'github-mcp-server' }, 'label', 'github'],
    [{ key: 'x', command: 'node', args: ['y.js'], integration: 'Google Drive' }, 'owner', 'google-drive'],
    [{ key: 'x', command: 'node', args: ['y.js'], integration: 'Acme' }, 'owner', 'acme'],
    [{ key: 'GitHub', command: 'node', args: ['y.js'] }, 'key', 'github'],
    [{ key: 'x', command: 'node', toolNames: ['create_issue', 'list_issues'] }, 'key', 'x'],
    [{ key: 'x', command: 'node', toolNames: ['git_status', 'git_diff', 'git_log'] }, 'tools', 'git'],
    [{ key: 'x', command: 'node', toolNames: ['git_status', 'git_diff', 'git_log', 'a', 'b', 'c'] }, 'key', 'x'],
  ])('%j by %s is %s', (launch, by, id) => {
    expect(recognise(catalog, launch)).toMatchObject({ by, integration: { id } });
  });

  test("what a server says of itself never lowers, and its key's integration stays", () => {
    const fake = recognise(catalog, { key: 'acme', command: 'node', serverInfoName: 'github-mcp-server' });
    const { tool, ofCall } = classifyTool(fake, {
      name: 'list_issues',
      inputSchema: { properties: { method: { enum: ['list', 'delete'] } } },
    });
    expect(tool.integrations.map(({ id, sure }) => [id, sure])).toEqual([
      ['github', false],
      ['acme', true],
    ]);
    expect(ofCall({ method: 'delete' }).operation).toBe('Delete');
    expect(ofCall({ method: 'list' }).operation).toBe('Read');
    expect(tool.operation).toBe('Delete');
  });

  test("a label doesn't take away what the key's integration knows", () => {
    const fake = recognise(catalog, { key: 'linear', command: 'node', serverInfoName: 'github-mcp-server' });
    expect(classifyTool(fake, { name: 'retire_initiative' }).tool.operation).toBe('Delete');
    const known = catalog.find('linear')!.servers.flatMap(({ byName }) => [...byName.keys()]);
    expect(known.filter((name) => classifyTool(fake, { name }).tool.source === 'inferred')).toEqual([]);
  });
});

describe('arguments', () => {
  const rules = {
    names: new Map([
      ['branch', ['remoteBranch', 'branch']],
      ['repository', ['{owner}/{repo}']],
    ]),
    kindOf: () => null,
    declared: null,
  };
  test('canonical names, templates, precedence', () => {
    expect(argumentReader({ owner: 'a', repo: 'b' }, rules)('repository')).toEqual({ state: 'value', value: 'a/b' });
    expect(argumentReader({ owner: 'a' }, rules)('repository').state).toBe('missing');
    expect(argumentReader({ owner: 'a', repo: {} }, rules)('repository').state).toBe('unreadable');
    expect(argumentReader({ branch: 'x', remoteBranch: 'y' }, rules)('branch').state).toBe('unreadable');
    expect(
      argumentReader(
        { branch: 'x', remoteBranch: 'y' },
        { ...rules, declared: new Set(['branch', 'remoteBranch']) },
      )('branch'),
    ).toEqual({ state: 'value', value: 'y' });
    expect(
      argumentReader({ branch: 'x', remoteBranch: 'y' }, { ...rules, declared: new Set(['branch']) })('branch'),
    ).toEqual({ state: 'value', value: 'x' });
  });

  test.each([
    ['a/./b/../c', 'a/c'],
    ['/a//b/', '/a/b'],
    ['..\\x', '../x'],
    ['/../../etc', '/etc'],
    ['a/../../b', '../b'],
    ['file:///a/b', '/a/b'],
    ['', ''],
    ['.', '.'],
    ['a/..', '.'],
  ])('the path %j is %j', (path, normal) => expect(normalisePath(path)).toBe(normal));

  test.each([
    ['file:///public/../secret/a', 'file:///secret/a'],
    ['file://localhost/secret/a', 'file:///secret/a'],
    ['file:///%73ecret/a', 'file:///secret/a'],
    ['file:/secret/a', 'file:///secret/a'],
    ['FILE:///secret/a', 'file:///secret/a'],
  ])('the URI %j is %j', (uri, normal) => {
    expect(argumentReader({ uri }, { names: new Map(), kindOf: () => 'uri', declared: null })('uri')).toEqual({
      state: 'value',
      value: normal,
    });
  });

  test.each([
    'demo://x/../y',
    'de\tmo://x',
    'file:///pub/.\t./secret',
    'file:///secret?/../pub/x',
    'file:///secret#/../pub/x',
    'file:///%2573ecret',
    'file:///a\\b',
    ' file:///a',
    'file:srv/secret/key',
    'file://x/srv/secret/key',
    'file:///srv/b%2fc/../secret/key',
    'file:////srv/key',
    'note://internal/%73ecret',
    'note://internal/secret#x',
    'https://example.com/a?b=c#d',
  ])('the URI %j is unreadable', (uri) => {
    expect(argumentReader({ uri }, { names: new Map(), kindOf: () => 'uri', declared: null })('uri').state).toBe(
      'unreadable',
    );
  });

  test.each([
    'demo://resource/static/a.md',
    'memory://knowledge-graph',
    'https://example.com',
    'https://example.com/a?b=c',
    'test://template/1/data',
    'not a uri'.replaceAll(' ', '-'),
  ])('the URI %j is itself', (uri) => {
    expect(argumentReader({ uri }, { names: new Map(), kindOf: () => 'uri', declared: null })('uri')).toEqual({
      state: 'value',
      value: uri,
    });
  });

  test('long and deep lists neither throw nor take long', () => {
    const read = (args: JsonObject) =>
      argumentReader(args, { names: new Map([['id', ['items.id']]]), kindOf: () => null, declared: null })('id');
    expect(read({ items: Array.from({ length: 300_000 }, () => ({ id: 1 })) }).state).toBe('value');
    let deep: JsonValue = [{ id: 1 }];
    for (let depth = 0; depth < 20_000; depth++) deep = [deep];
    expect(read({ items: deep }).state).toBe('unreadable');
    expect(readAs('list', ['a,b'.repeat(200_000)]).state).toBe('value');
  });

  test('what could be read otherwise is unreadable', () => {
    expect(readPath({ Force: true }, 'force').state).toBe('unreadable');
    expect(readPath({ a: '{"b":1}' }, 'a.b').state).toBe('unreadable');
    expect(readPath({ n: JSON.rawJSON('9007199254740993') as never }, 'n').state).toBe('unreadable');
    expect(
      argumentReader({ uri: 'file:///%2573ecret' }, { names: new Map(), kindOf: () => 'uri', declared: null })('uri')
        .state,
    ).toBe('unreadable');
    expect(readPath(JSON.parse('{"__proto__":{"x":1}}'), 'x').state).toBe('missing');
    expect(readPath({}, 'constructor').state).toBe('missing');
  });
});
