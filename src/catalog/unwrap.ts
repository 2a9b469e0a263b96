/** What a program that runs another one runs, and where. Pure. */
import { type KnownOptions, readArgv, splitAtOperand } from './argv.ts';
import type { Wrapper } from './programs.ts';
import type { ShellAssignment, ShellWord } from './shell-line.ts';

export interface Unwrapped {
  /** the other program and its words; empty if there is none */
  readonly words: readonly ShellWord[];
  /** variables that are set for it */
  readonly assignments: readonly ShellAssignment[];
  /** lines that it has a shell run; null where only the shell knows */
  readonly texts: readonly (string | null)[];
  /** a line that stands before the words; null if there is none, and `unknown` where only the shell knows */
  readonly split: string | 'unknown' | null;
  /** the folders that it changes to, one after the other */
  readonly folders: readonly ShellWord[];
  /** words that nobody knows are added at the end */
  readonly adds: boolean;
  /** it is a shell that reads its input */
  readonly feeds: boolean;
}

const NOTHING: Unwrapped = {
  words: [],
  assignments: [],
  texts: [],
  split: null,
  folders: [],
  adds: false,
  feeds: false,
};
const SOME: ShellWord = { text: '$added', dynamic: true };

export function unwrap(wrapper: Wrapper, given: readonly ShellWord[]): Unwrapped {
  const { text = [], split = [], folder = [], token = [], unless = [], feeds = [], adds = false } = wrapper;
  const known = optionsOf(wrapper);
  const options: ShellWord[] = [];
  const assignments: ShellAssignment[] = [];
  let rest = given;
  let left = wrapper.operands ?? 0;
  let words: readonly ShellWord[] = [];
  for (;;) {
    const { before, operand, after } = splitAtOperand(rest, known);
    options.push(...before);
    if (operand === null) break;
    const set = wrapper.assignments ? /^([^\s=-][^\s=]*)=(.*)$/s.exec(operand.text) : null;
    if (set !== null) assignments.push({ name: set[1]!, index: null, value: { ...operand, text: set[2]! } });
    // What may be several words may hold the program.
    else if (left > 0 && (!operand.dynamic || operand.whole === true || /^[\w./:@%+,~]/.test(operand.text))) left--;
    else {
      words = [operand, ...after];
      break;
    }
    rest = after;
  }
  const verb = splitAtOperand(given, known).operand;
  if (wrapper.verbs !== undefined && verb !== null && !verb.dynamic && !wrapper.verbs.includes(verb.text))
    return NOTHING;
  const argv = readArgv(options, known);
  if (unless.some((option) => argv.options.has(option))) return NOTHING;
  const valuesOf = (names: readonly string[]) => names.flatMap((name) => argv.options.get(name) ?? []);
  const [line] = valuesOf(split);
  const tokens = valuesOf(token).map((value) => (value === true ? '{}' : value));
  return {
    words: tokens.length === 0 ? words : words.map((word) => filled(word, tokens)),
    assignments,
    texts: valuesOf(text).flatMap((value) => (value === true ? [] : [value])),
    split: line === undefined || line === true ? null : (line ?? 'unknown'),
    folders: valuesOf(folder).map((value) =>
      typeof value === 'string' ? { text: value, dynamic: false } : { text: '$', dynamic: true },
    ),
    adds: adds && tokens.length === 0,
    feeds: words.length === 0 && feeds.some((option) => argv.options.has(option)),
  };
}

/** A word with what stands for others in it. */
function filled(word: ShellWord, tokens: readonly (string | null)[]): ShellWord {
  return tokens.some((token) => token === null || (token !== '' && word.text.includes(token)))
    ? { ...SOME, text: word.text.replaceAll(tokens[0] ?? word.text, SOME.text) }
    : word;
}

function optionsOf({ values = [], attached = [], text = [] }: Wrapper): KnownOptions {
  return {
    values: new Set([...values, ...text]),
    attached: new Set(attached.filter((option) => !option.startsWith('--'))),
    names: new Set([...values, ...text, ...attached]),
  };
}

/** The words with those that nobody knows. */
export function withAdded(words: readonly ShellWord[]): readonly ShellWord[] {
  return [...words, SOME];
}
