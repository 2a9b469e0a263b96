import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { run } from '../support/gate.ts';
import { type Scratch, scratch } from '../support/scratch.ts';

const POLICIES = `version: 1
policies:
  - name: Block all writes and deletions on GitHub
    if: { integration: GitHub, operation: Write or Delete }
    action: block
    message: Ask Ann.
    tests:
      - { call: github/create_issue, expect: block, policy: Block all writes and deletions on GitHub, message: "Ask *" }
      - { call: github/list_issues, expect: allow }
  - name: Brake
    if: { server: shop, operation: Write, rate: { over: 3, within: 1m } }
    action: require approval
    tests:
      - { call: shop/save_it, server: shop, counted: 3, expect: require approval }
      - { call: shop/save_it, server: shop, expect: allow }
  - name: After mail
    if: { operation: Write, session has: { integration: Gmail } }
    action: alert
    tests:
      - { name: told, call: github/create_issue, before: [gmail/search_threads], expect: block, policy: After mail }
  - name: Trial
    mode: monitor
    if: { integration: Notion, time: { inside: Sat-Sun, zone: UTC } }
    action: block
    tests:
      - { call: notion/API-post-search, at: "2026-11-23T00:00:00Z", expect: allow, would: allow }
      - { call: notion/API-post-search, at: "2026-11-21T12:00:00Z", expect: allow, would: block }
  - name: New ones
    when: an agent is discovered
    if: { agent review status: Disallowed }
    action: alert
    tests:
      - { discovered: OpenClaw, agent status: Disallowed, expect: alert }
      - { discovered: OpenClaw, expect: nothing }
`;

function folder(policies: string): Scratch {
  const where = scratch();
  writeFileSync(join(where.config, 'servers.json'), '{"mcpServers":{}}');
  writeFileSync(join(where.config, 'policies.yaml'), policies);
  return where;
}

describe('toolgate policy test', () => {
  test('judges what the tests describe, as a tree', async () => {
    const { code, out, err } = await run(folder(POLICIES), ['policy', 'test']);
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(out).toBe(`policies.yaml
  Block all writes and deletions on GitHub
    ✓ github/create_issue → block
    ✓ github/list_issues → allow
  Brake
    ✓ shop/save_it → require approval
    ✓ shop/save_it → allow
  After mail
    ✓ told → block
  Trial
    ✓ notion/API-post-search at 2026-11-23T00:00:00.000Z → allow, would allow
    ✓ notion/API-post-search at 2026-11-21T12:00:00.000Z → allow, would block
  New ones
    ✓ OpenClaw is discovered → alert
    ✓ OpenClaw is discovered → nothing

9 tests, all pass
`);
  });

  test('judges commands as a hook does: the strictest of all that a line does', async () => {
    const where = folder(`policies:
  - name: No force
    if: { integration: Git, tool: Push, args: { force: true } }
    action: block
    tests:
      - { command: git push --force origin feat/x, expect: block, policy: No force }
      - { command: make && git -C ../web push -f origin x | cat, expect: block }
      - { command: git push origin feat/x, expect: allow }
      - { command: npm test, expect: allow, policy: "(default: opaque commands)" }
      - { command: ls -la, expect: allow }
      - { command: 'eval "$X"', expect: block }
      - { command: 'gh pr view 1', agent: Cursor, expect: alert, policy: Told }
  - name: Told
    if: { integration: GitHub, agent: Cursor, via: cli }
    action: alert
  - name: Seldom
    if: { integration: Git, tool: Commit, rate: { over: 2, within: 1h } }
    action: require approval
    tests:
      - { command: git commit -m x, counted: 2, expect: require approval }
      - { command: git commit -m x, expect: allow }
`);
    const rules = join(where.config, 'policies.yaml');
    writeFileSync(
      join(where.folder, 'own.yaml'),
      `tests:\n  - { command: "rm ${rules}", expect: block, policy: toolgate protects itself }\n  - { command: ls, expect: block, policy: No force }\n`,
    );
    const { code, out, err } = await run(where, ['policy', 'test']);
    expect(err).toBe('');
    expect(out).toContain('    ✓ make && git -C ../web push -f origin x | cat → block\n');
    expect(out).toContain('9 tests, all pass\n');
    expect(code).toBe(0);
    const own = await run(where, ['policy', 'test', join(where.folder, 'own.yaml')]);
    expect(own.out).toContain(`✓ rm ${rules} → block`);
    expect(own.out).toContain(`✗ ls → block
      ${join(where.folder, 'own.yaml')}:3 expected block, got allow: it runs no program that toolgate judges
      ${join(where.folder, 'own.yaml')}:3 expected the policy "No force", got none: it runs no program that toolgate judges
`);
    expect((await run(where, ['policy', 'test', '--only', 'push -f'])).out).toContain('1 test, all pass');
  });

  test('a test that fails says what came instead, and why', async () => {
    const where = folder(
      POLICIES.replace('list_issues, expect: allow', 'list_issues, expect: block')
        .replace('"Ask *"', 'Ask Bob')
        .replace('gmail/search_threads]', 'gmial/search_threads]'),
    );
    const { code, out } = await run(where, ['policy', 'test', '--junit', join(where.folder, 'report.xml')]);
    expect(code).toBe(1);
    expect(out).toContain(`    ✗ github/create_issue → block
        policies.yaml:8 expected the message "Ask Bob", got "Ask Ann."
    ✗ github/list_issues → block
        policies.yaml:9 expected block, got allow, by (default: action)
`);
    expect(out).toContain('"gmial" is neither an integration nor a server of servers.json: did you mean "gmail"?');
    expect(out).toContain(`9 tests, 3 failed
1 policy that no test makes apply: After mail
`);
    const report = readFileSync(join(where.folder, 'report.xml'), 'utf8');
    expect(report).toContain('<testsuites tests="9" failures="3">');
    expect(report).toContain('<failure message="expected block, got allow, by (default: action)"/>');
    const checked = await run(where, ['policy', 'check']);
    expect(checked.code).toBe(0);
    expect(checked.out).toContain('policies.yaml:9:1 warning: the test "github/list_issues → block" fails');
  });

  test('files of tests, those of the folder "tests" without being asked; filters; JSON', async () => {
    const where = folder(POLICIES);
    mkdirSync(join(where.config, 'tests'));
    writeFileSync(
      join(where.config, 'tests', 'mail.yaml'),
      'tests:\n  - { call: gmail/send_email, args: { Deep Key: { Inner-Key: 1 } }, expect: allow }\n',
    );
    const all = await run(where, ['policy', 'test', '--json']);
    expect(JSON.parse(all.out)).toMatchObject({ ok: true, untested: [] });
    expect(JSON.parse(all.out).tests).toHaveLength(10);
    expect(JSON.parse(all.out).tests.at(-1)).toMatchObject({
      file: 'tests/mail.yaml',
      line: 2,
      test: { args: { 'Deep Key': { 'Inner-Key': 1 } } },
    });
    const only = await run(where, ['policy', 'test', '--only', 'GMAIL']);
    expect(only.out).toBe(
      'tests/mail.yaml\n  ✓ gmail/send_email {"Deep Key":{"Inner-Key":1}} → allow\n\n1 test, all pass\n',
    );
    const named = await run(where, ['policy', 'test', join(where.config, 'tests', 'mail.yaml')]);
    expect(named.out).toContain('1 test, all pass');
    expect(await run(where, ['policy', 'test', '--only', 'nothing'])).toMatchObject({
      code: 2,
      err: 'none of the 10 tests has "nothing" in its policy, name, call or command\n',
    });
  });

  test.each([
    ['tests:\n  - { call: x, expect: allow }\n', 'bad.yaml:2:13 error: "x" names no tool'],
    [
      'tests:\n  - { expect: allow }\n',
      'bad.yaml:2:5 error: the test says neither what is called or run nor who is discovered',
    ],
    [
      'tests:\n  - { call: a/b, expect: deny }\n',
      'error: "deny" is not an expectation\n      - { call: a/b, expect: deny }\n                             ^ did you mean "block"?',
    ],
    ['tests:\n  - { call: a/b, expect: nothing }\n', 'error: a call can\'t be expected to give "nothing"'],
    ['tests:\n  - { discovered: a, expect: block }\n', 'error: a discovery can\'t be expected to give "block"'],
    ['tests:\n  - { call: a/b, expects: block }\n', 'error: unknown key "expects"'],
    [
      'tests:\n  - { call: a/b, command: ls, expect: allow }\n',
      'error: the test is of several things: a call, a command, a discovery',
    ],
    ['tests:\n  - { command: ls, args: { a: 1 }, expect: allow }\n', 'bad.yaml:2:26 error: a command has no "args"'],
    ['tests:\n  - { command: ls, expect: nothing }\n', 'error: a command can\'t be expected to give "nothing"'],
    ['tests: {}\n', 'error: the tests are missing or not a list'],
    ['', 'bad.yaml error: the file is empty'],
    ['tests:\n  - { call: a/b, expect: allow, at: noon }\n', 'error: "noon" is not a date for at'],
    ['tests:\n  - { call: a/b, expect: allow, at: "2026-11-22" }\n', 'write an instant with its zone'],
  ])('a mistake in a file of tests has its place: %j', async (text, message) => {
    const where = folder(POLICIES);
    writeFileSync(join(where.folder, 'bad.yaml'), text);
    const { code, err } = await run(where, ['policy', 'test', join(where.folder, 'bad.yaml')]);
    expect(err).toContain(message);
    expect(code).toBe(3);
  });

  test('no test, no file, a bad flag, rules with a mistake', async () => {
    const none = folder('policies: []');
    expect(await run(none, ['policy', 'test'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('there are no tests'),
    });
    expect(await run(none, ['policy', 'test', 'no.yaml'])).toMatchObject({
      code: 3,
      err: expect.stringContaining("no.yaml error: it can't be read"),
    });
    expect(await run(none, ['policy', 'test', '--at', 'noon'])).toMatchObject({ code: 2 });
    expect(await run(folder('policies: [{ name: x, action: blok }]'), ['policy', 'test'])).toMatchObject({
      code: 3,
      err: expect.stringContaining('"blok" is not an action'),
    });
  });
});
