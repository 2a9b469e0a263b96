import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { connectGate, eventually, run, startGate, textOf } from '../support/gate.ts';
import { scratch } from '../support/scratch.ts';
import { scripted } from '../support/servers.ts';
import { terminal } from '../support/terminal.ts';
import { TIMED } from '../support/timed.ts';

const servers = {
  hub: { ...scripted({ tools: ['list_issues', 'create_issue', 'delete_file'] }), integration: 'GitHub' },
};
const POLICIES = `version: 1
policies:
  - name: Block all writes and deletions on GitHub
    if: { integration: GitHub, operation: Write or Delete }
    action: block
    message: Ask Ann instead.
`;

function configured(policies = POLICIES) {
  const where = scratch();
  writeFileSync(join(where.config, 'servers.json'), JSON.stringify({ mcpServers: servers }));
  writeFileSync(join(where.config, 'policies.yaml'), policies);
  return where;
}

describe('toolgate', () => {
  test('helps, with examples, and refuses what it does not know', async () => {
    const where = scratch();
    const help = await run(where, ['--help']);
    expect(help.code).toBe(0);
    for (const command of [
      'demo',
      'serve',
      'policy',
      'log',
      'agents',
      'tools',
      'catalog',
      'alerts',
      'desk',
      'status',
      'approvals',
      'approve',
      'deny',
      'reviewers',
      'console',
      'doctor',
    ])
      expect(help.out).toContain(command);
    expect((await run(where, ['policy', 'explain', '--help'])).out).toContain(
      'toolgate policy explain github/create_issue',
    );
    expect(await run(where, ['nonsense'])).toMatchObject({ code: 2, out: '' });
    expect(await run(where, ['log', '--nonsense'])).toMatchObject({ code: 2, out: '' });
    expect((await run(where, ['pollicy'])).err).toContain('Did you mean policy?');
  });

  test('policy check: 0 and quiet, or 1 with every problem', async () => {
    const where = configured();
    expect(await run(where, ['policy', 'check'])).toEqual({ code: 0, out: '', err: '1 policy, 0 warnings\n' });
    writeFileSync(
      join(where.config, 'policies.yaml'),
      POLICIES.replace('GitHub,', 'Githab,').replace('action: block', 'action: deny'),
    );
    const bad = await run(where, ['policy', 'check']);
    expect(bad.code).toBe(1);
    expect(bad.out).toContain('policies.yaml:4:24 error: "Githab" is not a known integration');
    expect(bad.out).toContain('policies.yaml:5:13 error: "deny" is not an action');
    const json = JSON.parse((await run(where, ['policy', 'check', '--json'])).out);
    expect(json).toMatchObject({ ok: false, problems: [{ line: 4, severity: 'error' }, { line: 5 }] });
    expect((await run(scratch(), ['policy', 'check'])).out).toContain('servers.json error: there is no');
  });

  test('policy explain: each policy with each condition, and the decision', async () => {
    const where = configured();
    const explained = await run(where, ['policy', 'explain', 'github/create_issue', '--agent', 'Cursor']);
    expect(explained.code).toBe(1);
    expect(explained.out).toContain('Cursor (claimed, Unreviewed) calls GitHub · Create issue (Unreviewed)');
    expect(explained.out).toContain(
      '▶ Block all writes and deletions on GitHub  [block]  policies.yaml:3  applies, and decides',
    );
    expect(explained.out).toContain('✓ integration: GitHub   (GitHub)');
    expect(explained.out).toContain('✓ operation: Write or Delete   (Write)');
    expect(explained.out).toContain('decision: block, by Block all writes and deletions on GitHub (policies.yaml:3)');
    expect(await run(where, ['policy', 'explain', 'github/list_issues'])).toMatchObject({
      code: 0,
      out: expect.stringContaining('✗ operation: Write or Delete   (Read)'),
    });
    expect((await run(where, ['policy', 'explain', 'github/no_such_tool'])).out).toContain(
      "? operation: Write or Delete   (unknown)  can't tell",
    );
    expect(
      JSON.parse((await run(where, ['policy', 'explain', 'github/create_issue', '--json'])).out).decision.effect,
    ).toBe('block');
    expect(await run(where, ['policy', 'explain', 'create_issue'])).toMatchObject({ code: 2, out: '' });
    expect(await run(where, ['policy', 'explain', 'githob/create_issue'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('did you mean "github"?'),
    });
    expect((await run(where, ['policy', 'explain', 'github/create_isue'])).err).toContain(
      'did you mean "create_issue"?',
    );
    expect(await run(where, ['policy', 'explain', 'github/x', '--args', '{'])).toMatchObject({ code: 2, out: '' });
  });

  test('policy explain judges as the gate does: by the launch, the tools shown, the statuses set', async () => {
    const policies = `${POLICIES}  - { name: Never, if: { tool review status: Disallowed }, action: block }\n  - { name: Bad agents, if: { agent review status: Disallowed }, action: block }\n`;
    const gate = await startGate({
      servers: {
        a: scripted({ tools: ['git_status', 'git_diff', 'git_log', 'things'] }),
        hub: { ...servers.hub },
        b: scripted({ tools: [{ name: 'things', annotations: { readOnlyHint: true } }] }),
      },
      policies,
      clientName: 'cursor-vscode',
    });
    await gate.client.listTools();
    const explain = async (what: string) => (await run(gate, ['policy', 'explain', what, '--agent', 'Cursor'])).out;
    expect(await explain('hub/create_issue')).toContain('decision: block, by Block all');
    expect(await explain('hub__create_issue')).toContain('decision: block, by Block all');
    expect(await explain('a/git_log')).toContain('calls Git · Show log');
    expect(await explain('b/things')).toContain('operation: Read (inferred');
    await run(gate, ['tools', 'disallow', 'b', 'things']);
    expect(await explain('b/things')).toContain('decision: block, by Never');
    await run(gate, ['agents', 'disallow', 'Cursor']);
    expect(await explain('a/git_log')).toContain('decision: block, by Bad agents');
    expect(textOf(await gate.client.callTool({ name: 'a__git_log', arguments: {} }))).toContain('Bad agents');
  });

  test('a reader that goes away, and an output that is full', async () => {
    const { execFileSync } = await import('node:child_process');
    const { DIST } = await import('../support/servers.ts');
    const where = configured();
    const shell = (line: string) =>
      execFileSync('bash', ['-c', line], {
        encoding: 'utf8',
        env: {
          PATH: process.env['PATH']!,
          HOME: where.folder,
          T: `${process.execPath} ${DIST} --config ${where.config} --state ${where.state}`,
        },
      });
    expect(shell('$T catalog show github 2>&1 | head -1; echo "${PIPESTATUS[0]}"')).toMatch(/^TOOL.*\n0\n$/);
    expect(shell('$T catalog show github 2>&1 >/dev/full; echo $?')).toMatch(
      /^toolgate: the output could not be written: .*\n3\n$/,
    );
  });

  test('an empty folder or name is no folder and no name', async () => {
    const where = configured();
    for (const args of [
      ['--state', '', 'status'],
      ['agents', 'allow', ''],
      ['agents', 'register', ' '],
      ['alerts', '--limit', '99999999999999999999'],
      ['log', '--decision', 'deny'],
      ['serve', '--log-level', 'loud'],
    ]) {
      const ran = await run(where, args);
      expect([2, 3], args.join(' ')).toContain(ran.code);
      expect(ran.out).toBe('');
      expect(ran.err).not.toMatch(/\n\s+at /);
    }
    expect((await run({ ...where, state: '/proc/nowhere' }, ['status'])).err).toMatch(
      /the store in \/proc\/nowhere can't be used: .*check who may write there/,
    );
  });

  test('log, why, status, tools and alerts tell what happened', async () => {
    const where = configured();
    expect((await run(where, ['log'])).err).toBe('nothing is recorded that matches\n');
    const gate = await startGate({ where, servers, policies: POLICIES, clientName: 'cursor-vscode' });
    await gate.client.callTool({ name: 'hub__list_issues', arguments: { owner: 'o' } });
    const refused = await gate.client.callTool({
      name: 'hub__create_issue',
      arguments: { title: 'T\u001b[31m', token: 'hunter2hunter2' },
    });
    expect(textOf(refused)).toBe(
      'toolgate: GitHub · Create issue was not run: the policy "Block all writes and deletions on GitHub" blocks it. Ask Ann instead. Do not try it again or by another way; tell the user what you wanted to do and why.',
    );
    await eventually(() => gate.events('call.completed').length === 1);

    const blocked = await run(where, ['log', '--decision', 'block', '--agent', 'cursor']);
    expect(blocked.out.trim().split('\n')).toHaveLength(1);
    expect(blocked.out).toMatch(
      /block\s+Cursor\s+GitHub · Create issue \[Write\]\s+Block all writes and deletions on GitHub/,
    );
    expect((await run(where, ['log', '--integration', 'github', '--operation', 'Read'])).out).toContain('List issues');
    expect(
      (await run(where, ['log', '--since', '1h', '--text', 'create_issue', '--json'])).out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
        .every(({ time }) => time.endsWith('Z')),
    ).toBe(true);
    expect(await run(where, ['log', '--since', 'yesterday'])).toMatchObject({ code: 2, out: '' });
    expect(await run(where, ['log', '--limit', '0'])).toMatchObject({ code: 2, out: '' });

    const id = String((refused._meta as Record<string, Record<string, unknown>>)['toolgate/decision']!['call_id']);
    const why = await run(where, ['log', 'why', id.toLowerCase()]);
    expect(why.code).toBe(0);
    expect(why.out).toContain('create_issue on hub, review status Unreviewed');
    expect(why.out).not.toContain('\u001b');
    expect(why.out).not.toContain('hunter2');
    expect(await run(where, ['log', 'why', 'NOSUCHCALL'])).toMatchObject({ code: 1, out: '' });

    const status = await run(where, ['status']);
    expect(status.code).toBe(0);
    expect(status.out).toMatch(/last 24 h {2}1 allow, 1 block; 0 alerts/);
    expect(JSON.parse((await run(where, ['status', '--json'])).out)).toMatchObject({
      policies: 1,
      agents: 1,
      tools: { seen: 3 },
      rules: { stale: false },
    });
    expect((await run(where, ['tools'])).out).toMatch(/hub\s+create_issue\s+github\s+Write\s+catalog\s+Unreviewed/);
    expect((await run(where, ['alerts'])).err).toBe('no alert so far\n');
    expect((await run(where, ['log', 'verify'])).code).toBe(0);
  });

  test('log tail shows what is recorded from then on, until it is stopped', async () => {
    const { spawn } = await import('node:child_process');
    const { DIST } = await import('../support/servers.ts');
    const where = configured();
    const gate = await startGate({ where, servers, policies: POLICIES });
    await gate.client.listTools();
    const tail = spawn(
      process.execPath,
      [DIST, '--config', where.config, '--state', where.state, 'log', 'tail', '--type', 'call.decided'],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let out = '';
    tail.stdout.on('data', (chunk) => {
      out += String(chunk);
    });
    await eventually(async () => {
      await gate.client.callTool({ name: 'hub__create_issue', arguments: {} });
      return out.includes('Create issue');
    });
    expect(out).not.toContain('tool.discovered');
    tail.kill('SIGINT');
    expect(await new Promise((resolve) => tail.once('exit', resolve))).toBe(0);
  });

  test('catalog list and show', async () => {
    const where = scratch();
    expect((await run(where, ['catalog'])).out).toMatch(/GitHub\s+github/);
    expect((await run(where, ['catalog', 'show', 'github'])).out).toMatch(/Delete file\s+delete_file\s+Delete/);
    expect(await run(where, ['catalog', 'show', 'githab'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('did you mean "GitHub"?'),
    });
  });
});

describe('agents', () => {
  test("are listed, allowed and disallowed; the file's word counts more", async () => {
    const where = configured('agents: { Zed: Allowed }\npolicies: []\n');
    const gate = await connectGate(where, { clientName: 'cursor-vscode' });
    await gate.client.listTools();
    await eventually(() => gate.events('agent.discovered')[0]);
    expect((await run(where, ['agents'])).out).toMatch(/Cursor\s+Unreviewed\s+default\s+claimed\s+clientInfo/);
    expect((await run(where, ['agents', 'disallow', 'cursor'])).code).toBe(0);
    expect((await run(where, ['agents'])).out).toMatch(/Cursor\s+Disallowed\s+command/);
    expect(await run(where, ['agents', 'disallow', 'Zed'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('policies.yaml says that Zed is Allowed'),
    });
    expect((await run(where, ['agents', 'allow', 'Zed'])).code).toBe(0);
  });

  test('a registered agent is surely known; a claim of its name is not', async () => {
    const where = configured(
      'defaults: { unclassified: allow }\npolicies:\n  - { name: Only Claude Code, if: { integration: GitHub }, unless: { agent: Claude Code }, action: block }\n',
    );
    const registered = JSON.parse((await run(where, ['agents', 'register', 'claude-code', '--json'])).out);
    expect(registered.entry.args).toContain('Claude Code');
    const call = { name: 'hub__create_issue', arguments: {} };
    const sure = await connectGate(where, {
      clientName: 'claude-code',
      args: ['--agent', 'Claude Code'],
      env: { TOOLGATE_AGENT_KEY: registered.key },
    });
    expect((await sure.client.callTool(call)).isError ?? false).toBe(false);
    const claimed = await connectGate(where, { clientName: 'claude-code' });
    expect((await claimed.client.callTool(call)).isError).toBe(true);
    const flagged = await connectGate(where, { clientName: 'cursor-vscode', args: ['--agent', 'Claude Code'] });
    expect((await flagged.client.callTool(call)).isError).toBe(true);
    await expect(
      connectGate(where, { args: ['--agent', 'Claude Code'], env: { TOOLGATE_AGENT_KEY: 'tgk_wrong' } }),
    ).rejects.toThrow();
    const strengths = sure
      .events('call.decided')
      .map((event) => [event['gen_ai.agent.name'], event['toolgate.agent.strength']]);
    expect(strengths).toEqual([
      ['Claude Code', 'registered'],
      ['Claude Code', 'claimed'],
      ['Claude Code', 'claimed'],
    ]);
    const shown = await run(where, ['agents', 'register', 'Cursor']);
    expect(shown.out).toContain('"TOOLGATE_AGENT_KEY": "tgk_');
    expect(shown.err).toContain('shown only now');
  });
});

test('toolgate behind toolgate is found before it starts itself without end', async () => {
  const { DIST } = await import('../support/servers.ts');
  const where = scratch();
  writeFileSync(join(where.config, 'policies.yaml'), 'policies: []\n');
  writeFileSync(
    join(where.config, 'servers.json'),
    JSON.stringify({ mcpServers: { toolgate: { command: 'node', args: ['/x/bin/toolgate.cjs', 'serve'] } } }),
  );
  expect((await run(where, ['policy', 'check'])).out).toContain('"toolgate" starts toolgate itself');
  // Hidden from the check, it still stops at the first step.
  const hidden = where.write(
    'hidden.sh',
    `exec ${process.execPath} ${DIST} --config ${where.config} --state ${where.state} serve`,
  );
  const gate = await startGate({ where, servers: { again: { command: '/bin/sh', args: [hidden] } } });
  await expect(gate.client.listTools()).rejects.toThrow('servers.json starts toolgate itself');
});

test('the demo: real servers, each decision shown, within its time', TIMED, async () => {
  const where = scratch();
  const started = performance.now();
  const demo = await run(where, ['demo']);
  expect(performance.now() - started).toBeLessThan(30_000);
  expect(demo.code).toBe(0);
  expect(demo.err).toBe('');
  expect(demo.out).toMatch(/Demo agent: look at the history\s+Git · Show log \[Read\]\s+allow/);
  expect(demo.out).toMatch(
    /push it with force\s+Git · Push \[Delete\]\s+block\s+History on the remote is never rewritten/,
  );
  expect(demo.out).toMatch(/write a file\s+Filesystem · Write file \[Write\]\s+allow\+alert/);
  expect(demo.out).toMatch(/commit it\s+Git · Commit \[Write\]\s+allow\s+would be: require approval, by Trial/);
  expect(demo.out).toContain('the demo approves it itself, with a reviewer key of its own');
  expect(demo.out).toMatch(/forget it again\s+memory · Delete entities \[Delete\]\s+held, ran\s+A person decides/);
  expect(demo.out).toMatch(/The bare remote: [0-9a-f]+ Add notes \| [0-9a-f]+ First commit/);
  expect(demo.out).toMatch(
    /The audit log: 10 calls decided, 7 allowed, 2 blocked, 1 asked, 1 alerted; \d+ events, hash chain intact\./,
  );
});

describe('the demo on a terminal', () => {
  test('waits for the person, who answers right there', async () => {
    const where = scratch();
    const demo = terminal(where, ['demo']);
    const shown = await demo.shows('Approve it? (no denies it) [y/N]');
    expect(shown).toMatch(/in the browser {3}http:\/\/127\.0\.0\.1:\d+\/approvals\/\w{26}#login=/);
    demo.type('n\n');
    expect(await demo.ended).toBe(0);
    expect(demo.text()).toMatch(/forget it again\s+memory · Delete entities \[Delete\]\s+held, no run/);
  });

  test('or by the command that it prints, in another shell', async () => {
    const where = scratch();
    const demo = terminal(where, ['demo']);
    const shown = await demo.shows('Approve it? (no denies it) [y/N]');
    const [, config, state, code] = /--config (\S+) --state (\S+) approve (\w+)/.exec(shown)!;
    const other = terminal(where, ['--config', config!, '--state', state!, 'approve', code!]);
    await other.shows('Approve it? [y/N]');
    other.type('y\n');
    expect(await other.ended).toBe(0);
    expect(await demo.ended).toBe(0);
    expect(demo.text()).toMatch(/held, ran/);
  });

  test('Ctrl-C while it waits leaves nothing behind', async () => {
    const where = scratch();
    const demo = terminal(where, ['demo']);
    const shown = await demo.shows('Approve it? (no denies it) [y/N]');
    const [, config] = /--config (\S+)/.exec(shown)!;
    demo.type('\u0003');
    expect(await demo.ended).toBe(130);
    expect(existsSync(config!)).toBe(false);
  });
});

test('doctor says in words what works here, and finds what is broken', async () => {
  const where = scratch();
  writeFileSync(join(where.config, 'servers.json'), '{ "mcpServers": {} }');
  writeFileSync(
    join(where.config, 'policies.yaml'),
    'version: 1\nreviewers: { alice: { os: alice } }\npolicies:\n  - { name: Ask alice, if: { operation: Delete }, action: require approval, approval: { reviewers: [alice] } }\n',
  );
  const sick = await run(where, ['doctor']);
  expect(sick.code).toBe(1);
  expect(sick.out).toContain(
    '✗ reviewers   the policy "Ask alice" asks alice, of whom nobody can answer on this machine',
  );
  expect(sick.out).toMatch(/· desktop {5}a held call can't be shown: /);
  const bin = join(where.folder, 'bin');
  mkdirSync(bin);
  chmodSync(where.write('bin/notify-send', '#!/bin/sh\necho approve\n'), 0o777);
  const fooled = await run(where, ['doctor'], { env: { PATH: `${bin}:${process.env['PATH']}` } });
  expect(fooled.out).toContain(
    `✗ desktop     ${bin}/notify-send stands on your PATH as notify-send and can be written by others than root`,
  );
  writeFileSync(join(where.config, 'policies.yaml'), 'version: 1\npolicies: []\n');
  const well = await run(where, ['doctor', '--json']);
  expect(well.code).toBe(0);
  expect(JSON.parse(well.out).map(({ about }: { about: string }) => about)).toEqual(
    expect.arrayContaining(['store', 'rules', 'desktop', 'browser', 'slack', 'desk', 'reviewers', 'terminal']),
  );
});
