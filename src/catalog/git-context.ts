/** What a repository's configuration makes of a git command: aliases, where a push goes, and what else it would run. Pure. */
import type { ShellWord } from './shell-line.ts';

/** One line of `git config -z --list --show-scope`, the key in lower case but for its middle part. */
export interface GitSetting {
  readonly scope: 'system' | 'global' | 'local' | 'worktree' | 'command' | 'unknown';
  readonly key: string;
  readonly value: string;
}

/** Of the folder that a git command works in. */
export interface GitContext {
  readonly settings: readonly GitSetting[];
  /** the branch that is checked out; null if none or unknown */
  readonly branch: string | null;
  /** names of the hooks that are there and may run */
  readonly hooks: readonly string[];
  /** why none of this is known, though git may know it */
  readonly fault?: string;
  /** what the line itself has changed of it, so that it can't be told */
  readonly unsure?: ReadonlySet<Unsure>;
}

/** Where a push goes that names no branch; where one does that names only its source; the repository of the remotes. */
export type Unsure = 'push' | 'refspec' | 'repository';

/** Nobody could be asked what git knows. */
export function unknownContext(fault: string): GitContext {
  return { settings: [], branch: null, hooks: [], fault };
}

/** Whether judging ever asks for a setting: the others, among them most that are secret, are nobody's affair. */
export function isAsked({ key, value }: Pick<GitSetting, 'key' | 'value'>): boolean {
  return /^(alias|branch|core|push|remote)\./i.test(key) || isExecuting(key, value);
}

/** Hooks that commands run which only read: the index is refreshed, what was fetched is written down. */
export const READING_HOOKS: ReadonlySet<string> = new Set([
  'post-index-change',
  'reference-transaction',
  'pre-auto-gc',
]);

/**
 * Settings that run a program or lead elsewhere, by section. The owner's own (global, system) are the owner's; those of a repository come with
 * whatever was cloned or written there.
 */
const EXECUTING: ReadonlyMap<string, RegExp> = new Map([
  ['core', /^(fsmonitor|sshcommand|pager|editor|askpass|gitproxy|alternaterefscommand)$/i],
  ...['alias', 'pager', 'protocol', 'sendemail', 'browser', 'man', 'url', 'includeif'].map(
    (section) => [section, /^.*$/] as const,
  ),
  ['credential', /^(.*\.)?helper$/i],
  ['diff', /^(external|.*\.(command|textconv))$/i],
  ['difftool', /^.*\.cmd$/i],
  ['filter', /^.*\.(clean|smudge|process)$/i],
  ['gpg', /^((.*\.)?program|ssh\.defaultkeycommand)$/i],
  ['http', /^(.*\.)?(proxy|sslverify|sslcainfo|curloptresolve)$/i],
  ['include', /^path$/i],
  ['interactive', /^difffilter$/i],
  ['merge', /^.*\.driver$/i],
  ['mergetool', /^.*\.cmd$/i],
  ['remote', /^.*\.(uploadpack|receivepack|vcs|proxy)$/i],
  ['sequence', /^editor$/i],
  ['submodule', /^.*\.update$/i],
  ['tar', /^.*\.command$/i],
  ['trailer', /^.*\.(cmd|command)$/i],
  ['web', /^browser$/i],
]);

/** With these values they run nothing but git itself, or a plain pager. */
const HARMLESS: readonly (readonly [key: RegExp, value: RegExp])[] = [
  [/^core\.fsmonitor$/i, /^(false|true|0|1|no|yes|off|on)?$/i],
  [/^(core\.pager|pager\..*)$/i, /^(cat|less|more|true|false)?$/],
  [/^submodule\..*\.update$/i, /^(none|checkout|rebase|merge)$/],
  [/^(core|sequence)\.editor$/i, /^(true|:|cat)$/],
  [/^credential\.helper$/i, /^$/],
  [/^protocol\.version$/i, /^\d$/],
];

/** Whether a setting makes git run or redirect something, wherever it was set. */
export function isExecuting(key: string, value: string): boolean {
  const dot = key.indexOf('.');
  const name = EXECUTING.get(key.slice(0, Math.max(0, dot)).toLowerCase());
  return (
    name?.test(key.slice(dot + 1)) === true &&
    !HARMLESS.some(([known, harmless]) => known.test(key) && harmless.test(value))
  );
}

/** Settings that make a command another one only where they are given for it alone: in a repository they are how it is meant to be. */
const CHANGING =
  /^(core\.hookspath|remote\..*|branch\..*|fetch\..*|push\.(?!(default|autosetupremote|followtags)$).*|receive\..*|clean\..*)$/i;

/** Whether a setting that a command line gives may make the command do more than it says. */
export function isChanging(key: string, value: string): boolean {
  if (/^core\.hookspath$/i.test(key) && value === '/dev/null') return false;
  return CHANGING.test(key) || isExecuting(key, value);
}

/** The repository's own settings that make git do more than its command line says; aliases are looked at when they are used. */
export function executingSettings({ settings }: GitContext): string[] {
  return settings
    .filter(
      ({ scope, key, value }) =>
        scope !== 'global' && scope !== 'system' && !/^alias\./i.test(key) && isExecuting(key, value),
    )
    .map(({ key }) => key);
}

/** The body of an alias, by the last setting that counts; null if there is none. */
export function aliasOf({ settings }: GitContext, name: string): string | null {
  return settings.findLast(({ key }) => key.toLowerCase() === `alias.${name.toLowerCase()}`)?.value ?? null;
}

/** Where `git push` goes that names no branch: the destination's name, or null where that can't be told. */
export function impliedPush(context: GitContext, remote: string | null): string | null {
  const get = (key: string) =>
    context.settings.findLast((each) => each.key.toLowerCase() === key.toLowerCase())?.value ?? null;
  const { branch } = context;
  if (branch === null || context.unsure?.has('push') === true) return null;
  const to =
    remote ??
    get(`branch.${branch}.pushRemote`) ??
    get('remote.pushDefault') ??
    get(`branch.${branch}.remote`) ??
    'origin';
  if (get(`remote.${to}.push`) !== null || get(`remote.${to}.mirror`) !== null) return null;
  switch (get('push.default')?.toLowerCase() ?? 'simple') {
    case 'current':
      return branch;
    case 'simple':
    case 'upstream':
    case 'tracking': {
      const merge = get(`branch.${branch}.merge`);
      if (merge === null) return get('push.default') === null || get('push.default') === 'simple' ? branch : null;
      return merge.replace(/^refs\/heads\//, '');
    }
    default:
      return null;
  }
}

/**
 * A refspec of `git push` with the destination that git gives it where it names none (builtin/push.c, refspec_append_mapped);
 * null where that can't be told.
 */
export function completedRefspec({ settings, branch, unsure }: GitContext, refspec: string): string | null {
  if (refspec.includes(':') || refspec.startsWith('-')) return refspec;
  if (unsure?.has('refspec') === true) return null;
  if (settings.some(({ key }) => /^remote\..*\.push$/i.test(key))) return null;
  if (/^\+?(HEAD|@)$/.test(refspec))
    return branch === null ? (unsure === undefined ? refspec : null) : `${branch}:${branch}`;
  const source = refspec.replace(/^\+/, '').replace(/^(refs\/)?heads\//, '');
  // What is forced is not looked up among the branches.
  const follows =
    !refspec.startsWith('+') &&
    /^(upstream|tracking)$/.test(settings.findLast(({ key }) => key === 'push.default')?.value ?? '');
  const upstream = settings.findLast(({ key }) => key === `branch.${source}.merge`)?.value;
  return `${source}:${(follows ? upstream : undefined) ?? source}`;
}

/** `owner/name` on a forge, if all remotes are the same; null otherwise. */
export function remoteRepository({ settings, unsure }: GitContext): string | null {
  if (unsure?.has('repository') === true) return null;
  const found = settings
    .filter(({ key }) => /^remote\..*\.(url|pushurl)$/i.test(key))
    .map(({ value }) => repositoryOf(value));
  return found.length > 0 && found.every((each) => each === found[0]) ? found[0]! : null;
}

/** Of `https://host/owner/name.git`, `git@host:owner/name.git`. */
function repositoryOf(url: string): string | null {
  const path = /^(?:[a-z][a-z0-9+.-]*:\/\/(?:[^/@]*@)?[^/]+\/|[^/@\s]+@[^/:\s]+:)(.+)$/i.exec(url)?.[1];
  const parts = path?.replace(/\.git$|\/$/g, '').split('/') ?? [];
  return parts.length === 2 ? parts.join('/') : null;
}

const PLAIN_SSH = /^ssh( -i ?[\w./~-]+| -o ?(BatchMode|IdentitiesOnly|ConnectTimeout)=\w+| -[46Cqv])*$/;

/** Variables of the environment that make git run or read something else. */
const GIT_VARIABLES =
  /^(GIT_(?!(AUTHOR|COMMITTER)_|TERMINAL_PROMPT$|OPTIONAL_LOCKS$|CURL_VERBOSE$|CONFIG_NOSYSTEM$|LFS_SKIP_SMUDGE$|ADVICE$|MERGE_AUTOEDIT$|LITERAL_PATHSPECS$|FLUSH$|PROTOCOL_FROM_USER$)|PAGER$|EDITOR$|VISUAL$|SSH_ASKPASS$|LD_PRELOAD$|LD_LIBRARY_PATH$|DYLD_|PATH$|HOME$|XDG_CONFIG_HOME$|PERL5LIB$|BASH_ENV$|ENV$|IFS$)/;

/** Whether a variable that a line sets to a value may make git run or read something else. */
export function mayRedirectGit(name: string, { text, dynamic }: ShellWord): boolean {
  if (!GIT_VARIABLES.test(name)) return false;
  if (/PAGER$/.test(name)) return dynamic || !/^(cat|less|more|true)?$/.test(text);
  // It may be a file that git writes.
  if (name.startsWith('GIT_TRACE')) return dynamic || /^[/~]/.test(text);
  // With a key of its own it asks the same host.
  if (name === 'GIT_SSH_COMMAND' || name === 'GIT_SSH') return dynamic || !PLAIN_SSH.test(text);
  if (/EDITOR$|^VISUAL$/.test(name)) return dynamic || !/^(true|:|cat)$/.test(text);
  // Folders before or behind those that are there already, none of them where the line happens to be.
  if (name === 'PATH') {
    const parts = text.split(':');
    return !parts.some((part) => /^\$\{?PATH\}?$/.test(part)) || !parts.every((part) => /^[/~$]/.test(part));
  }
  return true;
}
