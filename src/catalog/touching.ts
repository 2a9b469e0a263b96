/** Which of a command's words may be files, and what it does to them. Pure. */
import type { CommandCall } from './command.ts';
import { filledBy, HERE } from './filling.ts';
import { unique } from './lists.ts';
import type { Touch } from './own.ts';
import { CHANGING_OPTIONS, DESTROYS_FILES, READS_FILES, SOURCE_OF_COPIES } from './programs.ts';
import type { ShellWord } from './shell-line.ts';

/** Of a program that no catalog knows. */
export function touchesOf(name: string, given: readonly ShellWord[]): { word: ShellWord; touch: Touch }[] {
  const words = withoutExcluded(name, given);
  const changing = CHANGING_OPTIONS.get(name);
  if (name === 'find' || name === 'fd') {
    const touch = touchOfFinder(words);
    return words.map((word) => ({ word, touch }));
  }
  const onlyReads = READS_FILES.has(name) && !words.some(({ text }) => changing?.test(text));
  const source = SOURCE_OF_COPIES.get(name);
  const target = words.findLast(({ text }) => !text.startsWith('-'));
  const hasTarget = source !== undefined && !words.some(({ text }) => /^-\w*t|^--(target|remove-source)/.test(text));
  const isDeep = CHANGES_ALL_BELOW.has(name) && words.some(({ text }) => /^(-[a-zA-Z]*R|--recursive)/.test(text));
  const otherwise = DESTROYS_FILES.has(name) || isDeep ? 'destroys' : 'changes';
  const touchOf = (word: ShellWord): Touch => {
    if (onlyReads) return 'reads';
    if (!hasTarget) return otherwise;
    return word === target ? 'changes' : source;
  };
  return [
    ...words.map((word) => ({ word, touch: touchOf(word) })),
    ...filledBy(name, words).map((word): { word: ShellWord; touch: Touch } => ({ word, touch: 'fills' })),
  ];
}

/** Without what is left out, or looked for by its name. */
function withoutExcluded(name: string, words: readonly ShellWord[]): readonly ShellWord[] {
  if (name === 'zip') {
    const end = words.findIndex(({ text }) => text === '-x' || text === '--exclude');
    return end === -1 ? words : words.slice(0, end);
  }
  const option = name === 'find' ? FIND_TESTS : EXCLUDES;
  return words.filter((_, index) => !option.test(words[index - 1]?.text ?? ''));
}

const EXCLUDES = /^--(exclude|exclude-dir|skip-dirs|ignore)$/;
const FIND_TESTS = /^-i?(name|path|wholename|regex)$/;

const CHANGES_ALL_BELOW: ReadonlySet<string> = new Set(['chmod', 'chown', 'chgrp', 'setfacl', 'chattr']);

const RUNS_FOUND = /^(?:-(?:exec|execdir|ok|okdir)|-[a-zA-Z]*[xX]|--exec(?:-batch)?(?:=(.*))?)$/s;

/** It does to the files that it finds what it runs for them. */
function touchOfFinder(words: readonly ShellWord[]): Touch {
  if (words.some(({ text }) => /^-(delete|fprint.*|fls)$/.test(text))) return 'destroys';
  const onlyReads = words.every(({ text }, index) => {
    const starts = RUNS_FOUND.exec(text);
    if (starts === null) return true;
    const rest = words.slice(index + 1).map((word) => word.text);
    const end = rest.findIndex((word) => word === ';' || word === '+');
    const [program = '', ...given] =
      starts[1] === undefined ? rest.slice(0, end === -1 ? rest.length : end) : starts[1].split(' ');
    const name = program.split('/').at(-1)!;
    const changing = CHANGING_OPTIONS.get(name);
    return name === 'git' || (READS_FILES.has(name) && !given.some((word) => changing?.test(word)));
  });
  return onlyReads ? 'reads' : 'destroys';
}

/** Of a program that the catalog knows: it changes files in the folder that it works in, too. */
export function touchesOfCalls(
  name: string,
  words: readonly ShellWord[],
  calls: readonly CommandCall[],
): { word: ShellWord; touch: Touch }[] {
  const reads = calls.every(({ possible }) => possible.every((each) => each === 'Read'));
  // Of git's commands most leave the files alone. What others only get from their services they may write down here.
  const keeps = name === 'git' && calls.length > 0 && calls.every((each) => KEEPS_FILES.test(each.name));
  const fetches = name !== 'git' && reads && calls.some((each) => GETS_FILES.test(each.name));
  const changes: Touch = keeps ? 'reads' : 'changes';
  const changesHere: Touch = calls.some((each) => each.name === 'git clean') ? 'destroys' : changes;
  const fills = fetches || calls.some((each) => FILLS_FOLDERS.test(each.name));
  const named: Touch = fills ? 'fills' : reads ? 'reads' : changes;
  const here: Touch = !reads ? changesHere : fetches ? 'fills' : 'reads';
  return [
    ...words.map((word): { word: ShellWord; touch: Touch } => ({ word, touch: named })),
    { word: HERE, touch: here },
  ];
}

/** Commands that write what they get into the folder that they work in. */
const GETS_FILES = /\b(download|get|export|pull|copy|sync|schema|import-tests|attachment)\b/;

/** Commands that fill a folder which is named to them. */
const FILLS_FOLDERS = /^git (clone|worktree add|checkout-index)$/;

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
