/** Every folder that a shell line may be in by some point of it. Pure. */
import { normalisePath } from './arguments.ts';
import type { ShellWord } from './shell-line.ts';
import { TOP } from './shell-printed.ts';

/** A folder that only the shell knows. */
export const LOST = Symbol('lost');

/** Null: nobody said where the line runs. */
export type Folder = string | null | typeof LOST;

/** Where a step leaves the line, as it succeeds or fails. */
export interface Ends {
  readonly ok: ReadonlySet<Folder>;
  readonly failed: ReadonlySet<Folder>;
}

const MAX_FOLDERS = 8;

export function unionOf(a: ReadonlySet<Folder>, b: ReadonlySet<Folder>): ReadonlySet<Folder> {
  if (a === b) return a;
  const both = new Set([...a, ...b]);
  return both.size > MAX_FOLDERS ? new Set([LOST]) : both;
}

export class Folders {
  now: ReadonlySet<Folder>;
  /** those that `cd -` and `popd` go back to */
  #stack: readonly ReadonlySet<Folder>[] = [];
  readonly #home: string | null;
  readonly #completed: (word: ShellWord) => string | null;

  /** `completed`: a word with its variables filled in. */
  constructor(cwd: string | null, home: string | null, completed: (word: ShellWord) => string | null) {
    this.now = new Set([cwd]);
    this.#home = home;
    this.#completed = completed;
  }

  /** The one that it surely is in; null if there are several, or nobody knows. */
  get only(): string | null {
    const [folder] = this.now;
    return this.now.size === 1 && typeof folder === 'string' ? folder : null;
  }

  /** After a step, whether it succeeded or failed. */
  leave({ ok, failed }: Ends): void {
    this.now = unionOf(ok, failed);
  }

  /** In a process of its own: where that goes is gone with it. */
  apart(run: () => void): void {
    const [now, stack] = [this.now, this.#stack];
    run();
    this.now = now;
    this.#stack = stack;
  }

  /** `cd x`; `isLed`: by a variable that nobody knows. */
  cd(words: readonly ShellWord[], isLed: boolean): void {
    const [to = HOME, ...more] = words.filter(({ text }) => !/^-[LPe@]+$|^--$/.test(text));
    const before = this.now;
    if (to.text === '-' && this.#stack.length > 0) this.now = this.#stack.at(-1)!;
    // Two words are one path to a shell that splits no variables, and a replacement to zsh.
    else this.change(isLed || more.length > 0 ? ANYWHERE : to);
    this.#stack = [before];
  }

  /** What turns the stack around leads nobody knows where. */
  pushd(words: readonly ShellWord[]): void {
    const [to] = words.filter(({ text }) => text !== '-n' && text !== '--');
    const before = this.now;
    this.change(to === undefined || /^[-+]\d*$/.test(to.text) ? ANYWHERE : to);
    this.#stack = [...this.#stack, before];
  }

  popd(words: readonly ShellWord[]): void {
    this.now = words.length === 0 ? (this.#stack.at(-1) ?? new Set([LOST])) : new Set([LOST]);
    this.#stack = this.#stack.slice(0, -1);
  }

  change(to: ShellWord): void {
    this.now = new Set([...this.now].map((from) => this.resolved(to, from)));
  }

  /** A folder by what a command is told, from where it is. A pattern leads nobody knows where, or is kept as it is written. */
  resolved(word: ShellWord, from: Folder, pattern: 'unknown' | 'kept' = 'unknown'): Folder {
    // The top of the repository that it is in has the same configuration.
    if (word.text === TOP || word.text === '$(pwd)') return from;
    const text = this.#completed(word);
    if (text === null || text === '-' || (pattern === 'unknown' && /[*?[]/.test(text))) return LOST;
    const isHome = text === '~' || text.startsWith('~/');
    if ((isHome && this.#home === null) || (!isHome && text.startsWith('~'))) return LOST;
    const path = isHome ? this.#home + text.slice(1) : text;
    if (/^(\/|[A-Za-z]:[/\\])/.test(path)) return normalisePath(path);
    return typeof from === 'string' ? normalisePath(`${from}/${path}`) : from;
  }
}

const HOME: ShellWord = { text: '~', dynamic: false };
/** Where one has been before. */
export const ANYWHERE: ShellWord = { text: '-', dynamic: false };
