import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { OPERATIONS } from '../../src/call.ts';
import type { GitSetting } from '../../src/catalog/git-context.ts';
import type { Reading } from '../../src/catalog/shell-findings.ts';
import { readShell, type ShellContext } from '../../src/catalog/shell-reading.ts';
import { catalog } from '../support/judge.ts';
import { processorMs } from '../support/timed.ts';

const setting = (scope: GitSetting['scope'], key: string, value: string): GitSetting => ({ scope, key, value });

const OWN = {
  config: ['/home/ann/.config/toolgate'],
  state: ['/home/ann/.local/state/toolgate'],
  program: ['/opt/toolgate/dist'],
  ports: [7433],
};

const CONTEXT: ShellContext = {
  cwd: '/work/web',
  home: '/home/ann',
  own: OWN,
  remotes: new Map([
    ['gd', 'drive'],
    ['db', 'dropbox'],
    ['s3', 's3'],
    ['enc', 'crypt'],
  ]),
  aliases: new Map([
    ['gp', 'git push'],
    ['gpf', 'gp --force'],
    ['ll', 'ls -l'],
  ]),
  git: new Map([
    [
      '/work/web',
      {
        settings: [
          setting('global', 'alias.co', 'checkout'),
          setting('global', 'alias.lg', 'log --oneline'),
          setting('local', 'alias.boom', '!git push --force'),
          setting('local', 'branch.main.remote', 'origin'),
          setting('local', 'branch.main.merge', 'refs/heads/main'),
          setting('local', 'remote.origin.url', 'git@github.com:acme/web.git'),
        ],
        branch: 'main',
        hooks: ['pre-commit', 'pre-push'],
      },
    ],
  ]),
};

const read = (line: string) => readShell(catalog, line, CONTEXT);

interface LineCase {
  readonly line: string;
  readonly calls?: readonly string[];
  readonly unresolved?: 'every' | readonly string[];
  readonly opaque?: readonly string[];
  readonly branch?: readonly (string | null)[];
}

function taken({ calls, unresolved, opaque }: Reading, line: string): LineCase {
  const pushes = calls.filter(({ name }) => name === 'git push').map(({ argument }) => argument('branch'));
  const branch = pushes.flatMap((each) =>
    each.state === 'missing' ? [] : [each.state === 'value' ? (each.value as string) : null],
  );
  const concerned = unresolved.flatMap(({ integrations }) =>
    integrations === 'every' ? ['every'] : integrations.map(({ title }) => title),
  );
  return {
    line,
    ...(calls.length > 0 && {
      calls: calls.map(({ name, possible }) => `${name}: ${possible.join(' or ') || 'unknown'}`),
    }),
    ...(concerned.length > 0 && { unresolved: concerned.includes('every') ? 'every' : [...new Set(concerned)] }),
    ...(opaque.length > 0 && { opaque }),
    ...(branch.length > 0 && { branch }),
  };
}

const lines = parse(readFileSync(join(import.meta.dirname, 'cases/lines.yaml'), 'utf8')) as LineCase[];

describe(`${lines.length} shell lines`, () => {
  test.each(lines)('$line', (wanted) => {
    expect(taken(read(wanted.line), wanted.line)).toEqual(wanted);
  });
});

describe('a shell line', () => {
  /** How bad it may be: 0 nothing, 1 Read, then Write, Delete; opaque and unresolved are beyond judging. */
  const worstOf = ({ calls, unresolved, opaque }: Reading) =>
    Math.max(
      0,
      ...calls.flatMap(({ possible }) =>
        possible.length === 0 ? [4] : possible.map((each) => 1 + OPERATIONS.indexOf(each)),
      ),
      unresolved.length > 0 ? 4 : 0,
      opaque.length > 0 ? 4 : 0,
    );
  const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
  const WRAPPED: readonly [string, (line: string) => string][] = [
    ['sh -c', (line) => `sh -c ${quoted(line)}`],
    ['bash -lc', (line) => `bash -lc ${quoted(line)}`],
    ['braces', (line) => `{ ${line}\n}`],
    ['a subshell', (line) => `( ${line}\n)`],
    ['a substitution', (line) => `echo "$( ${line}\n)"`],
    ['eval', (line) => `eval ${quoted(line)}`],
    ['a here-document', (line) => `bash <<'toolgate_end'\n${line}\ntoolgate_end`],
    ['a condition', (line) => `if true; then ${line}\nfi`],
    ['a function', (line) => `f() {\n${line}\n}; f`],
  ];
  // What wraps a line must not complete one that is broken.
  const alone = lines.filter(
    ({ line }) => !/\n/.test(line) && (line.match(/\(/g) ?? []).length === (line.match(/\)/g) ?? []).length,
  );
  test.each(WRAPPED)('within %s is never milder', (_, wrap) => {
    for (const { line } of alone)
      expect(worstOf(read(wrap(line))), wrap(line)).toBeGreaterThanOrEqual(worstOf(read(line)));
  });
  const simple = lines.filter(({ line }) => /^(git|gh) [\w ./:+-]+$/.test(line) && !line.includes(' - '));
  test.each([
    'env ',
    'sudo ',
    'sudo -u bob ',
    'command ',
    'nohup ',
    'timeout 5 ',
    'nice -n 5 ',
    'xargs ',
    'time ',
    'FOO=1 ',
  ])('after %sis never milder', (before) => {
    expect(simple.length).toBeGreaterThan(150);
    for (const { line } of simple)
      expect(worstOf(read(before + line)), before + line).toBeGreaterThanOrEqual(worstOf(read(line)));
  });

  test('never throws and is quick, whatever stands in it', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.constantFrom(
        'git push ',
        '$(',
        ')',
        '`',
        '"',
        "'",
        '\\',
        '<<E\n',
        '|',
        '&&',
        ';',
        '{',
        '}',
        'sh -c ',
        'eval ',
        'xargs ',
        '${x:-',
        '\n',
        '\r\n',
        '--',
        '-f ',
        'f() {',
        'case x in ',
        '$((',
        '<(',
        'env -S ',
      ),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        expect(processorMs(() => read(pieces.join('')))).toBeLessThan(1000);
      }),
      { numRuns: 1500 },
    );
  });

  test.each([
    'git push;',
    '$(',
    '"',
    "'",
    '`',
    '{ ',
    '(',
    '<<E\n',
    'sh -c "',
    'eval ',
    'git -c a=b ',
    '&& ',
    'x=$(y) ',
    '\\',
    'git branch b;',
    'cd a && git tag x;',
    'gh pr view 1;',
    'find . -exec ',
    '((a?b:',
    'cat */*/* ',
    'A=b; $A ',
  ])('10 KB of %j take no longer than a second', (piece) => {
    const text = piece.repeat(Math.ceil(10_000 / piece.length));
    read(text);
    expect(processorMs(() => read(text))).toBeLessThan(1000);
  });
});
