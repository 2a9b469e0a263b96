import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { ALLOW_ALL, eventually, run, startGate, textOf } from '../support/gate.ts';
import { scratch } from '../support/scratch.ts';
import { everything, github, memory, scripted } from '../support/servers.ts';

describe('catalog classify', () => {
  /** A line asked, and the line answered. */
  const LINES: readonly [object | string, object][] = [
    [
      { launch: { command: 'npx', args: ['-y', 'linear-mcp@1.2.0'] }, tool: 'linear_delete_issue' },
      {
        integration: 'Linear',
        tool: 'delete_issue',
        title: 'Delete issue',
        operation: 'Delete',
        source: 'catalog',
        reasons: ["linear_delete_issue in the catalog's linear-mcp"],
      },
    ],
    [
      { integration: 'google_drive', tool: 'Share file' },
      { integration: 'Google Drive', tool: 'share_file', title: 'Share file', operation: 'Write', source: 'catalog' },
    ],
    [
      { server: 'github', tool: 'label_write' },
      { integration: 'GitHub', tool: null, title: 'Create label or Update label or Delete label', operation: 'Delete' },
    ],
    [
      { server: 'github', tool: 'label_write', arguments: { method: 'update' } },
      { integration: 'GitHub', tool: 'update_label', operation: 'Write', source: 'catalog' },
    ],
    [
      { server: 'github', tool: 'label_write', arguments: {} },
      { tool: null, operation: 'Delete' },
    ],
    // A key of servers.json is the owner's server, whatever the catalog has by that name.
    [
      { server: 'git', tool: 'get_file_contents' },
      { integration: 'GitHub', tool: 'get_file_contents', operation: 'Read', source: 'catalog' },
    ],
    [
      { launch: { url: 'https://api.githubcopilot.com/mcp/?x=1' }, tool: 'delete_file' },
      { integration: 'GitHub', tool: 'delete_file', operation: 'Delete', source: 'catalog' },
    ],
    [
      { server: 'shop', tool: 'get_rid_of_it' },
      { integration: 'shop', tool: null, title: 'Get rid of it', operation: null, source: 'unknown' },
    ],
    [
      { server: 'shop', tool: 'get_it', description: 'Permanently deletes it.' },
      { integration: 'shop', tool: null, operation: 'Delete', source: 'inferred' },
    ],
    [
      { server: 'shop', tool: 'get_it', annotations: { readOnlyHint: false } },
      { operation: 'Write', source: 'inferred' },
    ],
    [
      {
        server: 'shop',
        tool: 'things',
        inputSchema: { properties: { action: { enum: ['list', 'delete'] } } },
        arguments: { action: 'list' },
      },
      { operation: 'Read', source: 'inferred' },
    ],
    [
      { tool: 'frobnicate' },
      { integration: null, tool: null, title: 'Frobnicate', operation: null, source: 'unknown' },
    ],
    ['{bad', { error: { code: 'config_invalid', message: expect.stringContaining('this line is not JSON') } }],
    ['[]', { error: { code: 'config_invalid', message: expect.stringContaining('a line must be a JSON object') } }],
    [{}, { error: { code: 'config_invalid', message: '"tool" is missing: write the tool\'s name' } }],
    [
      { tool: 'x', arguements: {} },
      { error: { code: 'config_invalid', message: expect.stringContaining('did you mean "arguments"?') } },
    ],
    [
      { tool: 'x', arguments: [] },
      { error: { code: 'config_invalid', message: expect.stringContaining('arguments') } },
    ],
    [{ server: 'github', tool: 'get_me', note: 'ignored' }, { tool: 'get_current_user' }],
  ];

  test('answers line by line, in order, and goes on after a bad one', async () => {
    const where = scratch();
    writeFileSync(join(where.config, 'servers.json'), JSON.stringify({ mcpServers: { git: github() } }));
    writeFileSync(
      join(where.config, 'servers.json'),
      JSON.stringify({ mcpServers: { git: { command: 'npx', args: ['@modelcontextprotocol/server-github'] } } }),
    );
    const input = LINES.map(([line]) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\r\n');
    const { code, out, err } = await run(where, ['catalog', 'classify', '--stdin'], { input });
    expect(err).toBe('');
    const answers = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(answers).toHaveLength(LINES.length);
    for (const [index, [line, answer]] of LINES.entries())
      expect(answers[index], JSON.stringify(line)).toMatchObject(answer);
    expect(code).toBe(1);
  });

  test('answers for one tool, in words or as JSON', async () => {
    const where = scratch();
    const asked = await run(where, ['catalog', 'classify', 'github/label_write', '--args', '{"method":"delete"}']);
    expect(asked).toEqual({
      code: 0,
      err: '',
      out: `GitHub · Delete label (delete_label): Delete
  from the catalog
  - label_write in the catalog's github-mcp-server
  - "method" is "delete"
`,
    });
    const json = await run(where, ['catalog', 'classify', 'github/label_write', '--json']);
    expect(JSON.parse(json.out)).toMatchObject({ integration: 'GitHub', tool: null, operation: 'Delete' });
    for (const args of [
      [],
      ['a/b', '--stdin'],
      ['a/b', '--args', '[]'],
      ['a/b', '--args', '{'],
      ['--stdin', '--args', '{}'],
    ])
      expect(await run(where, ['catalog', 'classify', ...args])).toMatchObject({ code: 2, out: '' });
  });
});

describe('catalog coverage', () => {
  test('says what every tool is taken for; what it tells to write makes the rest known, also to the gate', async () => {
    const where = scratch();
    const servers = {
      hub: { ...github(), integration: 'GitHub' },
      shop: scripted({ tools: ['get_it', 'frobnicate', 'deleteAll'] }),
      all: everything(),
    };
    const gate = await startGate({ where, servers, policies: ALLOW_ALL });
    await gate.client.listTools();
    await eventually(async () => (await run(where, ['tools', '--json'])).out.includes('frobnicate'));
    const before = await run(where, ['catalog', 'coverage']);
    expect(before.code).toBe(1);
    expect(before.out).toMatch(/^hub +GitHub +26 of 26 tools in the catalog +servers.json says so$/m);
    expect(before.out).toMatch(/^shop +not recognised +0 of 3 tools in the catalog +not recognised: its key/m);
    const rows = before.out.split('\n').filter((line) => / (unknown|inferred|catalog) +(hub|shop|all) /.test(line));
    expect(rows.findIndex((row) => row.includes('frobnicate'))).toBeLessThan(
      rows.findIndex((row) => row.includes('get_it')),
    );
    expect(rows[0]).toMatch(/^unknown +unknown /);
    expect(rows.at(-1)).toMatch(/ catalog +hub /);

    const { paste } = JSON.parse((await run(where, ['catalog', 'coverage', '--json'])).out);
    mkdirSync(join(where.config, 'catalog'));
    for (const { file, yaml } of paste)
      writeFileSync(file, yaml.replace(/(title: Frobnicate\n +operation: )Delete/, '$1Read'));
    const after = await run(where, ['catalog', 'coverage']);
    expect(after).toMatchObject({ code: 0, err: '' });
    expect(after.out).toMatch(/^Read +owner +shop +frobnicate +shop · Frobnicate$/m);
    await eventually(async () => {
      await gate.client.callTool({ name: 'shop__frobnicate', arguments: {} });
      return gate
        .events('call.decided')
        .some((event) => event['toolgate.operation'] === 'Read' && event['gen_ai.tool.name'] === 'frobnicate');
    });
  });

  test('what it tells to write can be written, whatever a server calls its tools', async () => {
    const where = scratch();
    const servers = {
      shop: scripted({ tools: ['x-y', 'x_y', 'X.Y', 'hid\u200bden', '__proto__', 'a'.repeat(120)] }),
      linear: scripted({ tools: ['get_issue', 'archiveIssue', 'Delete Issue!'] }),
    };
    const gate = await startGate({ where, servers, policies: ALLOW_ALL });
    await gate.client.listTools();
    await eventually(async () => (await run(where, ['tools', '--json'])).out.includes('archiveIssue'));
    const before = await run(where, ['catalog', 'coverage']);
    expect(before.err).toContain('characters that nobody sees');
    const { paste } = JSON.parse((await run(where, ['catalog', 'coverage', '--json'])).out);
    mkdirSync(join(where.config, 'catalog'));
    for (const { file, yaml } of paste) writeFileSync(file, yaml);
    const own = parse(paste.find(({ file }: { file: string }) => file.endsWith('shop.yaml')).yaml);
    expect(Object.keys(own.tools)).toEqual(expect.arrayContaining(['x_y', 'x_y_2', 'x_y_3']));
    expect(Object.keys(own.servers.shop.tools)).not.toContain('hid\u200bden');
    expect(Object.keys(own.servers.shop.tools)).not.toContain('__proto__');
    // What the catalog says of a tool isn't written anew.
    const theirs = paste.find(({ file }: { file: string }) => file.endsWith('linear-mine.yaml'));
    expect(parse(theirs.yaml).tools).not.toHaveProperty('delete_issue');
    const check = await run(where, ['policy', 'check']);
    expect(check.out).not.toContain('error:');
  });

  test('an integration is added in the steps of docs/catalog.md', async () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/catalog.md'), 'utf8');
    const file = /```yaml\n(integration: memory\n[\s\S]*?)```/.exec(page)![1]!;
    const where = scratch();
    const policies = `policies:\n  - { name: Keep customers, if: { integration: Memory, operation: Delete, args: { entity: "customer*" } }, action: block }\n`;
    const servers = { memory: memory(join(where.folder, 'graph.json')) };
    const gate = await startGate({ where, servers, policies });
    await gate.client.listTools();
    await eventually(async () => (await run(where, ['tools', '--json'])).out.includes('delete_entities'));
    const before = await run(where, ['catalog', 'coverage']);
    expect(before.code).toBe(1);
    expect(before.out).toMatch(/^memory +not recognised +0 of 9 tools/m);
    expect(before.out).toContain(join(where.config, 'catalog', 'memory.yaml'));
    mkdirSync(join(where.config, 'catalog'));
    writeFileSync(join(where.config, 'catalog', 'memory.yaml'), file);
    expect(await run(where, ['catalog', 'coverage'])).toMatchObject({ code: 0, err: '' });
    const args = { entityNames: ['customer 7'] };
    await eventually(async () => {
      const result = await gate.client.callTool({ name: 'memory__delete_entities', arguments: args });
      return textOf(result).includes('Keep customers');
    });
    const asked = ['policy', 'explain', 'memory/delete_entities', '--args', JSON.stringify(args)];
    expect(await run(where, asked)).toMatchObject({
      code: 1,
      out: expect.stringContaining('Memory · Delete entities'),
    });
    expect(
      textOf(await gate.client.callTool({ name: 'memory__delete_entities', arguments: { entityNames: ['draft'] } })),
    ).toContain('deleted');
  });

  test('of servers that have not been seen, says what the catalog lists; and which nothing recognises', async () => {
    const where = scratch();
    const mcpServers = { lin: { command: 'npx', args: ['linear-mcp'] }, own: { command: 'node', args: ['own.js'] } };
    writeFileSync(join(where.config, 'servers.json'), JSON.stringify({ mcpServers }));
    writeFileSync(join(where.config, 'policies.yaml'), ALLOW_ALL);
    const { code, out, err } = await run(where, ['catalog', 'coverage']);
    expect(code).toBe(0);
    expect(err).toContain('no server has shown its tools yet');
    expect(out).toMatch(/^lin +Linear +19 of 19 tools in the catalog, none seen yet/m);
    expect(out).toMatch(/^own +not recognised/m);
    const check = await run(where, ['policy', 'check']);
    expect(check.out).toContain(
      'servers.json:1:62 warning: "own" is not recognised: its key is taken as its integration',
    );
    expect(check.code).toBe(0);
    expect((await run(where, ['status'])).out).toContain('not recognised: own (toolgate catalog coverage)');
  });

  test('a gate that finds a mistake in the owner’s catalog says so, and judges on by ours, strictly', async () => {
    const where = scratch();
    mkdirSync(join(where.config, 'catalog'));
    writeFileSync(
      join(where.config, 'catalog', 'shop.yaml'),
      'integration: shop\ntitle: Shop\ntools:\n  a: { title: A, operation: Raed }\nservers: { shop: { tools: { frobnicate: a } } }\n',
    );
    const gate = await startGate({
      where,
      servers: {
        hub: { ...scripted({ tools: ['create_issue'] }), integration: 'GitHub' },
        shop: scripted({ tools: ['frobnicate'] }),
      },
      policies: 'defaults: { unclassified: block }\npolicies: [{ name: No, if: { operation: Delete }, action: block }]',
    });
    await gate.client.listTools();
    const call = async (name: string, args = {}) => textOf(await gate.client.callTool({ name, arguments: args }));
    expect(await call('shop__frobnicate')).toContain('No');
    expect(await call('hub__create_issue')).toBe('{}');
    // The log is JSON, so quotes in it are escaped.
    await eventually(() => gate.said().includes('catalog/shop.yaml:4:29 error: \\"Raed\\" is not an operation'));
    expect(gate.said()).toContain('the rules are in force without your catalog file that has the mistake');
    expect((await run(where, ['status'])).out).toContain('catalog/shop.yaml:4:29 error: "Raed" is not an operation');
  });

  test('a mistake in the owner’s catalog is named, and ours stays in force', async () => {
    const where = scratch();
    mkdirSync(join(where.config, 'catalog'));
    writeFileSync(
      join(where.config, 'catalog', 'shop.yaml'),
      'integration: shop\ntitle: Shop\ntools:\n  a: { title: A, operation: Raed }\n',
    );
    const { code, out, err } = await run(where, ['catalog', 'classify', 'github/delete_file']);
    expect(err).toContain('catalog/shop.yaml:4:29 error: "Raed" is not an operation');
    expect(err).toContain('did you mean "Read"?');
    expect(out).toContain('GitHub · Delete file (delete_file): Delete');
    expect(code).toBe(0);
  });
});
