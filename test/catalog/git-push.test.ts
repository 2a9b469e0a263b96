/** Where a push goes that names no destination: as git itself says, in a real repository. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { completedRefspec } from '../../src/catalog/git-context.ts';
import { gitContextAt } from '../../src/shell/git.ts';

let folder: string;
let repository: string;

const git = (...args: string[]) =>
  execFileSync('git', args, {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: folder, GIT_CONFIG_NOSYSTEM: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'toolgate-push-'));
  repository = join(folder, 'web');
  git('init', '-q', '--bare', '-b', 'main', join(folder, 'remote.git'));
  git('init', '-q', '-b', 'main', repository);
  git('-C', repository, 'remote', 'add', 'origin', join(folder, 'remote.git'));
  git('-C', repository, '-c', 'user.name=A', '-c', 'user.email=a@b.c', 'commit', '-q', '--allow-empty', '-m', 'x');
  git('-C', repository, 'tag', 'v1.2');
  git('-C', repository, 'push', '-q', '-u', 'origin', 'main');
  git('-C', repository, 'checkout', '-q', '-b', 'feature', '--track', 'origin/main');
  git('-C', repository, '-c', 'user.name=A', '-c', 'user.email=a@b.c', 'commit', '-q', '--allow-empty', '-m', 'y');
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Where git would push it. */
function destination(refspec: string): string {
  const said = git('-C', repository, 'push', '--dry-run', '--porcelain', 'origin', refspec);
  return /^.\t[^:\t]+:(\S+)\t/m.exec(said)![1]!.replace(/^refs\/(heads|tags)\//, '');
}

describe.each<[string, readonly (readonly [key: string, value: string])[]]>([
  ['as git comes', []],
  ['push.default upstream', [['push.default', 'upstream']]],
  ['push.default tracking', [['push.default', 'tracking']]],
  ['push.default current', [['push.default', 'current']]],
  [
    'push.default upstream, and another upstream',
    [
      ['push.default', 'upstream'],
      ['branch.feature.merge', 'refs/heads/release/1'],
    ],
  ],
])('%s', (_, settings) => {
  beforeAll(() => {
    for (const [key, value] of settings) git('-C', repository, 'config', key, value);
  });
  afterAll(() => {
    if (settings.length > 0) git('-C', repository, 'config', '--unset', 'push.default');
    git('-C', repository, 'config', 'branch.feature.merge', 'refs/heads/main');
  });

  test.each(['HEAD', 'feature', '+feature', 'refs/heads/feature', 'heads/feature', 'main', 'v1.2', 'feature:other'])(
    '%s',
    (refspec) => {
      const whole = completedRefspec(gitContextAt(repository)[0]!, refspec);
      expect(whole!.slice(whole!.indexOf(':') + 1).replace(/^refs\/heads\//, '')).toBe(destination(refspec));
    },
  );
});

test('what a remote maps is not told', () => {
  git('-C', repository, 'config', 'remote.origin.push', 'refs/heads/feature:refs/heads/main');
  try {
    expect(destination('feature')).toBe('main');
    expect(completedRefspec(gitContextAt(repository)[0]!, 'feature')).toBeNull();
  } finally {
    git('-C', repository, 'config', '--unset', 'remote.origin.push');
  }
});
