/** What a shell line's variables hold, as far as the line itself says it. Pure. */
import { mayRedirectGit } from './git-context.ts';
import type { ShellAssignment, ShellWord } from './shell-line.ts';
import { printedFirst, TOP } from './shell-printed.ts';

/** What is known beside the line. */
interface Around {
  readonly home: string | null;
  /** the folder by now, where there is only one */
  readonly folder: () => string | null;
  /** the branch that is checked out there; null if unknown */
  readonly branch: () => string | null;
}

export class Variables {
  readonly #around: Around;
  /** all that the line has set by now, in whatever process */
  readonly #set = new Set<string>();
  /**
   * Those that hold a text that is known, or what a substitution prints that is no option: that stands there as it is written.
   * Null for one that has changed since.
   */
  #values = new Map<string, string | null>();
  /** those that were set to several words somewhere in the line */
  readonly #several = new Set<string>();
  /** those that programs are given too */
  readonly #exported = new Set<string>();
  /** something may set any of them at any time */
  #isLost = false;
  /** one that may make git do something else */
  redirectsGit: string | null = null;

  constructor(around: Around) {
    this.#around = around;
  }

  has(name: string): boolean {
    return this.#set.has(name);
  }

  get names(): ReadonlySet<string> {
    return this.#set;
  }

  /** Variables that stay. `isSure`: the assignment surely runs. Only what is set once, to a plain text, is known. */
  set(assignments: readonly ShellAssignment[], isSure: boolean): void {
    for (const { name, index, value, isUnknown } of assignments) {
      const text = index === null ? this.completed(value) : null;
      if (text !== null && /\s/.test(text)) this.#several.add(name);
      const isKnown = isSure && !this.#isLost && !this.#set.has(name) && !OF_THE_SHELL.test(name);
      const isPlain = isPlainText(text) && isKnown;
      const printed = isKnown ? printedFirst(value.text) : null;
      const isPrinted = printed === 'name' || (printed === 'folder' && value.text === TOP);
      this.#values.set(name, isPlain ? text : isPrinted ? value.text : null);
      this.#set.add(name);
      // `export $(cat .env)`
      if (isUnknown === true) this.lose();
      if (isUnknown === true || mayRedirectGit(name, value)) this.redirectsGit ??= name;
    }
  }

  /** They hold nothing any more. */
  unset(names: readonly string[]): void {
    for (const name of names) {
      this.#values.set(name, null);
      this.#set.add(name);
    }
  }

  export(names: readonly string[]): void {
    for (const name of names) this.#exported.add(name);
  }

  /** Code that nobody reads may have set any of them; `forGood`: and may do so from now on. */
  lose(forGood = false): void {
    for (const name of this.#values.keys()) this.#values.set(name, null);
    this.#isLost ||= forGood;
  }

  /** What they hold now, for `doubt`. */
  get mark(): ReadonlyMap<string, string | null> {
    return new Map(this.#values);
  }

  /** Whether any was set, or lost, since then. */
  hasChanged(mark: ReadonlyMap<string, string | null>): boolean {
    return [...this.#values].some(([name, value]) => mark.get(name) !== value);
  }

  /** What was set since then may not have been. */
  doubt(mark: ReadonlyMap<string, string | null>): void {
    for (const [name, value] of this.#values) if (mark.get(name) !== value) this.#values.set(name, null);
  }

  /** In a shell of its own, which is given what is exported and what is set for it alone. */
  given(assignments: readonly ShellAssignment[], run: () => void): void {
    this.apart(() => {
      for (const name of this.#values.keys()) if (!this.#exported.has(name)) this.#values.set(name, null);
      const own = assignments.map((each) => ({
        ...each,
        text: each.index === null ? this.completed(each.value) : null,
      }));
      for (const { name, text } of own) {
        this.#values.set(name, isPlainText(text) ? text : null);
        this.#set.add(name);
      }
      run();
    });
  }

  /** What another process sets is gone with it. */
  apart(run: () => void): void {
    const before = this.#values;
    this.#values = new Map(before);
    run();
    this.#values = before;
  }

  /** What it holds; null where only the shell knows. */
  valueOf(name: string): string | null {
    if (this.#set.has(name)) {
      const value = this.#values.get(name) ?? null;
      return this.#set.has('IFS') || value?.startsWith('$(') === true ? null : value;
    }
    if (name === 'HOME') return this.#around.home;
    return name === 'PWD' ? this.#around.folder() : null;
  }

  /** A word with all its variables known, or null where only the shell knows. */
  completed({ text, dynamic, variables, whole, substitutions }: ShellWord): string | null {
    if (!dynamic) return text;
    if (variables === undefined) {
      const [only = '', ...others] = substitutions ?? [];
      const { folder, branch } = this.#around;
      const printed = only === '$(pwd)' ? folder() : printedFirst(only) === 'branch' ? branch() : null;
      const whole = printed === null || others.length > 0 ? null : text.replace(only, () => printed);
      return whole === null || /[$`{*?[]/.test(whole) ? null : whole;
    }
    const values = new Map(variables.map((name) => [name, this.valueOf(name)] as const));
    const isSplit = whole !== true && [...values.values()].some((value) => value === null || /[\s*?[]|^$/.test(value));
    if (isSplit || [...values.values()].includes(null)) return null;
    return filled(text, (name) => values.get(name) ?? null);
  }

  /** With its variables filled in, if all are known: as the words that the shell makes of it. */
  plain(word: ShellWord): ShellWord[] {
    const text = this.completed(word);
    if (text !== null) return [{ text, dynamic: false }];
    const values = word.whole === true ? undefined : word.variables?.map((name) => this.valueOf(name));
    // `x$X`, and X holds several words.
    if (values?.some((value) => value === null || /[*?[]/.test(value)) === false) {
      const whole = filled(word.text, (name) => this.valueOf(name));
      return whole.split(/\s+/).flatMap((each) => (each === '' ? [] : [{ text: each, dynamic: false }]));
    }
    // It may hold them still, and any of them may be an option.
    if (word.whole !== true && word.variables?.some((name) => this.#several.has(name)) === true)
      return [{ text: '$', dynamic: true, several: true }];
    const name = /^\$\{?(\w+)\}?/.exec(word.text)?.[1];
    const printed = name === undefined ? undefined : this.#values.get(name);
    return [
      printed?.startsWith('$(') === true ? { ...word, text: word.text.replace(/^\$\{?\w+\}?/, () => printed) } : word,
    ];
  }

  /** `$CMD push`, where the line has said what CMD is: the shell makes words of it. */
  withProgram(words: readonly ShellWord[]): readonly ShellWord[] {
    const [first, ...rest] = words;
    if (first?.dynamic !== true) return words;
    const name = first.whole === true ? undefined : /^\$\{?(\w+)\}?$/.exec(first.text)?.[1];
    const value = name === undefined ? null : this.valueOf(name);
    const whole = this.completed(first);
    const texts = whole === null ? (value ?? '').split(/\s+/).filter((text) => text !== '') : [whole];
    return texts.length === 0 ? words : [...texts.map((text) => ({ text, dynamic: false })), ...rest];
  }

  /** The program that a word names, or null where only the shell knows. */
  programOf({ text, dynamic, variables, whole }: ShellWord): string | null {
    if (!dynamic) return text.replace(/^=/, '');
    // `"$JAVA_HOME/bin/java"` is java, wherever it is; what is no single word may hold another program.
    const isOne = whole === true || variables?.every((name) => !this.#set.has(name)) === true;
    return isOne && /\/[\w.+-]+$/.test(text) ? text : null;
  }
}

/** The same of every word that may be one, or an option with one attached: `-raX`. */
export function unknownVariables(word: ShellWord): ShellAssignment[] {
  if (!/^-\w{2,}$/.test(word.text)) return [unknownVariable(word)];
  return Array.from(word.text.slice(2), (_, at) => unknownVariable({ text: word.text.slice(2 + at), dynamic: false }));
}

/** Those that a shell sets by itself. */
const OF_THE_SHELL =
  /^(_|REPLY|MAPFILE|BASH_\w+|OPTARG|OPTIND|PIPESTATUS|RANDOM|SRANDOM|SECONDS|LINENO|EPOCH\w+|COPROC|OLDPWD|PWD|DIRSTACK|FUNCNAME|match|MATCH|reply)$/;

/** A text with its variables; one without a value stays as it is written. */
function filled(text: string, held: (name: string) => string | null): string {
  return text.replace(/\$(?:\{(\w+)\}|(\w+))/g, (written, braced, plain) => held(braced ?? plain) ?? written);
}

function isPlainText(text: string | null): text is string {
  return text !== null && !/[`$\\*?[{~]/.test(text);
}

/** The variables that an arithmetic text names: it may set each. */
export function arithmeticVariables(text: string): ShellAssignment[] {
  const names = new Set(text.match(/[A-Za-z_]\w*/g) ?? []);
  return [...names].map((name) => ({ name, index: null, value: { text: '', dynamic: true } }));
}

/** `export X=y`: a word as an assignment. */
export function assignmentOf({ text, ...word }: ShellWord): ShellAssignment {
  const at = text.indexOf('=');
  const value = at === -1 ? { text: '', dynamic: true } : { ...word, text: text.slice(at + 1) };
  return {
    name: at === -1 ? text : text.slice(0, at),
    index: null,
    value,
    ...(/[$`]/.test(text.slice(0, Math.max(at, 0))) && { isUnknown: true }),
  };
}

/** `read X`: set to what nobody knows. */
export function unknownVariable({ text }: ShellWord): ShellAssignment {
  return { name: /^\w*/.exec(text)![0], index: null, value: { text: '', dynamic: true } };
}
