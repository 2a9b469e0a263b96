/** Which of a command's words may be files, and what it does to them. Pure. */
import type { CommandCall } from './command.ts';
import { unique } from './lists.ts';
import type { Touch } from './own.ts';
import { CHANGING_OPTIONS, DESTROYS_FILES, READS_FILES, SOURCE_OF_COPIES } from './programs.ts';
import type { ShellWord } from './shell-line.ts';

/** Of a program that no catalog knows. */
export function touchesOf(name: string, words: readonly ShellWord[]): { word: ShellWord; touch: Touch }[] {
  const changing = CHANGING_OPTIONS.get(name);
  const onlyReads = READS_FILES.has(name) && !words.some(({ text }) => changing?.test(text));
  const source = SOURCE_OF_COPIES.get(name);
  const target = words.findLast(({ text }) => !text.startsWith('-'));
  const hasTarget = source !== undefined && !words.some(({ text }) => /^-\w*t|^--(target|remove-source)/.test(text));
  const otherwise = DESTROYS_FILES.has(name) ? 'destroys' : 'changes';
  const touchOf = (word: ShellWord): Touch => {
    if (onlyReads) return 'reads';
    if (!hasTarget) return otherwise;
    return word === target ? 'changes' : source;
  };
  return words.map((word) => ({ word, touch: touchOf(word) }));
}

/** Of a program that the catalog knows: it changes files in the folder that it works in, too. */
export function touchesOfCalls(
  name: string,
  words: readonly ShellWord[],
  calls: readonly CommandCall[],
): { word: ShellWord; touch: Touch }[] {
  // Of git's commands most leave the files alone.
  const onlyReads =
    calls.every(({ possible }) => possible.every((each) => each === 'Read')) ||
    (name === 'git' && calls.length > 0 && calls.every((each) => KEEPS_FILES.test(each.name)));
  return [...words, HERE].map((word) => ({ word, touch: onlyReads ? 'reads' : 'changes' }));
}

const HERE: ShellWord = { text: '.', dynamic: false };

/** git's changing commands that leave the files of the folder they work in as they are. */
const KEEPS_FILES =
  /^git (add|stage|commit|push|send-pack|fetch|fetch-pack|tag|branch|remote|notes|gc|maintenance|prune|repack|reflog|symbolic-ref|update-ref|update-index|replace|commit-tree|write-tree)\b/;

/**
 * The paths that a word may hold: `--file=PATH`, `-oPATH`, `@PATH`, `PATH:/c`, `a/{b,c}`. An option alone names nothing.
 */
export function pathsIn({ text, dynamic }: ShellWord): string[] {
  const isOption = text.startsWith('-');
  const value = text.slice(text.indexOf('=') + 1);
  const whole = [
    ...(isOption ? [] : [text]),
    ...(value === text ? [] : [value]),
    ...(/^-[a-zA-Z]./.test(text) ? [text.slice(2), text.replace(/^-[a-zA-Z]+/, '')] : []),
  ];
  const parts = whole.flatMap((each) => [each, ...each.split(/[,:]|^@|=@/), ...withoutBraces(each, dynamic)]);
  return unique(parts).filter((each) => each !== '');
}

const MAX_PATHS = 200;

/** The paths that stand in code. */
export function pathsInText(text: string): string[] {
  return text
    .split(/[\s'"`()=;<>|&,{}[\]]+/)
    .filter((each) => each.includes('/'))
    .slice(0, MAX_PATHS);
}

/** `a/{b,c}` as the shell completes it, one level deep. */
function withoutBraces(text: string, dynamic: boolean): string[] {
  const found = dynamic && !/[$`]/.test(text) ? /^([^{}]*)\{([^{}]*,[^{}]*)\}([^{}]*)$/.exec(text) : null;
  return found === null ? [] : found[2]!.split(',').map((each) => `${found[1]}${each}${found[3]}`);
}

/** The files that a patch changes, in the forms in which agents write one. */
export function patchedPaths(text: string): string[] {
  const headers =
    /^[ \t]*(?:\*\*\* (?:Add|Update|Delete) File: |\*\*\* Move to: |\+\+\+ (?:b\/)?|--- (?:a\/)?)([^\n]+)$/gm;
  return unique([...text.matchAll(headers)].map((found) => found[1]!.trim()));
}
