import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client as ClientV2 } from '@modelcontextprotocol/client';
import { StdioClientTransport as StdioV2 } from '@modelcontextprotocol/client/stdio';
import { describe, expect, test } from 'vitest';
import { connectDirectly, startGate } from '../support/gate.ts';
import { scratch } from '../support/scratch.ts';
import { DIST, everything, filesystem, git, type Launch, memory } from '../support/servers.ts';

/** A server, and calls whose answers don't change from run to run. */
function upstreams(
  folder: string,
): Record<string, { launch: Launch; calls: { name: string; arguments: Record<string, unknown> }[] }> {
  writeFileSync(join(folder, 'a.txt'), 'alpha ☃ \u2028 beta\n');
  const repository = join(folder, 'repo');
  mkdirSync(repository);
  execFileSync('git', ['-C', repository, '-c', 'init.defaultBranch=main', 'init', '-q']);
  writeFileSync(join(repository, 'x.txt'), 'x\n');
  return {
    everything: {
      launch: everything(),
      calls: [
        { name: 'echo', arguments: { message: 'hé "llo"\n\u0001 \\u0041 🙂' } },
        { name: 'get-sum', arguments: { a: 1.5, b: -2 } },
        { name: 'get-tiny-image', arguments: {} },
        { name: 'get-structured-content', arguments: { location: 'Chicago' } },
        { name: 'get-annotated-message', arguments: { messageType: 'error', includeImage: true } },
        { name: 'get-resource-links', arguments: { count: 3 } },
        { name: 'get-sum', arguments: { a: 'x' } },
      ],
    },
    files: {
      launch: filesystem(folder),
      calls: [
        { name: 'read_text_file', arguments: { path: join(folder, 'a.txt') } },
        { name: 'list_directory', arguments: { path: repository } },
        { name: 'read_text_file', arguments: { path: '/etc/passwd' } },
      ],
    },
    memory: {
      launch: memory(join(folder, 'memory.jsonl')),
      calls: [
        { name: 'read_graph', arguments: {} },
        { name: 'search_nodes', arguments: { query: 'nothing' } },
      ],
    },
    git: {
      launch: git(join(folder, 'logs')),
      calls: [{ name: 'git_status', arguments: { path: repository } }],
    },
  };
}

/** What differs by its nature from one call to the next. */
function steady(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, item) =>
      key === 'requestId' ||
      key === 'timestamp' ||
      key === 'executionTimeMs' ||
      key === 'io.modelcontextprotocol/serverInfo'
        ? undefined
        : item,
    ).replace(/created at [^"]*/g, 'created at …'),
  );
}

const outcome = async (call: () => Promise<unknown>) => {
  try {
    return steady(await call());
  } catch (error) {
    return {
      code: (error as { code?: number }).code,
      message: (error as Error).message,
      data: (error as { data?: unknown }).data,
    };
  }
};

describe.each(['everything', 'files', 'memory', 'git'])('%s through the gate', (key) => {
  test('lists and answers as it does directly, field for field, to the v1 client', async () => {
    const where = scratch();
    const { launch, calls } = upstreams(where.folder)[key]!;
    const gate = await startGate({ where, servers: { [key]: launch } });
    const direct = await connectDirectly(launch);
    const through = (await gate.client.listTools()).tools;
    const expected = (await direct.listTools()).tools;
    expect(expected.length).toBeGreaterThan(5);
    expect(through.map((tool) => ({ ...tool, name: tool.name.replace(`${key}__`, '') }))).toEqual(expected);
    for (const call of calls) {
      const got = await outcome(() => gate.client.callTool({ ...call, name: `${key}__${call.name}` }));
      expect(got, call.name).toEqual(await outcome(() => direct.callTool(call)));
    }
  });

  test.each(['legacy', 'auto'] as const)('and to the v2 client, negotiating %s', async (mode) => {
    const where = scratch();
    const { launch, calls } = upstreams(where.folder)[key]!;
    await startGate({ where, servers: { [key]: launch } });
    const connect = async (command: string, args: readonly string[], env: Record<string, string>) => {
      const client = new ClientV2({ name: 'test-client', version: '1' }, { versionNegotiation: { mode } });
      await client.connect(
        new StdioV2({ command, args: [...args], env: { ...env, PATH: process.env['PATH']! }, stderr: 'ignore' }),
      );
      return client;
    };
    const gate = await connect(process.execPath, [DIST, '--config', where.config, '--state', where.state, 'serve'], {});
    const direct = await connect(launch.command, launch.args, (launch.env ?? {}) as Record<string, string>);
    try {
      expect(gate.getProtocolEra()).toBe(mode === 'auto' ? 'modern' : 'legacy');
      const through = (await gate.listTools()).tools;
      // The later protocol has no "execution": the SDK's server takes it out.
      const expected = (await direct.listTools()).tools.map(({ execution, ...tool }) =>
        mode === 'auto' ? tool : { ...tool, ...(execution !== undefined && { execution }) },
      );
      expect(through.map((tool) => ({ ...tool, name: tool.name.replace(`${key}__`, '') }))).toEqual(expected);
      for (const call of calls) {
        const got = (await outcome(() => gate.callTool({ ...call, name: `${key}__${call.name}` }))) as {
          _meta?: object;
        };
        if (got._meta !== undefined && Object.keys(got._meta).length === 0) delete got._meta;
        expect(got, call.name).toEqual(await outcome(() => direct.callTool(call)));
      }
    } finally {
      await gate.close();
      await direct.close();
    }
  });

  test('and to the inspector', async () => {
    const where = scratch();
    const { launch, calls } = upstreams(where.folder)[key]!;
    await startGate({ where, servers: { [key]: launch } });
    // It looks for its package.json from the working directory.
    const cwd = join(import.meta.dirname, '../../node_modules/@modelcontextprotocol/inspector-cli/build');
    const inspector = join(cwd, 'cli.js');
    const ask = (command: string, args: readonly string[], env: Record<string, string>, ...what: string[]) => {
      const variables = Object.entries(env).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
      const out = execFileSync(process.execPath, [inspector, '--cli', ...variables, command, ...args, ...what], {
        cwd,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      return JSON.parse(out) as { tools: { name: string }[] };
    };
    // The inspector takes --config for itself.
    const throughGate = (...what: string[]) =>
      ask(process.execPath, [DIST, 'serve'], { TOOLGATE_CONFIG: where.config, TOOLGATE_STATE: where.state }, ...what);
    const directly = (...what: string[]) =>
      ask(launch.command, launch.args, (launch.env ?? {}) as Record<string, string>, ...what);
    const listed = throughGate('--method', 'tools/list');
    expect(listed.tools.map((tool) => ({ ...tool, name: tool.name.replace(`${key}__`, '') }))).toEqual(
      directly('--method', 'tools/list').tools,
    );
    const call = calls[calls.length > 1 ? 1 : 0]!;
    const args = Object.entries(call.arguments).flatMap(([name, value]) => ['--tool-arg', `${name}=${value}`]);
    expect(steady(throughGate('--method', 'tools/call', '--tool-name', `${key}__${call.name}`, ...args))).toEqual(
      steady(directly('--method', 'tools/call', '--tool-name', call.name, ...args)),
    );
  });
});

test.each([
  ['compact', '{"jsonrpc":"2.0","id":$ID,"result":{"content":[],"n":12345678901234567890}}'],
  [
    'with an escape',
    '{"jsonrpc":"2.0","id":$ID,"result":{"content":[{"type":"text","text":"\\u0074"}],"n":12345678901234567890}}',
  ],
  ['with spaces', '{"jsonrpc": "2.0", "id": $ID, "result": {"content": [], "n": 12345678901234567890}}'],
])('a number too large for a double comes through as it was written: %s', async (_, raw) => {
  const { scripted } = await import('../support/servers.ts');
  const gate = await startGate({ servers: { s: scripted({ tools: ['get_it'], on: { get_it: { raw } } }) } });
  await gate.client.listTools();
  let wire = '';
  const { stdout } = (gate.client.transport as unknown as { _process: { stdout: NodeJS.ReadableStream } })._process;
  stdout.on('data', (chunk) => {
    wire += String(chunk);
  });
  await gate.client.callTool({ name: 's__get_it', arguments: {} });
  expect(wire).toContain('12345678901234567890');
});

test('and so to a client of the later protocol', async () => {
  const { scripted } = await import('../support/servers.ts');
  const raw = '{"jsonrpc":"2.0","id":$ID,"result":{"content":[],"structuredContent":{"n":12345678901234567890}}}';
  const where = scratch();
  await startGate({ where, servers: { s: scripted({ tools: ['get_it'], on: { get_it: { raw } } }) } });
  const transport = new StdioV2({
    command: process.execPath,
    args: [DIST, '--config', where.config, '--state', where.state, 'serve'],
    env: { PATH: process.env['PATH']! },
    stderr: 'ignore',
  });
  const client = new ClientV2({ name: 'test-client', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  try {
    await client.connect(transport);
    expect(client.getProtocolEra()).toBe('modern');
    await client.listTools();
    let wire = '';
    const { stdout } = (transport as unknown as { _process: { stdout: NodeJS.ReadableStream } })._process;
    stdout.on('data', (chunk) => {
      wire += String(chunk);
    });
    await client.callTool({ name: 's__get_it', arguments: {} });
    expect(wire).toContain('12345678901234567890');
  } finally {
    await client.close();
  }
});
