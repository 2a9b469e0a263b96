/** The options and operands of a command, as programs commonly read them: `--x=y`, `-abc`, `--`, unique beginnings of long options. Pure. */
import type { ShellWord } from './shell-line.ts';
import { printedFirst } from './shell-printed.ts';

export interface Argv {
  /** by the option's full name, each value in order: `true` for a flag, null where only the shell knows */
  readonly options: ReadonlyMap<string, readonly (string | true | null)[]>;
  /** the same values as they are written; no text for a flag */
  readonly written: ReadonlyMap<string, readonly string[]>;
  /** null where only the shell knows */
  readonly operands: readonly (string | null)[];
  /** those of them that stand after `--`; null where there is none */
  readonly afterDashes: readonly (string | null)[] | null;
  /** options that were shortened: they may be what they seem, so they make nothing milder */
  readonly shortened: ReadonlySet<string>;
  /** some word may be an option, and only the shell knows which */
  readonly open: boolean;
}

/** What is known of a command's options. */
export interface KnownOptions {
  /** those that take a value */
  readonly values: ReadonlySet<string>;
  /** those that take one only if it is attached: `-i{}`, `--replace={}` */
  readonly attached?: ReadonlySet<string>;
  /** all that are named, those that take a value too */
  readonly names: ReadonlySet<string>;
}

const NONE: ReadonlySet<string> = new Set();

export function readArgv(words: readonly ShellWord[], { values, attached = NONE, names }: KnownOptions): Argv {
  const options = new Map<string, (string | true | null)[]>();
  const written = new Map<string, string[]>();
  const shortened = new Set<string>();
  const operands: (string | null)[] = [];
  let open = false;
  let afterDashes: (string | null)[] | null = null;
  const add = (name: string, value: string | true | null, text = '') => {
    const given = options.get(name);
    if (given === undefined) {
      options.set(name, [value]);
      written.set(name, [text]);
    } else {
      given.push(value);
      written.get(name)!.push(text);
    }
  };
  const textOf = (word: ShellWord | undefined) => {
    open ||= word?.several === true;
    return word === undefined ? true : word.dynamic ? null : word.text;
  };
  let index = 0;
  while (index < words.length) {
    const word = words[index++]!;
    const { text } = word;
    if (word.dynamic && mayBeAnOption(text, values)) {
      // It may be an option, or several words: what comes after it is not where it seems.
      open = true;
      operands.push(null);
      continue;
    }
    if (text === '--') {
      afterDashes = words.slice(index).map((rest) => (rest.dynamic ? null : rest.text));
      for (const operand of afterDashes) operands.push(operand);
      break;
    }
    if (text.startsWith('--')) {
      const equals = text.indexOf('=');
      const given = equals === -1 ? text : text.slice(0, equals);
      const meant = namesMeant(given, names);
      if (meant.length > 1 || meant[0] !== given) for (const name of meant) shortened.add(name);
      const value =
        equals !== -1
          ? word.dynamic
            ? null
            : text.slice(equals + 1)
          : meant.every((name) => values.has(name))
            ? textOf(words[index++])
            : true;
      // `--delete-branch=false` is as if it were not there.
      if (equals !== -1 && value === 'false' && !meant.some((name) => values.has(name))) continue;
      const valueText = equals !== -1 ? text.slice(equals + 1) : value === true ? '' : (words[index - 1]?.text ?? '');
      for (const name of meant) add(name, value, valueText);
    } else if (text.startsWith('-') && text !== '-') {
      for (let at = 1; at < text.length; at++) {
        const name = `-${text[at]}`;
        if (attached.has(name)) {
          add(name, at === text.length - 1 ? true : word.dynamic ? null : text.slice(at + 1));
          break;
        }
        if (!values.has(name)) {
          add(name, true);
          continue;
        }
        const rest = text.slice(at + 1).replace(/^=/, '');
        const next = rest === '' ? words[index++] : { ...word, text: rest };
        add(name, textOf(next), next?.text);
        break;
      }
    } else operands.push(open || word.dynamic ? null : text);
  }
  return { options, written, operands, afterDashes, shortened, open };
}

/** Of a word that the shell completes: whether it may become another option than it seems, or any option at all. */
function mayBeAnOption(text: string, values: ReadonlySet<string>): boolean {
  const printed = printedFirst(text);
  if (printed === 'name' || printed === 'folder') return false;
  if (!text.startsWith('-')) return !/^[\p{L}\p{N}_./:@%+,~]/u.test(text);
  // `--format=$X` and `-m"$X"` are the options that they begin with.
  return !(/^--[\w-]+=/.test(text) || values.has(text.slice(0, 2)));
}

/** The words before the first operand, that operand, and those after it. */
export function splitAtOperand(
  words: readonly ShellWord[],
  { values, attached = NONE, names }: KnownOptions,
): { before: readonly ShellWord[]; operand: ShellWord | null; after: readonly ShellWord[] } {
  for (let at = 0; at < words.length; at++) {
    const { text, dynamic } = words[at]!;
    if (!dynamic && text === '--')
      return { before: words.slice(0, at), operand: words[at + 1] ?? null, after: words.slice(at + 2) };
    if (dynamic || !text.startsWith('-') || text === '-')
      return { before: words.slice(0, at), operand: words[at]!, after: words.slice(at + 1) };
    if (text.startsWith('--')) {
      if (!text.includes('=') && namesMeant(text, names).every((name) => values.has(name))) at++;
    } else {
      const taking = [...text.slice(1)].find((letter) => values.has(`-${letter}`) || attached.has(`-${letter}`));
      if (taking !== undefined && values.has(`-${taking}`) && text.indexOf(taking, 1) === text.length - 1) at++;
    }
  }
  return { before: words, operand: null, after: [] };
}

/** The option by its full name, or all that its beginning may mean; itself, if nothing is known of it. */
function namesMeant(given: string, names: ReadonlySet<string>): string[] {
  if (names.has(given)) return [given];
  const found = given.length > 2 ? [...names].filter((name) => name.startsWith(given)) : [];
  return found.length > 0 ? found : [given];
}
