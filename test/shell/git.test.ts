/** What git says is kept while nothing that it read has changed, and is what git would say. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { readInContext } from '../../src/shell/gather.ts';
import { gitContextAt } from '../../src/shell/git.ts';
import { gitSiteOf } from '../../src/shell/git-site.ts';
import { catalog } from '../support/judge.ts';

/** So late that no file is too young to be kept. */
const LATER = () => Date.now() + 60_000;

const OWN = { config: ['/c'], state: ['/s'], program: ['/p'], ports: [7433] };

let folder: string;
let home: string;
let repository: string;
let kept: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'toolgate-git-')));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  [home, repository, kept] = [join(folder, 'home'), join(folder, 'web'), join(folder, 'kept')];
  mkdirSync(home);
  vi.stubEnv('HOME', home);
  vi.stubEnv('XDG_CONFIG_HOME', undefined);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  git('init', '-q', '-b', 'main', repository);
  set('user.name', 'A');
  set('user.email', 'a@b.c');
  set('remote.origin.url', 'https://github.com/ann/web.git');
  git('-C', repository, 'commit', '-q', '--allow-empty', '-m', 'x');
});

function git(...args: string[]): string {
  return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}

function set(key: string, value: string): void {
  git('-C', repository, 'config', key, value);
}

/** Whether what was kept is what is given: it then says what was written into it. */
function isFromKept(at = repository): boolean {
  const files = existsSync(kept) ? readdirSync(kept) : [];
  const texts = files.map((name) => readFileSync(join(kept, name), 'utf8'));
  for (const [index, name] of files.entries()) {
    const text = JSON.parse(texts[index]!);
    text.settings.push({ scope: 'local', key: 'test.kept', value: 'yes' });
    writeFileSync(join(kept, name), JSON.stringify(text));
  }
  const found = gitContextAt(at, kept).some(({ settings }) => settings.some(({ key }) => key === 'test.kept'));
  for (const [index, name] of files.entries()) writeFileSync(join(kept, name), texts[index]!);
  return found;
}

describe('what git said of a repository', () => {
  test('is kept, and is the same from any of its folders', () => {
    const asked = gitContextAt(repository);
    expect(asked[0]?.settings).toContainEqual({
      scope: 'local',
      key: 'remote.origin.url',
      value: 'https://github.com/ann/web.git',
    });
    expect(asked[0]).toMatchObject({ branch: 'main', hooks: [] });
    expect(isFromKept()).toBe(false);
    expect(gitContextAt(repository, kept, LATER())).toEqual(asked);
    expect(isFromKept()).toBe(true);
    expect(gitContextAt(repository, kept)).toEqual(asked);
    mkdirSync(join(repository, 'src/deep'), { recursive: true });
    expect(isFromKept(join(repository, 'src/deep'))).toBe(true);
    symlinkSync(join(repository, 'src'), join(folder, 'link'));
    expect(isFromKept(join(folder, 'link/deep'))).toBe(true);
    expect(gitContextAt(join(repository, 'src/deep'), kept)).toEqual(asked);
  });

  test('is not kept while a file of it is young', () => {
    gitContextAt(repository, kept);
    expect(existsSync(kept)).toBe(false);
  });

  test('is for its owner alone', () => {
    gitContextAt(repository, kept, LATER());
    const modes = execFileSync('stat', ['-c', '%a', kept, join(kept, readdirSync(kept)[0]!)], { encoding: 'utf8' });
    expect(modes).toBe('700\n600\n');
  });

  test('says where its head is and which hooks it has as they are now', () => {
    gitContextAt(repository, kept, LATER());
    git('-C', repository, 'checkout', '-q', '-b', 'next');
    writeFileSync(join(repository, '.git/hooks/post-index-change'), '#!/bin/sh\n');
    chmodSync(join(repository, '.git/hooks/post-index-change'), 0o755);
    expect(isFromKept()).toBe(true);
    expect(gitContextAt(repository, kept)[0]).toMatchObject({ branch: 'next', hooks: ['post-index-change'] });
  });

  const CHANGES: readonly [string, () => void, string?][] = [
    ['its configuration', () => set('core.pager', 'sh -c evil')],
    ['its configuration, to text of the same length', () => set('user.name', 'B')],
    [
      'a configuration for this tree alone',
      () => {
        writeFileSync(join(repository, '.git/config.worktree'), '[core]\n\tfsmonitor = evil\n');
      },
    ],
    ["the user's", () => writeFileSync(join(home, '.gitconfig'), '[core]\n\thooksPath = hooks\n')],
    [
      "the user's other",
      () => {
        mkdirSync(join(home, '.config/git'), { recursive: true });
        writeFileSync(join(home, '.config/git/config'), '[alias]\n\tst = push\n');
      },
    ],
    ['where the user has theirs', () => vi.stubEnv('XDG_CONFIG_HOME', join(folder, 'xdg'))],
    ['where the user is at home', () => vi.stubEnv('HOME', join(folder, 'elsewhere'))],
    [
      'the whole repository, for another',
      () => {
        renameSync(repository, join(folder, 'old'));
        git('init', '-q', repository);
      },
    ],
    [
      'the repository, for a link to another',
      () => {
        git('init', '-q', join(folder, 'other'));
        rmSync(join(repository, '.git'), { recursive: true });
        symlinkSync(join(folder, 'other/.git'), join(repository, '.git'));
      },
    ],
  ];
  test.each(CHANGES)('is asked anew after a change of %s', (_, change) => {
    git('-C', repository, 'config', 'extensions.worktreeConfig', 'true');
    gitContextAt(repository, kept, LATER());
    expect(isFromKept()).toBe(true);
    change();
    expect(isFromKept()).toBe(false);
    expect(gitContextAt(repository, kept)).toEqual(gitContextAt(repository));
  });

  test('is not that of a repository within it', () => {
    const inner = join(repository, 'vendor/lib');
    mkdirSync(join(inner, 'src'), { recursive: true });
    gitContextAt(join(inner, 'src'), kept, LATER());
    expect(isFromKept(join(inner, 'src'))).toBe(true);
    git('init', '-q', inner);
    git('-C', inner, 'config', 'core.fsmonitor', 'evil');
    expect(isFromKept(join(inner, 'src'))).toBe(false);
    expect(gitContextAt(join(inner, 'src'), kept)[0]?.settings).toContainEqual({
      scope: 'local',
      key: 'core.fsmonitor',
      value: 'evil',
    });
  });

  test.each([
    ['further files', () => set('include.path', '../more')],
    ['further files under a condition', () => set('includeIf.onbranch:next.path', '../more')],
    ['a secret in a value', () => set('remote.origin.url', 'https://ann:hunter22@example.com/web.git')],
    ['a secret by its name', () => set('sendemail.smtpPass', 'x')],
    ['a file that leads to itself', () => symlinkSync('config.worktree', join(repository, '.git/config.worktree'))],
    ['the text of a whole book', () => set('branch.main.description', 'x'.repeat(100_000))],
  ])('is not kept with %s', (_, change) => {
    change();
    gitContextAt(repository, kept, LATER());
    expect(existsSync(kept)).toBe(false);
  });

  test.each(['{', '[]', 'null', '{"format":1}', '{"format":1,"gitFolder":"/x","files":{},"settings":[]}'])(
    'kept as %s it is asked anew',
    (text) => {
      const asked = gitContextAt(repository, kept, LATER());
      writeFileSync(join(kept, readdirSync(kept)[0]!), text);
      expect(gitContextAt(repository, kept)).toEqual(asked);
    },
  );
});

test('settings that judging never asks for are not kept', () => {
  git('config', '--global', 'github.user', 'ann');
  set('branch.main.remote', 'origin');
  const [asked] = gitContextAt(repository, kept, LATER());
  expect(asked?.settings.map(({ key }) => key)).not.toContain('github.user');
  expect(readFileSync(join(kept, readdirSync(kept)[0]!), 'utf8')).not.toContain('github.user');
  expect(gitContextAt(repository, kept)).toEqual([asked]);
});

test('where nothing can be kept git is asked each time', () => {
  writeFileSync(kept, 'no folder');
  expect(gitContextAt(repository, kept, LATER())).toEqual(gitContextAt(repository));
  expect(readFileSync(kept, 'utf8')).toBe('no folder');
});

test('a folder whose name is no text is not taken for another', () => {
  const strange = Buffer.concat([Buffer.from(`${folder}/evil`), Buffer.from([0xff])]);
  mkdirSync(strange);
  git('init', '-q', join(folder, 'evil\uFFFD'));
  symlinkSync(strange, join(folder, 'link'));
  expect(gitSiteOf(join(folder, 'link'))).toBeNull();
});

test('a configuration that git could not tell is not taken for none', () => {
  writeFileSync(join(repository, '.git/config'), `[alias]\n\tx = ${'x'.repeat(5_000_000)}\n`, { flag: 'a' });
  expect(gitContextAt(repository)[0]?.fault).toContain('could not be asked');
});

test('hooks are found from where the folder really is', () => {
  set('core.hooksPath', 'own-hooks');
  mkdirSync(join(repository, 'own-hooks'));
  writeFileSync(join(repository, 'own-hooks/post-index-change'), '', { mode: 0o755 });
  mkdirSync(join(repository, 'src'));
  symlinkSync(join(repository, 'src'), join(folder, 'elsewhere'));
  for (const at of [repository, join(repository, 'src'), join(folder, 'elsewhere')])
    expect(gitContextAt(at)[0]?.hooks, at).toEqual(['post-index-change']);
});

describe('a line that leads from folder to folder', () => {
  const read = (line: string) =>
    readInContext(catalog, line, { cwd: repository, home, aliases: new Map(), own: OWN }, kept).reading;

  test('is followed a few times, and is unresolved then', () => {
    const names = ['r1', 'r2', 'r3', 'r4', 'r5', 'r6'].map((name) => join(folder, name));
    for (const [index, name] of names.entries()) {
      git('init', '-q', name);
      const next = names[index + 1];
      if (next !== undefined) git('-C', name, 'config', 'alias.e', `!git -C ${next} e`);
    }
    git('-C', names.at(-1)!, 'config', 'alias.e', 'status');
    expect(read(`git -C ${names[4]} e`)).toMatchObject({ calls: [{ name: 'git status' }], unresolved: [] });
    expect(read(`git -C ${names[0]} e`).unresolved).not.toEqual([]);
  });

  test('to more than are looked into is unresolved', () => {
    git('init', '-q', join(folder, 'evil'));
    git('-C', join(folder, 'evil'), 'config', 'core.fsmonitor', 'evil');
    const many = Array.from({ length: 25 }, (_, index) => `git -C /nowhere/${index} log`).join('; ');
    expect(read(`${many}; git -C ${join(folder, 'evil')} status`).unresolved).not.toEqual([]);
  });
});

describe('the repository of a folder', () => {
  test('is found as git does, or git is asked', () => {
    const bare = join(folder, 'bare.git');
    git('init', '-q', '--bare', bare);
    const within = join(folder, 'within');
    git('init', '-q', within);
    mkdirSync(join(within, 'a/b'), { recursive: true });
    mkdirSync(join(within, 'broken/.git'), { recursive: true });
    mkdirSync(join(within, 'file'));
    writeFileSync(join(within, 'file/.git'), `gitdir: ${join(repository, '.git')}\n`);
    git('-C', repository, 'worktree', 'add', '-q', join(folder, 'tree'));
    const places = [
      [repository, 'told'],
      [join(within, 'a/b'), 'told'],
      [join(within, '.git'), 'asked'],
      [join(within, '.git/objects'), 'asked'],
      [join(within, 'broken'), 'asked'],
      [join(within, 'file'), 'asked'],
      [join(folder, 'tree'), 'asked'],
      [bare, 'asked'],
      [join(folder, 'not there'), 'asked'],
      [home, 'told'],
    ] as const;
    for (const [at, how] of places) {
      const site = gitSiteOf(at);
      expect(site === null ? 'asked' : 'told', at).toBe(how);
      if (site !== null) expect(site.gitFolder, at).toBe(gitFolderOf(at));
    }
  });
});

function gitFolderOf(at: string): string | null {
  try {
    return git('-C', at, 'rev-parse', '--absolute-git-dir');
  } catch {
    return null;
  }
}
