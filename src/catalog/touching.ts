/** Which of a command's words may be files, and what it does to them. Pure. */
import type { CommandCall } from './command.ts';
import type { Touch } from './own.ts';
import { CHANGING_OPTIONS, COPIES_FILES, DESTROYS_FILES, READS_FILES } from './programs.ts';
import type { ShellWord } from './shell-line.ts';

/** Of a program that no catalog knows. */
export function touchesOf(name: string, words: readonly ShellWord[]): { word: ShellWord; touch: Touch }[] {
  const changing = CHANGING_OPTIONS.get(name);
  const onlyReads = READS_FILES.has(name) && !words.some(({ text }) => changing?.test(text));
  const target = words.findLast(({ text }) => !text.startsWith('-'));
  const copies = COPIES_FILES.has(name) && !words.some(({ text }) => /^-\w*t|^--target/.test(text));
  const otherwise = DESTROYS_FILES.has(name) ? 'destroys' : 'changes';
  return words.map((word) => ({ word, touch: onlyReads || (copies && word !== target) ? 'reads' : otherwise }));
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
    (name === 'git' && calls.length > 0 && !calls.some((each) => CHANGES_FILES.test(each.name)));
  return [...words, HERE].map((word) => ({ word, touch: onlyReads ? 'reads' : 'changes' }));
}

const HERE: ShellWord = { text: '.', dynamic: false };

/** git's commands that write the files of the folder they work in. */
const CHANGES_FILES =
  /^git (checkout|switch|restore|reset|clean|stash|pull|merge|rebase|apply|am|rm|mv|cherry-pick|revert|clone|init|worktree|sparse-checkout|read-tree|checkout-index|submodule|bisect|config)\b/;

/** The paths that a word may hold: `--file=PATH`, `of=PATH`; an option alone names nothing. */
export function pathsIn({ text }: ShellWord): string[] {
  const after = text.slice(text.indexOf('=') + 1);
  return [...(text.startsWith('-') ? [] : [text]), ...(after === text ? [] : [after])];
}
