/**
 * What is called a Read changes nothing: each such Git line of the cases, run by a real git, first in a plain repository, then in
 * ones whose configuration makes git run a program.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { readShell } from '../../src/catalog/shell-reading.ts';
import { gitContextAt } from '../../src/shell/git.ts';
import { catalog } from '../support/judge.ts';
import { scratch } from '../support/scratch.ts';

const cases = parse(readFileSync(join(import.meta.dirname, 'cases/lines.yaml'), 'utf8')) as { line: string }[];
const LINES = cases.map(({ line }) => line).filter((line) => line.startsWith('git ') && !/[\r>]/.test(line));

interface Repository {
  readonly folder: string;
  readonly git: (...args: string[]) => string;
  /** the lines that are called Reads here */
  readonly reads: () => string[];
  /** runs lines as an agent's shell would; none of them may ask for anything */
  readonly run: (lines: readonly string[]) => void;
  /** all that a Read must leave as it is */
  readonly state: () => Record<string, string>;
  /** made by whatever a hostile setting runs */
  readonly marker: string;
}

/** A clone on main with a bare remote, a tag, a stash, a change in the index and one beside it. */
function repository(): Repository {
  const { folder: home } = scratch();
  const [folder, remote, marker] = [join(home, 'web'), join(home, 'remote.git'), join(home, 'marker')];
  const env = {
    PATH: process.env['PATH'],
    HOME: home,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    PAGER: 'cat',
    EDITOR: 'true',
  };
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', folder, ...args], { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  writeFileSync(
    join(home, '.gitconfig'),
    '[user]\nname = A\nemail = a@b.c\n[init]\ndefaultBranch = main\n[alias]\nco = checkout\nlg = log --oneline\n',
  );
  mkdirSync(folder);
  git('init', '-q', '--bare', remote);
  git('init', '-q');
  mkdirSync(join(folder, 'src'));
  for (const name of ['a', 'b', 'a.ts', 'b.ts', 'src/a.ts']) writeFileSync(join(folder, name), `TODO ${name}\n`);
  git('add', '.');
  git('commit', '-q', '-m', 'one');
  git('tag', 'v1');
  git('branch', 'feature');
  git('remote', 'add', 'origin', remote);
  git('push', '-q', '-u', 'origin', 'main');
  // The remote is one commit ahead, so that there is something to fetch.
  git('push', '-q', 'origin', `${git('commit-tree', 'HEAD^{tree}', '-p', 'HEAD', '-m', 'two').trim()}:refs/heads/main`);
  git('update-ref', 'refs/remotes/origin/main', 'main');
  writeFileSync(join(folder, 'a.ts'), 'stashed\n');
  git('stash', '-q');
  writeFileSync(join(folder, 'a.ts'), 'staged\n');
  git('add', 'a.ts');
  writeFileSync(join(folder, 'a.ts'), 'changed\n');
  writeFileSync(join(folder, 'untracked'), 'x');
  const { HOME: _, ...around } = env;
  return {
    folder,
    git,
    marker,
    reads: () => {
      const before = process.env['HOME'];
      process.env['HOME'] = home;
      try {
        const context = { cwd: folder, home, aliases: new Map<string, string>(), own: null };
        const known = new Map(gitContextAt(folder).map((each) => [folder, each] as const));
        return LINES.filter((line) => {
          const { calls, unresolved, opaque } = readShell(catalog, line, {
            ...context,
            git: known,
            remotes: new Map(),
          });
          const isRead = calls.every(({ possible }) => possible.length === 1 && possible[0] === 'Read');
          return isRead && calls.length > 0 && unresolved.length + opaque.length === 0;
        });
      } finally {
        process.env['HOME'] = before;
      }
    },
    run: (lines) => {
      // Each for itself: whatever one line does to the shell must not keep the next from running.
      const script = lines.map((line) => `( ${line}\n) </dev/null`).join('\n');
      spawnSync('bash', ['-c', script], {
        cwd: folder,
        env: { ...around, HOME: home },
        stdio: 'ignore',
        timeout: 60_000,
      });
    },
    state: () => ({
      refs: git('for-each-ref', 'refs/heads', 'refs/tags', 'refs/stash', 'refs/notes', 'refs/replace'),
      head: git('rev-parse', 'HEAD') + readFileSync(join(folder, '.git/HEAD'), 'utf8'),
      index: git('ls-files', '--stage'),
      stash: git('stash', 'list'),
      config: readFileSync(join(folder, '.git/config'), 'utf8'),
      remote: execFileSync('git', ['-C', remote, 'for-each-ref'], { env, encoding: 'utf8' }),
      worktree: digestOf(folder),
      worktrees: git('worktree', 'list'),
      home: digestOf(home, ['web', 'remote.git']),
    }),
  };
}

/** Names and contents of all files below a folder, but for `.git` and those that are named. */
function digestOf(folder: string, except: readonly string[] = []): string {
  const hash = createHash('sha256');
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const below = path.slice(folder.length + 1).split('/')[0]!;
    if (below === '.git' || except.includes(below) || !entry.isFile()) continue;
    hash.update(`${path}\0`).update(readFileSync(path));
  }
  return hash.digest('hex');
}

test('in a plain repository', () => {
  const repo = repository();
  const reads = repo.reads();
  expect(reads.length).toBeGreaterThan(60);
  const before = repo.state();
  repo.run(reads);
  if (JSON.stringify(repo.state()) !== JSON.stringify(before))
    for (const line of reads) {
      const [one, each] = [repository(), line];
      const its = one.state();
      one.run([each]);
      expect(one.state(), each).toEqual(its);
    }
});

/** Settings of a repository by which git runs `{evil}`. */
const HOSTILE: readonly (readonly [string, (repo: Repository, evil: string) => void])[] = [
  ...(
    [
      ['core.fsmonitor', '{evil}'],
      ['core.pager', '{evil}'],
      ['pager.log', '{evil}'],
      ['core.editor', '{evil}'],
      ['core.sshCommand', '{evil}'],
      ['core.gitProxy', '{evil}'],
      ['core.askPass', '{evil}'],
      ['core.alternateRefsCommand', '{evil}'],
      ['diff.external', '{evil}'],
      ['credential.helper', '!{evil}'],
      ['gpg.program', '{evil}'],
      ['remote.origin.uploadpack', '{evil}'],
      ['remote.origin.vcs', 'evil'],
      ['sequence.editor', '{evil}'],
      ['alias.status', '!{evil}'],
      ['alias.lg', '!{evil}'],
      ['uploadpack.packObjectsHook', '{evil}'],
      ['interactive.diffFilter', '{evil}'],
      ['log.showSignature', 'true'],
    ] as const
  ).map(
    ([key, value]) =>
      [
        `${key} = ${value}`,
        (repo: Repository, evil: string) => repo.git('config', key, value.replace('{evil}', evil)),
      ] as const,
  ),
  [
    'a textconv',
    (repo, evil) => {
      repo.git('config', 'diff.evil.textconv', evil);
      writeFileSync(join(repo.folder, '.gitattributes'), '* diff=evil\n');
    },
  ],
  [
    'a diff driver',
    (repo, evil) => {
      repo.git('config', 'diff.evil.command', evil);
      writeFileSync(join(repo.folder, '.git/info/attributes'), '* diff=evil\n');
    },
  ],
  [
    'a filter',
    (repo, evil) => {
      repo.git('config', 'filter.evil.clean', evil);
      repo.git('config', 'filter.evil.smudge', evil);
      writeFileSync(join(repo.folder, '.gitattributes'), '* filter=evil\n');
    },
  ],
  [
    'hooks',
    (repo, evil) => {
      for (const name of [
        'post-index-change',
        'reference-transaction',
        'pre-auto-gc',
        'post-checkout',
        'fsmonitor-watchman',
      ]) {
        writeFileSync(join(repo.folder, '.git/hooks', name), `#!/bin/sh\n${evil}\n`);
        chmodSync(join(repo.folder, '.git/hooks', name), 0o755);
      }
    },
  ],
  [
    'a folder of hooks',
    (repo, evil) => {
      const folder = join(repo.folder, '..', 'hooks');
      mkdirSync(folder);
      for (const name of ['post-index-change', 'reference-transaction']) {
        writeFileSync(join(folder, name), `#!/bin/sh\n${evil}\n`);
        chmodSync(join(folder, name), 0o755);
      }
      repo.git('config', 'core.hooksPath', folder);
    },
  ],
  [
    'an include',
    (repo, evil) => {
      const file = join(repo.folder, '..', 'more');
      writeFileSync(file, `[core]\nfsmonitor = ${evil}\n`);
      repo.git('config', 'include.path', file);
    },
  ],
];

describe('in a repository that makes git run a program', () => {
  test.each(HOSTILE)('%s', (_, arrange) => {
    const repo = repository();
    const evil = join(repo.folder, '..', 'evil.sh');
    writeFileSync(evil, `#!/bin/sh\ntouch ${repo.marker}\n`);
    chmodSync(evil, 0o755);
    arrange(repo, evil);
    const reads = repo.reads();
    rmSync(repo.marker, { force: true });
    repo.run(reads);
    const ran = existsSync(repo.marker);
    const guilty = reads.filter((line) => {
      if (!ran) return false;
      rmSync(repo.marker, { force: true });
      // As if somebody had looked at the file since: then git writes the index anew.
      utimesSync(join(repo.folder, 'b'), new Date(), new Date(Date.now() + 1000));
      repo.run([line]);
      return existsSync(repo.marker);
    });
    expect({ ran, guilty }).toEqual({ ran: false, guilty: [] });
  });
});
