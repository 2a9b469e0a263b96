/** What the git commands of a line have changed, by some point of it, of what git knew of its folders before the line. Pure. */
import { type GitContext, isAsked, isExecuting, type Unsure } from './git-context.ts';
import type { ShellWord } from './shell-line.ts';

/** What a command changes. */
interface Effect {
  /** the branch that is checked out by now, null where that can't be told; absent if it is still the one before */
  readonly branch?: string | null;
  readonly unsure?: readonly Unsure[];
  /** why git may run something else by now */
  readonly fault?: string;
}

/** Of one folder. */
interface Change extends Effect {
  readonly unsure: readonly Unsure[];
  /** counts the changes of all folders */
  readonly serial: number;
}

const ALL: readonly Unsure[] = ['push', 'refspec', 'repository'];

export class Heads {
  readonly #changes = new Map<string, Change>();
  #serial = 0;
  #isLost = false;

  /** What git knows of a folder by now; null as before. */
  now(folder: string, context: GitContext | null): GitContext | null {
    if (context === null) return null;
    if (this.#isLost) return { ...context, branch: null, unsure: new Set(ALL) };
    const own = this.#changes.get(folder);
    // A folder above or below may be of the same repository.
    const near = [...this.#changes].filter(([other]) => isNear(other, folder)).map(([, each]) => each);
    const all = own === undefined ? near : [own, ...near];
    if (all.length === 0) return context;
    const before = own?.branch === undefined ? context.branch : own.branch;
    const fault = context.fault ?? all.find((each) => each.fault !== undefined)?.fault;
    return {
      ...context,
      branch: near.some((each) => each.branch !== undefined) ? null : before,
      unsure: new Set(all.flatMap((each) => each.unsure)),
      ...(fault !== undefined && { fault }),
    };
  }

  /** A command has run there. `words` are those behind `git` or `gh`, `name` is what it was read as. */
  ran(folder: string, name: string, words: readonly ShellWord[], context: GitContext | null): void {
    const last = name.split(' ').at(-1);
    const at = words.findIndex(({ text }) => text === last);
    const found = effectOf(name, words.slice(at + 1), this.now(folder, context));
    if (found === null) return;
    const before = this.#changes.get(folder);
    this.#changes.set(folder, {
      ...before,
      ...found,
      unsure: [...(before?.unsure ?? []), ...(found.unsure ?? [])],
      serial: ++this.#serial,
    });
  }

  /** Where a text runs at another time, or in other repositories: nothing of them is known. */
  elsewhere(run: () => void): void {
    const before = this.#isLost;
    this.#isLost = true;
    run();
    this.#isLost = before;
  }

  /** How many changes there were, for `doubt`. */
  get mark(): number {
    return this.#serial;
  }

  /** What was checked out since then may not have been: it was not run, or it failed. */
  doubt(mark: number): void {
    for (const [folder, change] of this.#changes)
      if (change.serial > mark && 'branch' in change) this.#changes.set(folder, { ...change, branch: null });
  }
}

function isNear(a: string, b: string): boolean {
  return a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}

/** What a command changes; null for nothing of it. */
function effectOf(name: string, words: readonly ShellWord[], context: GitContext | null): Effect | null {
  const operands = operandsOf(words);
  const isDynamic = words.some(({ dynamic }) => dynamic);
  const has = (option: RegExp) => words.some(({ text }) => option.test(text));
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
    case 'gh pr merge':
      return isDynamic || has(/^(-\w*d|--del)/) ? { branch: null } : null;
    case 'git rebase':
      return operands.length > 1 || isDynamic || has(/^--root/) ? { branch: null } : null;
    case 'git symbolic-ref':
      return operands.length > 1 || isDynamic ? { branch: null } : null;
    case 'git pull':
    case 'git fetch':
      return has(/^--set/) ? { unsure: ['push', ...followed(context)] } : null;
    default:
      if (/^git bisect\b/.test(name)) return { branch: null };
      if (/^git config\b/.test(name)) return configured(name, words);
      return /^git remote (add|set-url|rename|remove|rm|set-branches)$/.test(name)
        ? { unsure: ['push', 'repository'] }
        : null;
  }
}

/** Where a push follows the branch's upstream, what it is has changed. */
function followed(context: GitContext | null): Unsure[] {
  const mode = context?.settings.findLast(({ key }) => key === 'push.default')?.value ?? '';
  return /^(upstream|tracking)$/.test(mode) ? ['refspec'] : [];
}

const CREATES = /^(-[bBcC]|--orphan|--create|--force-create)$/;
/** Options of checkout and switch that say nothing of what is checked out, in full. */
const PLAIN =
  /^(-q|--quiet|-f|--force|-m|--merge|--progress|--no-progress|--guess|--no-guess|--recurse-submodules|--discard-changes)$/;

function checkedOut(isSwitch: boolean, words: readonly ShellWord[], context: GitContext | null): Effect | null {
  const at = words.findIndex(({ text }) => CREATES.test(text));
  const others = words.filter((_, index) => at === -1 || (index !== at && index !== at + 1));
  const dashes = others.findIndex(({ text }) => text === '--');
  const options = others.filter(({ text }, index) => text.startsWith('-') && text.length > 1 && index !== dashes);
  if (options.some(({ text }) => !PLAIN.test(text))) return { branch: null };
  if (at !== -1) {
    const created = words[at + 1];
    const unsure: Unsure[] = ['push', ...followed(context)];
    // With a start it may follow that.
    const starts = others.some(({ text }) => !text.startsWith('-'));
    return { branch: created === undefined || created.dynamic ? null : created.text, ...(starts && { unsure }) };
  }
  if (words.some(({ dynamic }) => dynamic)) return { branch: null };
  const operands = operandsOf(words);
  // Files of it, not the branch.
  if (!isSwitch && (operands.length > 1 || (dashes !== -1 && dashes < others.length - 1))) return null;
  const [name] = operands;
  if (name === undefined) return null;
  const isBranch = isSwitch || context?.settings.some(({ key }) => key.startsWith(`branch.${name}.`)) === true;
  return { branch: isBranch && name !== '-' ? name : null };
}

/** Options of branch that change nothing of the branch that is checked out, in full. */
const LOOKS =
  /^(-[dDarvlqf]+|-vv|--delete|--all|--remotes|--list|--show-current|--force|--quiet|--verbose|--contains|--no-contains|--merged|--no-merged|--(sort|format|points-at|contains|merged|no-merged)=.*|--no-track|--color(=.*)?|--no-color|--column(=.*)?|--abbrev(=.*)?|--edit-description|-i|--ignore-case)$/;

function branched(words: readonly ShellWord[], context: GitContext | null): Effect | null {
  const options = words.filter(({ text }) => text.startsWith('-') && text.length > 1);
  const isMove = options.some(({ text }) => /^(-m|-M|--move)$/.test(text));
  const isPlain = options.every(({ text }) => LOOKS.test(text) || /^(-m|-M|--move)$/.test(text));
  const unsure: Unsure[] = ['push', ...followed(context)];
  if (!isPlain || words.some(({ dynamic }) => dynamic))
    return { unsure, ...(!isPlain && !isUpstream(options) && { branch: null }) };
  const operands = operandsOf(words);
  // A new one with a start may follow that.
  if (!isMove) return operands.length > 1 ? { unsure } : null;
  const [from, to] = operands.length > 1 ? operands : [context?.branch, operands[0]];
  return from === context?.branch ? { branch: to ?? null, unsure } : null;
}

function isUpstream(options: readonly ShellWord[]): boolean {
  return options.every(
    ({ text }) => /^(-u|--set-upstream-to(=.*)?|--unset-upstream|-t|--track(=.*)?)$/.test(text) || LOOKS.test(text),
  );
}

/** A setting that judging asks for counts no more as it was, wherever it is written. */
function configured(name: string, words: readonly ShellWord[]): Effect | null {
  const looks =
    words.some(({ text }) => /^(--get\b.*|-l|--list|--get-.*)$/.test(text)) || /config (get|list)$/.test(name);
  if (looks) return null;
  const plain = words.filter(({ dynamic }) => !dynamic).map(({ text }) => text);
  const keys = plain.filter((text) => /^[a-z][\w-]*\..+/i.test(text));
  // The how-manieth word is the key only its options tell: all that look like one count.
  const asked = keys.filter((key) => isAsked({ key, value: '?' }));
  if (keys.length === 0 && words.length > 0) return { unsure: ALL, fault: CONFIGURED };
  if (asked.length === 0) return null;
  const valueOfKey = (key: string) => plain[plain.indexOf(key) + 1] ?? '?';
  const executes = asked.some((key) => /^alias\./i.test(key) || isExecuting(key, valueOfKey(key)));
  return {
    ...(asked.some((key) => /^(push|remote|branch)\./i.test(key)) && { unsure: ALL }),
    ...(executes && { fault: CONFIGURED }),
  };
}

const CONFIGURED = 'the line itself changes the configuration, which may make git run something else';

/** The plain words that are no options. */
function operandsOf(words: readonly ShellWord[]): string[] {
  return words
    .filter(({ text, dynamic }) => !dynamic && (text === '-' || !text.startsWith('-')))
    .map(({ text }) => text);
}
