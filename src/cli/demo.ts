/** `toolgate demo`: real servers in a scratch folder, a scripted agent, and every decision before your eyes. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { verifyChain } from '../audit/chain.ts';
import { listEvents } from '../audit/query.ts';
import { GatewayError } from '../errors.ts';
import { visibleLine } from '../problem.ts';
import { processId } from '../upstream/orphans.ts';
import { answerHeld } from './demo-answer.ts';
import { stopDesk } from './desk.ts';
import { openHouse } from './house.ts';
import { atExit, complain, print, when } from './output.ts';

const POLICIES = `# The policies of the demo.
version: 1
policies:
  - name: History on the remote is never rewritten
    if: { integration: Git, tool: Push, args: { force: true } }
    action: block
    message: Push without force.

  - name: Nothing is deleted
    if: { operation: Delete }
    unless: { server: memory }
    action: block

  - name: A person decides what is forgotten
    if: { server: memory, operation: Delete }
    action: require approval

  - name: Alert when the demo agent writes a file
    if: { agent: Demo agent, integration: Filesystem, operation: Write }
    action: alert

  - name: Trial - commits wait for a person
    mode: monitor
    if: { integration: Git, tool: Commit }
    action: require approval
`;

interface Step {
  readonly say: string;
  readonly tool: string;
  readonly args: Record<string, unknown>;
  /** a policy asks a person first */
  readonly held?: true;
}

const AGENT = 'Demo agent';
/** As long as the question stays open. */
const CALL_MS = 600_000;

export async function demo(flags: { keep?: boolean }): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'toolgate-demo-'));
  const flagsOfHouse = { config: join(folder, 'config'), state: join(folder, 'state') };
  const stop = () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  const cleanUp = () => {
    if (!flags.keep) stop();
  };
  atExit.add(cleanUp);
  const interrupted = new AbortController();
  let transport: StdioClientTransport | null = null;
  let gatePid: number | null = null;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
  try {
    const repository = prepare(folder);
    await new Promise(setImmediate);
    if (interrupted.signal.aborted) return 130;
    print(
      `A scratch folder with a git repository, its bare remote, and three real MCP servers behind toolgate:\n${folder}\n`,
    );
    transport = new StdioClientTransport({
      command: process.execPath,
      args: [
        fileURLToPath(new URL('./toolgate.js', import.meta.url)),
        '--config',
        flagsOfHouse.config,
        '--state',
        flagsOfHouse.state,
        'serve',
        '--log-level',
        'error',
        '--hold',
        '10m',
      ],
      stderr: 'inherit',
    });
    const client = new Client({ name: AGENT, version: '1' });
    interrupted.signal.addEventListener('abort', () => void client.close());
    const connecting = client.connect(transport, { signal: interrupted.signal });
    gatePid = transport.pid;
    await connecting;
    const { tools } = await client.listTools();
    print(`The agent sees ${tools.length} tools through one server. Now it works:\n`);
    const house = await openHouse(flagsOfHouse);
    let seen = await house.store.read((tx) => listEvents(tx, { limit: 1 })[0]?.seq ?? 0);
    for (const step of steps(folder, repository)) {
      const calling = client.callTool(
        { name: step.tool, arguments: step.args },
        { signal: interrupted.signal, timeout: CALL_MS },
      );
      if (step.held) await answerHeld(house, flagsOfHouse, interrupted.signal, calling);
      const result = await calling;
      const event = await decisionAfter(house, seen, interrupted.signal);
      seen = event.seq;
      print(transcript(step, event.body, result as { isError?: boolean; content?: unknown }));
    }
    await client.close();
    await stopDesk(house, () => {});
    print(`\nThe bare remote: ${remoteLog(folder)}`);
    const log = await house.store.read((tx) => listEvents(tx, { type: 'call.decided', limit: 1000 }));
    const alerts = log.filter(({ body }) => body['toolgate.alerts'] !== undefined).length;
    const count = (decision: string) => log.filter(({ body }) => body['toolgate.policy.decision'] === decision).length;
    const chain = await house.store.read(verifyChain);
    await house.close();
    print(
      `The audit log: ${log.length} calls decided, ${count('allow')} allowed, ${count('block')} blocked, ${count('require approval')} asked, ${alerts} alerted; ${chain.events} events, ${chain.broken === null ? 'hash chain intact' : 'HASH CHAIN BROKEN'}.`,
    );
    print(
      `\nNext: README.md shows how to put your own servers behind the gate.${flags.keep ? `\nLook around: node bin/toolgate.cjs --config ${flagsOfHouse.config} --state ${flagsOfHouse.state} log` : '\nThe scratch folder is gone again; with --keep it stays, and you can look around in its log.'}`,
    );
    return interrupted.signal.aborted ? 130 : 0;
  } catch (error) {
    if (interrupted.signal.aborted) return 130;
    throw error;
  } finally {
    // The gate writes into the folder until it has gone.
    await transport?.close().catch(() => {});
    for (let tries = 0; gatePid !== null && processId(gatePid) !== null && tries < 60; tries++) await sleep(50);
    cleanUp();
  }
}

function prepare(folder: string): string {
  const repository = join(folder, 'repository');
  const remote = join(folder, 'remote.git');
  mkdirSync(join(folder, 'config'));
  const git = (...args: string[]) =>
    execFileSync(
      'git',
      [
        '-c',
        'user.name=Demo',
        '-c',
        'user.email=demo@example.com',
        '-c',
        'init.defaultBranch=main',
        '-c',
        'commit.gpgsign=false',
        ...args,
      ],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    );
  try {
    git('init', '--bare', remote);
    git('init', repository);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new GatewayError('config_invalid', 'the demo needs git: install it and try again', { cause: error });
  }
  git('-C', repository, 'config', 'user.name', 'Demo');
  git('-C', repository, 'config', 'user.email', 'demo@example.com');
  git('-C', repository, 'remote', 'add', 'origin', remote);
  writeFileSync(join(repository, 'README.md'), '# Scratch\n');
  git('-C', repository, 'add', '.');
  git('-C', repository, 'commit', '-m', 'First commit');
  git('-C', repository, 'push', '-u', 'origin', 'HEAD:main');
  const servers = {
    git: {
      command: process.execPath,
      args: [entryOf('@cyanheads/git-mcp-server', 'dist/index.js')],
      env: {
        MCP_TRANSPORT_TYPE: 'stdio',
        MCP_LOG_LEVEL: 'error',
        LOGS_DIR: join(folder, 'logs'),
        GIT_SIGN_COMMITS: 'false',
      },
      integration: 'Git',
    },
    files: {
      command: process.execPath,
      args: [entryOf('@modelcontextprotocol/server-filesystem', 'dist/index.js'), repository],
      integration: 'Filesystem',
    },
    memory: {
      command: process.execPath,
      args: [entryOf('@modelcontextprotocol/server-memory', 'dist/index.js')],
      env: { MEMORY_FILE_PATH: join(folder, 'memory.jsonl') },
    },
  };
  writeFileSync(join(folder, 'config', 'servers.json'), JSON.stringify({ mcpServers: servers }, null, 2));
  writeFileSync(join(folder, 'config', 'policies.yaml'), POLICIES);
  return repository;
}

/** The servers are development dependencies: the demo runs from a checkout. */
function entryOf(name: string, file: string): string {
  const roots = createRequire(import.meta.url).resolve.paths(name) ?? [];
  const found = roots.map((root) => join(root, name, file)).find(existsSync);
  if (found === undefined)
    throw new GatewayError(
      'config_invalid',
      `the demo needs ${name}: run it from a checkout of toolgate, after "npm ci"`,
    );
  return found;
}

function steps(folder: string, repository: string): Step[] {
  return [
    { say: 'look at the history', tool: 'git__git_log', args: { path: repository, maxCount: 3 } },
    {
      say: 'write a file',
      tool: 'files__write_file',
      args: { path: join(repository, 'notes.md'), content: 'Hello from an agent.\n' },
    },
    { say: 'stage it', tool: 'git__git_add', args: { path: repository, paths: ['notes.md'] } },
    { say: 'commit it', tool: 'git__git_commit', args: { path: repository, message: 'Add notes' } },
    {
      say: 'push it with force',
      tool: 'git__git_push',
      args: { path: repository, remote: 'origin', branch: 'main', force: true },
    },
    { say: 'push it', tool: 'git__git_push', args: { path: repository, remote: 'origin', branch: 'main' } },
    { say: 'throw work away', tool: 'git__git_reset', args: { path: repository, mode: 'hard', target: 'HEAD~1' } },
    {
      say: 'remember something',
      tool: 'memory__create_entities',
      args: { entities: [{ name: 'demo', entityType: 'note', observations: ['it works'] }] },
    },
    { say: 'forget it again', tool: 'memory__delete_entities', args: { entityNames: ['demo'] }, held: true },
    {
      say: 'read outside its folder',
      tool: 'files__read_text_file',
      args: { path: join(folder, 'config', 'policies.yaml') },
    },
  ];
}

const EVENT_WAIT_MS = 5000;

async function decisionAfter(house: Awaited<ReturnType<typeof openHouse>>, seq: number, signal: AbortSignal) {
  const deadline = Date.now() + EVENT_WAIT_MS;
  while (Date.now() < deadline && !signal.aborted) {
    const event = await house.store.read((tx) => listEvents(tx, { type: 'call.decided', afterSeq: seq, limit: 1 })[0]);
    if (event !== undefined) return event;
    await sleep(10);
  }
  throw new GatewayError('timeout', 'the decision did not appear in the log');
}

function transcript(
  step: Step,
  body: Record<string, unknown>,
  result: { isError?: boolean; content?: unknown },
): string {
  const decision = String(body['toolgate.policy.decision']);
  const alerted = Array.isArray(body['toolgate.alerts']);
  const would = body['toolgate.policy.would'];
  const held = decision === 'require approval';
  const shown = held ? (result.isError ? 'held, no run' : 'held, ran') : alerted ? `${decision}+alert` : decision;
  const monitored = (body['toolgate.policy.reasons'] as { policy: string; mode: string }[]).find(
    ({ mode }) => mode === 'monitor',
  );
  const policy = alerted
    ? (body['toolgate.alerts'] as string[])[0]
    : would === undefined
      ? body['toolgate.policy.name']
      : `would be: ${would}, by ${monitored?.policy}`;
  const what = `${body['toolgate.integration']} · ${body['toolgate.tool.title']} [${body['toolgate.operation'] ?? 'unknown'}]`;
  const text = (result.content as { text?: string }[] | undefined)?.[0]?.text ?? '';
  const answer = result.isError ? `\n${' '.repeat(10)}→ ${shortened(visibleLine(text))}` : '';
  return `${when(Number(body.ts)).slice(11)}  ${AGENT}: ${step.say.padEnd(24)} ${what.padEnd(44)} ${shown.padEnd(12)} ${policy}${answer}`;
}

function shortened(text: string): string {
  return text.length <= 150 ? text : `${text.slice(0, 149)}…`;
}

function remoteLog(folder: string): string {
  try {
    return execFileSync('git', ['-C', join(folder, 'remote.git'), 'log', '--oneline', 'main'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
      .trim()
      .split('\n')
      .join(' | ');
  } catch {
    complain('the remote could not be read');
    return '';
  }
}
