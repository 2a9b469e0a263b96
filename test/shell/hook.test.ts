/** Hooks as agents start them: a payload in, an answer out, and a real repository with a bare remote behind it. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { approvals, open, say } from '../support/approvals.ts';
import { eventually, readEvents, run } from '../support/gate.ts';
import { AGENTS, type House, house as houseWith, payload } from '../support/hooks.ts';
import type { Scratch } from '../support/scratch.ts';

const POLICIES = `policies:
  - { name: No forced pushes, if: { integration: Git, tool: push, operation: Delete }, action: block, message: Rebase and ask. }
  - { name: Ask before a push, if: { integration: Git, tool: push }, action: require approval }
`;

const house = (policies = POLICIES) => houseWith(policies);

/** The hook's own fields of what is decided. */
const decided = (where: Scratch) => readEvents(where.state, 'call.decided');

describe.each(AGENTS)('%s', (agent) => {
  test('a blocked push leaves the remote as it was', async () => {
    const where = house();
    const before = where.remoteHead();
    const answer = await where.agentRuns(agent, 'git push --force origin main');
    expect(answer.code).toBe(2);
    expect(answer.err).toContain('the policy "No forced pushes" blocks it. Rebase and ask.');
    expect(answer.out).toContain('No forced pushes');
    expect(where.remoteHead()).toBe(before);
    expect(decided(where)).toMatchObject([
      { 'gen_ai.tool.name': 'git push', 'toolgate.via': 'cli', 'toolgate.policy.decision': 'block' },
    ]);
  });

  test('an approved push runs once', async () => {
    const where = house();
    const before = where.remoteHead();
    const held = where.agentRuns(agent, 'git push origin main');
    const [asked] = await open(where);
    expect(asked).toMatchObject({ subject: { integration: 'Git', tool: 'Push', via: 'cli' } });
    expect(where.remoteHead()).toBe(before);
    await say(where, 'approve', asked.code);
    expect(await held).toMatchObject({ code: 0, err: '' });
    expect(where.remoteHead()).not.toBe(before);
    expect(await approvals(where, '--all')).toMatchObject([{ code: asked.code, state: 'used' }]);
    expect(readEvents(where.state, 'call.completed')).toMatchObject([{ 'toolgate.status': 'released' }]);
    // It is spent: the same command is asked about anew.
    expect(
      await where.hook(agent, payload(agent, 'git push origin main', where.repository), '--hold', '1s'),
    ).toMatchObject({ code: 2, err: expect.stringContaining('pending') });
  });
});

describe('what is held', () => {
  test('an answer that comes after the hook has ended counts for the same command, once', async () => {
    const where = house();
    const command = 'git push origin main';
    const first = await where.agentRuns('claude-code', command, '--hold', '1s');
    expect(first.code).toBe(2);
    expect(first.err).toMatch(/pending \w{4}: .* run exactly the same command again/);
    const [asked] = await open(where);
    await say(where, 'approve', asked.code);
    const another = await where.agentRuns('claude-code', 'git push origin main:other', '--hold', '1s');
    expect(another.code).toBe(2);
    expect(await where.agentRuns('claude-code', command)).toMatchObject({ code: 0 });
    expect((await where.agentRuns('claude-code', command, '--hold', '1s')).code).toBe(2);
  });

  test('an approval is for where the push goes: another remote by then is asked about anew', async () => {
    const where = house();
    const command = 'git push origin main';
    expect((await where.agentRuns('claude-code', command, '--hold', '1s')).code).toBe(2);
    const [asked] = await open(where);
    await say(where, 'approve', asked.code);
    execFileSync('git', ['-C', where.repository, 'remote', 'set-url', 'origin', join(where.folder, 'elsewhere.git')]);
    const again = await where.agentRuns('claude-code', command, '--hold', '1s');
    expect(again).toMatchObject({ code: 2, err: expect.stringContaining('pending') });
    expect(again.err).not.toContain(asked.code);
  });

  test('in one folder is not approved in another', async () => {
    const where = house();
    const other = join(where.folder, 'other');
    execFileSync('cp', ['-r', where.repository, other]);
    const command = 'git push origin main';
    await where.agentRuns('claude-code', command, '--hold', '1s');
    const [asked] = await open(where);
    await say(where, 'approve', asked.code);
    expect((await where.hook('claude-code', payload('claude-code', command, other), '--hold', '1s')).code).toBe(2);
    expect((await where.agentRuns('claude-code', command)).code).toBe(0);
  });

  test('nobody is asked any more once the desk is killed and can not come back: it does not run', async () => {
    const where = house();
    const held = where.agentRuns('claude-code', 'git push origin main', '--hold', '60s');
    await open(where);
    const { pid } = await eventually(async () => JSON.parse((await run(where, ['status', '--json'])).out).desk);
    const before = where.remoteHead();
    // A folder where its lock belongs: no other can start.
    process.kill(pid, 'SIGKILL');
    await eventually(() => {
      rmSync(join(where.state, 'desk.lock'), { recursive: true, force: true });
      mkdirSync(join(where.state, 'desk.lock'), { recursive: true });
      return true;
    });
    const answer = await held;
    expect(answer.code).toBe(2);
    expect(answer.err).toMatch(/not run/);
    expect(where.remoteHead()).toBe(before);
  });

  test('a denial is told with its reason', async () => {
    const where = house();
    const held = where.agentRuns('codex', 'git push origin main');
    const [asked] = await open(where);
    await say(where, 'deny', asked.code, { reason: 'Not on a Friday' });
    expect(await held).toMatchObject({ code: 2, err: expect.stringContaining('Not on a Friday') });
  });
});

describe('a line', () => {
  test.each(['ls -la', 'rg TODO src | head', 'true', 'echo git'])('%s is none of our affair', async (command) => {
    const where = house();
    expect(await where.agentRuns('claude-code', command)).toEqual({ code: 0, out: '', err: '' });
    expect(() => readFileSync(join(where.state, 'toolgate.db'))).toThrow();
  });

  test.each(['make test', 'npm test'])('%s is recorded and not disturbed', async (command) => {
    const where = house();
    expect(await where.hook('claude-code', payload('claude-code', command, where.repository))).toEqual({
      code: 0,
      out: '',
      err: '',
    });
    expect(decided(where)).toMatchObject([{ 'gen_ai.tool.name': command.split(' ')[0] }]);
  });

  test('is one decision and one record with its calls: the strictest holds, and nothing of it runs before', async () => {
    const where = house();
    const before = where.remoteHead();
    const answer = await where.agentRuns('claude-code', 'git fetch && git push origin main; git push -f');
    expect(answer.code).toBe(2);
    expect(answer.err).toContain('No forced pushes');
    expect(where.remoteHead()).toBe(before);
    const [only, ...others] = decided(where);
    expect(others).toEqual([]);
    expect(only!['toolgate.calls'].map((call: any) => call['gen_ai.tool.name'])).toEqual([
      'git fetch',
      'git push',
      'git push',
    ]);
  });

  test('is shown by what is decided on most strictly in it, and each alert by what raises it', async () => {
    const where = house(`policies:
  - { name: Ask before a push, if: { integration: Git, tool: push }, action: require approval }
  - { name: Tell of commits, if: { integration: Git, tool: commit }, action: alert }
`);
    const line = 'git status && git commit -m x && git push origin main';
    expect((await where.agentRuns('claude-code', line, '--hold', '1s')).code).toBe(2);
    expect(await approvals(where)).toMatchObject([{ subject: { tool: 'Push', operation: 'Write' } }]);
    expect(decided(where)).toMatchObject([
      { 'gen_ai.tool.name': 'git push', 'toolgate.calls': [{}, {}, { 'gen_ai.tool.name': 'git push' }] },
    ]);
    const alerts = JSON.parse((await run(where, ['alerts', '--json'])).out) as { policy: string; title: string }[];
    expect(alerts.filter(({ policy }) => policy === 'Tell of commits')).toMatchObject([
      { title: 'Claude Code tried to call Git · Commit' },
    ]);
  });

  test('of a session is judged by what the session did before', async () => {
    const where = house(`policies:
  - name: No push after a clean
    if: { integration: Git, tool: push, session has: { integration: Git, operation: Delete } }
    action: block
`);
    const hook = (command: string, session: string) =>
      where.hook('claude-code', { ...payload('claude-code', command, where.repository), session_id: session });
    expect((await hook('git push origin main', 'a')).code).toBe(0);
    expect((await hook('git clean -fd', 'a')).code).toBe(0);
    expect((await hook('git push origin main', 'b')).code).toBe(0);
    expect((await hook('git push origin main', 'a')).err).toContain('No push after a clean');
  });

  test.each([
    'make test',
    'npm test',
    'ls -la',
    'rg -n TODO src',
    'git status',
    'git diff --stat',
    'cargo build',
    'cd web && npm run lint',
  ])('such as %s is not disturbed by the four examples', async (command) => {
    const where = house(readFileSync(join(import.meta.dirname, '../../policies.example.yaml'), 'utf8'));
    expect(await where.hook('claude-code', payload('claude-code', command, where.repository))).toEqual({
      code: 0,
      out: '',
      err: '',
    });
  });

  test("is read with the aliases that Claude Code's shell has", async () => {
    const where = house();
    const snapshots = join(where.folder, '.claude', 'shell-snapshots');
    mkdirSync(snapshots, { recursive: true });
    const text = "# Aliases\nalias -- gpf='git push --force'\nalias l='ls -l'\n";
    writeFileSync(join(snapshots, 'snapshot-bash-1-x.sh'), text);
    const hook = (agent: 'claude-code' | 'codex', command: string) =>
      where.hook(agent, payload(agent, command, where.repository));
    expect(await hook('claude-code', 'gpf origin main')).toMatchObject({ code: 2 });
    expect(await hook('claude-code', 'l')).toMatchObject({ code: 0 });
    expect(await hook('codex', 'gpf origin main')).toMatchObject({ code: 0 });
  });

  test('for PowerShell that speaks of git may be anything of git', async () => {
    const where = house(
      'policies: [{ name: No deleting, if: { integration: Git, operation: Delete }, action: block }]',
    );
    const asked = { ...payload('claude-code', '& git.exe status', where.repository), tool_name: 'PowerShell' };
    expect(await where.hook('claude-code', asked)).toMatchObject({ code: 2 });
  });

  test("of an agent whose hook another's payload comes through is judged as both", async () => {
    const where = house('policies: [{ name: Not Cursor, if: { agent: Cursor, integration: Git }, action: block }]');
    const asked = payload('cursor', 'git status', where.repository);
    expect(await where.hook('claude-code', asked)).toMatchObject({
      code: 2,
      out: expect.stringContaining('"permission":"deny"'),
    });
  });

  test('is judged by where its client says that the agent works, not by where the agent wants it to run', async () => {
    const where = house(`defaults: { action: block }
policies: [{ name: In scratch, if: { workspace: "${join(tmpdir(), 'elsewhere')}" }, action: allow }]`);
    const asked = payload('codex', 'git status', where.repository) as any;
    asked.tool_input.workdir = join(tmpdir(), 'elsewhere');
    expect((await where.hook('codex', asked)).code).toBe(2);
    asked.cwd = asked.tool_input.workdir;
    expect((await where.hook('codex', asked)).code).toBe(0);
  });

  test('of an agent that is seen for the first time makes it known', async () => {
    const where = house();
    await where.agentRuns('gemini', 'git status');
    const agents = JSON.parse((await run(where, ['agents', '--json'])).out);
    expect(agents).toMatchObject([{ name: 'Gemini CLI', strength: 'claimed' }]);
  });
});

describe('whatever goes wrong, the command does not run', () => {
  const push = (where: House, ...flags: string[]) =>
    where.hook('claude-code', payload('claude-code', 'git push', where.repository), ...flags);

  test.each([
    ['no payload', ''],
    ['half a payload', '{"hook_event_name":"PreToolUse","tool_na'],
    ['a payload without a command', '{"hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":{}}'],
  ])('%s', async (_, input) => {
    const answer = await house().hook('claude-code', input);
    expect(answer.code).toBe(2);
    expect(answer.err).toContain('toolgate could not judge this command, so it must not run: ');
    expect(JSON.parse(answer.out)).toMatchObject({ hookSpecificOutput: { permissionDecision: 'deny' } });
  });

  test('an agent that nobody knows', async () => {
    expect(await house().hook('claud-code', '{}')).toMatchObject({
      code: 2,
      err: expect.stringContaining('did you mean "claude-code"?'),
    });
  });

  test('flags that nobody knows', async () => expect((await push(house(), '--nonsense')).code).toBe(2));

  test('rules with a mistake and none before them', async () => {
    const answer = await push(house('policies: [{ nam: x }]'));
    expect(answer.code).toBe(2);
    expect(answer.err).toContain('policies.yaml:1:');
  });

  test('a mistake in the rules after good ones: those stay in force', async () => {
    const where = house();
    expect((await where.agentRuns('claude-code', 'git push -f')).code).toBe(2);
    writeFileSync(join(where.config, 'policies.yaml'), 'policies: [{ nam: x }]');
    const answer = await where.agentRuns('claude-code', 'git push -f');
    expect(answer).toMatchObject({ code: 2, err: expect.stringContaining('No forced pushes') });
    expect((await where.agentRuns('claude-code', 'git status')).code).toBe(0);
  });

  test('a state folder that is none', async () => {
    const where = house();
    writeFileSync(where.state, 'a file');
    expect(await push(where)).toMatchObject({ code: 2, err: expect.stringMatching(/must not run: .+/) });
  });

  test('a store that is locked', async () => {
    const where = house();
    await where.agentRuns('claude-code', 'git status');
    const database = new DatabaseSync(join(where.state, 'toolgate.db'));
    database.exec('BEGIN EXCLUSIVE');
    try {
      expect((await push(where)).code).toBe(2);
    } finally {
      database.exec('ROLLBACK');
      database.close();
    }
  });

  test.each(['git status', 'git commit --allow-empty -m x'])(
    'a store that is locked for a while: what was refused is not released afterwards: %s',
    async (command) => {
      const where = house('policies: []');
      await where.agentRuns('claude-code', 'git log');
      const released = () => readEvents(where.state, 'call.completed').length;
      const before = released();
      const database = new DatabaseSync(join(where.state, 'toolgate.db'));
      onTestFinished(() => database.close());
      database.exec('BEGIN IMMEDIATE');
      // Until after it has given up, and before it would have tried again.
      const unlocked = new Promise<void>((resolve) =>
        setTimeout(() => {
          database.exec('ROLLBACK');
          resolve();
        }, 6000),
      );
      expect(await where.agentRuns('claude-code', command)).toMatchObject({
        code: 2,
        err: expect.stringContaining('locked'),
      });
      await unlocked;
      expect(released()).toBe(before);
    },
    30_000,
  );

  test.each(['git push origin main', 'git status'])('a disk that is full: %s', async (command) => {
    const where = house('policies: []');
    await where.agentRuns('claude-code', 'git status');
    const database = new DatabaseSync(join(where.state, 'toolgate.db'));
    // As SQLite says it when nothing can be written any more.
    database.exec(
      "CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END",
    );
    database.close();
    expect(await where.agentRuns('claude-code', command)).toMatchObject({
      code: 2,
      err: expect.stringContaining('disk is full'),
    });
  });

  test('no desk to ask: nobody can answer, and it does not run', async () => {
    const where = house();
    // A folder where its lock belongs: no desk can start.
    await where.agentRuns('claude-code', 'git status');
    mkdirSync(join(where.state, 'desk.lock'), { recursive: true });
    const answer = await where.agentRuns('claude-code', 'git push origin main', '--hold', '30s');
    expect(answer.code).toBe(2);
    expect(answer.err).toMatch(/not run/);
  });

  test('a reader that has gone', async () => {
    const where = house();
    const child = spawn(
      process.execPath,
      [
        join(import.meta.dirname, '../../dist/toolgate.js'),
        '--config',
        where.config,
        '--state',
        where.state,
        'hook',
        'claude-code',
      ],
      { env: { PATH: process.env['PATH']!, HOME: where.folder }, stdio: ['pipe', 'pipe', 'pipe'] },
    );
    child.stdout.destroy();
    child.stderr.destroy();
    child.stdin.end(JSON.stringify(payload('claude-code', 'git push -f', where.repository)));
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(2);
  });

  test('variables that would lead it to other rules are not looked at', async () => {
    const where = house();
    const other = house('policies: []');
    // Started without flags it takes the platform's own folder, whatever the environment says.
    const home = join(where.folder, '.config', 'toolgate');
    mkdirSync(join(where.folder, '.config'));
    execFileSync('cp', ['-r', where.config, home]);
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, '../../dist/toolgate.js'), 'hook', 'claude-code'],
      {
        env: {
          PATH: process.env['PATH']!,
          HOME: where.folder,
          TOOLGATE_CONFIG: other.config,
          TOOLGATE_STATE: other.state,
          XDG_CONFIG_HOME: other.folder,
        },
        stdio: ['pipe', 'ignore', 'ignore'],
      },
    );
    child.stdin.end(JSON.stringify(payload('claude-code', 'git push -f', where.repository)));
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(2);
  });
});

test('the same rules at both doors', async () => {
  const where = house();
  await where.agentRuns('claude-code', 'git push --force');
  const listed = await run(where, ['log', 'list', '--json', '--decision', 'block']);
  expect(listed.out).toContain('No forced pushes');
  expect(await eventually(() => decided(where).length === 1 && decided(where))).toMatchObject([
    { 'toolgate.integration': 'Git', 'toolgate.tool': 'push', 'toolgate.operation': 'Delete' },
  ]);
});
