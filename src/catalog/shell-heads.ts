/** What the git commands of a line have changed, by some point of it, of what git knew of its folders before the line. Pure. */
import { type GitContext, type GitSetting, isAsked, type Unsure } from './git-context.ts';
import type { ShellWord } from './shell-line.ts';

/** Of one folder. */
interface Change {
  /** the branch that is checked out by now; absent if it is still the one before */
  readonly branch?: string | null;
  readonly settings: readonly GitSetting[];
  readonly unsure: ReadonlySet<Unsure>;
}

const NOTHING: Change = { settings: [], unsure: new Set() };

export class Heads {
  readonly #changes = new Map<string, Change>();

  /** What git knows of a folder by now; null as before. */
  now(folder: string, context: GitContext | null): GitContext | null {
    const change = this.#changes.get(folder);
    if (context === null || change === undefined) return context;
    const { branch = context.branch, settings, unsure } = change;
    return { ...context, branch, settings: [...context.settings, ...settings], unsure };
  }

  /** A command has run there. `words` are those behind `git` or `gh`, `name` is what it was read as. */
  ran(folder: string, name: string, words: readonly ShellWord[], context: GitContext | null): void {
    const last = name.split(' ').at(-1);
    const at = words.findIndex(({ text }) => text === last);
    const found = effectOf(name, words.slice(at + 1), this.now(folder, context));
    if (found === null) return;
    const before = this.#changes.get(folder) ?? NOTHING;
    this.#changes.set(folder, {
      ...before,
      ...('branch' in found && { branch: found.branch }),
      settings: [...before.settings, ...(found.settings ?? [])],
      unsure: new Set([...before.unsure, ...(found.unsure ?? [])]),
    });
  }

  /** How it is now, for `doubt`. */
  get mark(): ReadonlyMap<string, Change> {
    return new Map(this.#changes);
  }

  /** What was checked out since then may not have been: it was not run, or it failed. */
  doubt(mark: ReadonlyMap<string, Change>): void {
    for (const [folder, change] of this.#changes)
      if (change.branch !== undefined && change.branch !== mark.get(folder)?.branch)
        this.#changes.set(folder, { ...change, branch: null });
  }
}

/** What a command changes; null for nothing of it. */
function effectOf(name: string, words: readonly ShellWord[], context: GitContext | null): Partial<Change> | null {
  switch (name) {
    case 'git checkout':
    case 'git switch':
      return checkedOut(name === 'git switch', words, context);
    case 'git branch':
      return branched(words, context);
    case 'gh pr checkout':
    case 'gh co':
    case 'gh issue develop':
    case 'git stash branch':
      return { branch: null };
    case 'git rebase':
      return operandsOf(words).length > 1 ? { branch: null } : null;
    case 'git symbolic-ref':
      return operandsOf(words).length > 1 || words.some(({ dynamic }) => dynamic) ? { branch: null } : null;
    case 'git config':
      return configured(words);
    default:
      if (/^git bisect\b/.test(name)) return { branch: null };
      return /^git remote (add|set-url|rename|remove|rm|set-branches)$/.test(name)
        ? { unsure: new Set(['push', 'repository']) }
        : null;
  }
}

const CREATES = /^(?:-[bBcC]|--orphan|--create|--force-create)(?:=?(.*))$/;

function checkedOut(
  isSwitch: boolean,
  words: readonly ShellWord[],
  context: GitContext | null,
): Partial<Change> | null {
  const at = words.findIndex(({ text }) => CREATES.test(text));
  if (at !== -1) {
    const attached = CREATES.exec(words[at]!.text)![1]!;
    const word = attached === '' ? words[at + 1] : { ...words[at]!, text: attached };
    return { branch: word === undefined || word.dynamic ? null : word.text };
  }
  if (words.some(({ dynamic }) => dynamic)) return { branch: null };
  if (words.some(({ text }) => /^(-d|--detach|-t|--track.*)$/.test(text))) return { branch: null };
  const operands = operandsOf(words);
  const [name] = operands;
  // Files of it, not the branch.
  const isOfFiles = words.some(({ text }) => text === '--') || (!isSwitch && operands.length > 1);
  if (name === undefined || isOfFiles) return null;
  const isBranch = isSwitch || context?.settings.some(({ key }) => key.startsWith(`branch.${name}.`)) === true;
  return { branch: isBranch && name !== '-' ? name : null };
}

function branched(words: readonly ShellWord[], context: GitContext | null): Partial<Change> | null {
  const has = (option: RegExp) => words.some(({ text }) => option.test(text));
  if (has(/^(-[a-zA-Z]*u|--set-upstream-to(=.*)?|--unset-upstream|-t|--track(=.*)?)$/))
    return { unsure: new Set(['push']) };
  if (!has(/^(-[a-zA-Z]*[mM]|--move)$/)) return null;
  const operands = operandsOf(words);
  if (words.some(({ dynamic }) => dynamic)) return { branch: null, unsure: new Set(['push']) };
  const [from, to] = operands.length > 1 ? operands : [context?.branch, operands[0]];
  return from === context?.branch ? { branch: to ?? null } : null;
}

/** A setting that judging asks for counts from now on, whatever it is set to. */
function configured(words: readonly ShellWord[]): Partial<Change> | null {
  const all: ReadonlySet<Unsure> = new Set(['push', 'refspec', 'repository']);
  const operands = operandsOf(words).filter((text) => !/^(set|unset|get|list|add)$/.test(text));
  const [key, value] = operands;
  if (key === undefined) return words.some(({ dynamic }) => dynamic) ? { unsure: all } : null;
  if (value === undefined && !words.some(({ dynamic, text }) => dynamic || /^(--)?unset/.test(text))) return null;
  if (!isAsked({ key, value: value ?? '?' })) return null;
  const settings: GitSetting[] = value === undefined ? [] : [{ scope: 'local', key: key.toLowerCase(), value }];
  return { settings, ...(/^(push|remote|branch)\./i.test(key) && { unsure: all }) };
}

/** The plain words that are no options. */
function operandsOf(words: readonly ShellWord[]): string[] {
  return words
    .filter(({ text, dynamic }) => !dynamic && (text === '-' || !text.startsWith('-')))
    .map(({ text }) => text);
}
