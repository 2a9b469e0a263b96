import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ALLOW_ALL, run } from '../support/gate.ts';
import { type Scratch, scratch } from '../support/scratch.ts';

const RULES = `policies:
  - { name: No forced pushes, if: { integration: Git, operation: Delete }, action: block }
  - { name: Ask first, if: { integration: GitHub, tool: merge_pull_request }, action: require approval }
  - { name: Look, mode: monitor, if: { tool: commit }, action: block }
`;

function house(policies: string): Scratch {
  const where = scratch();
  writeFileSync(join(where.config, 'servers.json'), '{"mcpServers":{}}');
  writeFileSync(join(where.config, 'policies.yaml'), policies);
  return where;
}

describe('command explain', () => {
  test('says what a line does, call by call, and what would come of it', async () => {
    const where = house(RULES);
    const { code, out, err } = await run(where, [
      'command',
      'explain',
      'git commit -m x && cd "$(pwd)" && git push --force origin main; ls',
    ]);
    expect(err).toBe('');
    expect(code).toBe(1);
    expect(out).toMatch(/^git commit: Git · Commit, Write$/m);
    expect(out).toMatch(/^git push: Git · Push, Delete\n {4}remote: "origin"\n {4}branch: "main"/m);
    expect(out).toContain('→ block, by No forced pushes');
    expect(out).toMatch(/\ndecision: block, by No forced pushes\n$/);
  });

  test.each([
    ['git status', 0, 'allow'],
    ['gh pr merge 7', 1, 'require approval'],
    ['ls -la | wc -l', 0, 'allow'],
    ['sh -c "git push -f origin main"', 1, 'block'],
    ['eval "$X"', 1, 'block'],
  ])('%s exits %i and is to %s', async (line, code, effect) => {
    const asked = await run(house(RULES), ['command', 'explain', line, '--json']);
    expect(asked).toMatchObject({ code, err: '' });
    expect(JSON.parse(asked.out)).toMatchObject({ decision: { effect } });
  });

  test('a policy that only monitors says what it would do', async () => {
    const { code, out } = await run(house(RULES), ['command', 'explain', 'git commit -m x']);
    expect(code).toBe(0);
    expect(out).toContain('would be: block');
  });

  test('programs whose code is not in the line are named, and one word of the owner stops them', async () => {
    const allowed = await run(house(ALLOW_ALL), ['command', 'explain', 'python3 build.py']);
    expect(allowed).toMatchObject({ code: 0 });
    expect(allowed.out).toContain('python3: runs code which is not in the line');
    const strict = house(`defaults: { opaque_commands: block }\n${RULES}`);
    const blocked = await run(strict, ['command', 'explain', 'python3 build.py']);
    expect(blocked.code).toBe(1);
    expect(blocked.out).toContain('decision: block, by (default: opaque commands)');
  });

  test('answers line by line, in order, and goes on after a bad one', async () => {
    const input = [
      '{"command":"git stash drop"}',
      'nonsense',
      '{"comand":"ls"}',
      '{"cwd":"/tmp"}',
      '{"command":"ls"}',
      '[]',
      '{"command":7}',
    ].join('\n');
    const { code, out, err } = await run(house(RULES), ['command', 'explain', '--stdin'], { input });
    expect(err).toBe('');
    expect(code).toBe(1);
    const answers = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(answers).toMatchObject([
      { calls: [{ integration: 'Git', tool: 'stash_drop', operation: 'Delete' }], unresolved: false },
      { error: { message: expect.stringContaining('this line is not JSON') } },
      { error: { message: expect.stringContaining('did you mean "command"?') } },
      { error: { message: '"command" is missing: write the command line' } },
      { calls: [], unresolved: false, opaque: [] },
      { error: { message: expect.stringContaining('a line must be a JSON object') } },
      { error: { message: expect.stringContaining('"command": ') } },
    ]);
  });

  test('what is asked wrongly, or judged by rules that are wrong, says so', async () => {
    for (const args of [[], ['git status', '--stdin']])
      expect(await run(house(RULES), ['command', 'explain', ...args])).toMatchObject({ code: 2, out: '' });
    const broken = await run(house('policies: [{ nam: x }]'), ['command', 'explain', 'git status']);
    expect(broken).toMatchObject({ code: 3, out: '' });
    expect(broken.err).toContain('policies.yaml:1:');
  });
});

describe('policy explain --command', () => {
  test('asks every policy about each command of a line', async () => {
    const asked = ['policy', 'explain', '--command', 'git fetch && git push --force origin main'];
    const { code, out, err } = await run(house(RULES), asked);
    expect({ code, err }).toEqual({ code: 1, err: '' });
    expect(out.match(/^Unknown agent .* calls /gm)).toHaveLength(2);
    expect(out).toMatch(/calls Git · Fetch .*\n[\s\S]*decision: allow, by \(default: action\)\n\n/);
    expect(out).toMatch(/calls Git · Push .*\n[\s\S]*▶ No forced pushes {2}\[block\]/);
    const json = JSON.parse((await run(house(RULES), [...asked, '--json'])).out);
    expect(json.calls.map(({ decision }: any) => decision.effect)).toEqual(['allow', 'block']);
  });

  test('says what it takes for unresolved, for opaque, and for none of its affair', async () => {
    const unresolved = await run(house(RULES), ['policy', 'explain', '--command', 'eval "$X"']);
    expect(unresolved.code).toBe(1);
    expect(unresolved.out).toContain('calls any integration · unresolved command');
    expect(await run(house(RULES), ['policy', 'explain', '--command', 'ls'])).toMatchObject({
      code: 0,
      out: expect.stringContaining('nothing that toolgate judges'),
    });
    const strict = house(`defaults: { opaque_commands: block }\n${RULES}`);
    expect(await run(strict, ['policy', 'explain', '--command', 'make test'])).toMatchObject({
      code: 1,
      err: expect.stringContaining(
        'make runs code which is not in the line: for that defaults.opaque_commands is block',
      ),
    });
  });
});
