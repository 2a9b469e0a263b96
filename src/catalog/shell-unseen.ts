/** What there is to find in the words of programs that nobody reads: interpreters, other shells, build tools, programs that nobody knows. Pure. */
import { FOREIGN_SHELLS, HARMLESS, INTERPRETERS, RUNS_UNSEEN } from './programs.ts';
import { readSedScript, sedScripts } from './sed-script.ts';
import { type ShellInput, type ShellWord, withoutSubstitutions } from './shell-line.ts';

/** What is to be looked for. */
export interface Unseen {
  /** `mentions`: programs and hosts that a text speaks of; `calls`: words that are a call of one; `nothing`: it can't be told at all */
  readonly looksFor: 'mentions' | 'calls' | 'nothing';
  readonly texts: readonly string[];
  readonly why: string;
  /** it is code, which may speak of toolgate's own files too */
  readonly isCode: boolean;
  /** what it is, if nothing is found: code which is not in the line, by this name; null for harmless */
  readonly opaque: string | null;
}

/** Null for what only prints or looks. */
export function unseenIn(name: string, path: string, words: readonly ShellWord[], input: ShellInput): Unseen | null {
  const texts = words.map(withoutSubstitutions);
  const line = texts.join(' ');
  const fed = input.kind === 'text' ? [input.text] : [];
  if (FOREIGN_SHELLS.has(name))
    return { looksFor: 'mentions', texts: [line], why: `${name} reads another language`, isCode: true, opaque: name };
  if (name === 'sed' || name === 'gsed') return sedCode(name, texts);
  if (name.endsWith('awk')) return awkCode(name, texts);
  const codeOptions = INTERPRETERS.get(name.replace(/[\d.]+$/, '')) ?? INTERPRETERS.get(name);
  if (codeOptions !== undefined) return interpreted(name, codeOptions, texts, input);
  if (RUNS_UNSEEN.has(name)) {
    const why = `${name} runs more than is in the line`;
    return { looksFor: 'calls', texts: [...texts, ...fed], why, isCode: false, opaque: name };
  }
  const starting = STARTS_PROGRAMS.get(name);
  const starts = starting !== undefined && texts.some((text) => starting.test(text));
  if (HARMLESS.has(name) && !starts) return null;
  const isSystems = !path.includes('/') || /^(\/usr)?\/s?bin\//.test(path);
  return {
    looksFor: 'calls',
    texts: [...texts, ...fed],
    why: `${name} may run what its words say`,
    isCode: false,
    opaque: isSystems ? null : path,
  };
}

/** Options by which a program that only looks runs another one. */
const STARTS_PROGRAMS: ReadonlyMap<string, RegExp> = new Map([
  ['rg', /^--(pre$|pre=|hostname-bin)/],
  ['bat', /^--pager/],
  ['man', /^(-\w*P|--pager)/],
  ['ag', /^--pager/],
]);

/** Most of sed's scripts run nothing. */
function sedCode(name: string, texts: readonly string[]): Unseen | null {
  const { scripts, inFile } = sedScripts(texts);
  const runs = scripts.filter((script) => readSedScript(script).runs);
  if (runs.length === 0 && !inFile) return null;
  return {
    looksFor: 'mentions',
    // `1egit push` runs git.
    texts: runs.map((script) => script.replace(/(?<=[\d$/!;{}\s'"])e(?=\w)/g, 'e ')),
    why: `the code of ${name} is not read`,
    isCode: false,
    opaque: inFile ? name : null,
  };
}

function awkCode(name: string, texts: readonly string[]): Unseen | null {
  const line = texts.join(' ');
  const isInFile = texts.some((text) => /^(-\w*f|--file|-i$|--include)/.test(text));
  if (!isInFile && !AWK_RUNS.test(line)) return null;
  return { looksFor: 'mentions', texts: [line], why: `the code of ${name} is not read`, isCode: false, opaque: name };
}

const AWK_RUNS = /system\s*\(|\|&?\s*"[\w/$]|getline|@/;

function interpreted(
  name: string,
  codeOptions: readonly string[],
  texts: readonly string[],
  input: ShellInput,
): Unseen {
  const letters = codeOptions.filter((option) => option.length === 2).map((option) => option[1]!);
  // `-c`, `-c'…'`, and `-Bc` with others before it.
  const hasCode = texts.some(
    (text) =>
      codeOptions.some((option) => text === option || (option.length === 2 && text.startsWith(option))) ||
      (/^-[a-zA-Z]+$/.test(text) && letters.some((letter) => text.includes(letter))),
  );
  const isFed =
    !hasCode &&
    texts.every((text) => text.startsWith('-')) &&
    !texts.some((text) => /^(-m|--?(version|V|v|help|h))$/.test(text));
  if (isFed && input.kind === 'unknown')
    return {
      looksFor: 'nothing',
      texts: [],
      why: `${name} runs what another command prints`,
      isCode: false,
      opaque: null,
    };
  const why = `the code of ${name} is not read`;
  // The name of a file of code and its arguments are no code.
  if (!hasCode && !isFed) return { looksFor: 'calls', texts, why, isCode: false, opaque: name };
  const code = isFed && input.kind === 'text' ? input.text : texts.join(' ');
  return { looksFor: 'mentions', texts: [code], why, isCode: true, opaque: name };
}
