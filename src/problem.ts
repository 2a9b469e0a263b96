import { foldName } from './call.ts';
import { redactText } from './redact.ts';

/** One mistake in a file that people write: where it is, what is wrong, how to mend it. */
export interface Problem {
  /** the file as the owner would name it, such as `policies.yaml` */
  readonly file: string;
  /** counted from 1; 0 if the whole file is meant */
  readonly line: number;
  readonly column: number;
  readonly severity: 'error' | 'warning';
  readonly fault: string;
  /** what to do; empty only if the fault says it all */
  readonly mend: string;
  /** the line of the file, as written; empty if there is none */
  readonly source: string;
}

/** Where a value stands in a file. */
export interface Place {
  readonly line: number;
  readonly column: number;
  /** the line as written */
  readonly source: string;
}

/** The place of a mistake that is the whole file's. */
export const WHOLE_FILE: Place = { line: 0, column: 0, source: '' };

export function errorAt(file: string, place: Place, fault: string, mend: string): Problem {
  return { file, ...place, severity: 'error', fault, mend };
}

/** `file:line:column severity: fault`, then the source line with a caret and the mend. */
export function formatProblem(problem: Problem): string {
  const at = problem.line > 0 ? `:${problem.line}:${problem.column}` : '';
  const head = `${problem.file}${at} ${problem.severity}: ${problem.fault}`;
  if (problem.source === '') return problem.mend === '' ? head : `${head}\n    ${problem.mend}`;
  const shown = visible(redactText(problem.source.replaceAll('\t', ' ')));
  const caret = `${' '.repeat(Math.max(0, problem.column - 1))}^`;
  return `${head}\n    ${shown}\n    ${caret}${problem.mend === '' ? '' : ` ${problem.mend}`}`;
}

/** In the order of the file. */
export function inOrder(problems: readonly Problem[]): Problem[] {
  return [...problems].sort((a, b) => a.file.localeCompare(b.file) || a.line - b.line || a.column - b.column);
}

/** Problems one below the other, in the order of the file. */
export function formatProblems(problems: readonly Problem[]): string {
  return inOrder(problems).map(formatProblem).join('\n');
}

/** The one of `choices` that was probably meant; null if none is near. Distance counts a swap as one step. */
export function didYouMean(word: string, choices: readonly string[]): string | null {
  const wanted = foldName(word);
  let best: string | null = null;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const choice of choices) {
    const folded = foldName(choice);
    const distance = editDistance(wanted, folded);
    const limit = Math.max(1, Math.floor(Math.max(wanted.length, folded.length) / 3));
    if (distance <= limit && distance < bestDistance) {
      best = choice;
      bestDistance = distance;
    }
  }
  return best;
}

/** `did you mean "x"? Use one of: …`, as every closed set is mended. */
export function mendChoice(word: string, choices: readonly string[], guess = didYouMean(word, choices)): string {
  const list = choices.length <= 24 ? choices.join(', ') : `${choices.slice(0, 24).join(', ')}, …`;
  return guess === null ? `use one of: ${list}` : `did you mean "${guess}"? Use one of: ${list}`;
}

/**
 * What can't be seen, or hides or reorders what can: controls but tab and line feed, bidi marks, zero-width and filler
 * characters, variation selectors and tags. First and last of each range.
 */
export const UNSEEN: readonly (readonly [first: number, last: number])[] = [
  [0x00, 0x08],
  [0x0b, 0x1f],
  [0x7f, 0x9f],
  [0xad, 0xad],
  [0x34f, 0x34f],
  [0x61c, 0x61c],
  [0x115f, 0x1160],
  [0x17b4, 0x17b5],
  [0x180b, 0x180f],
  [0x200b, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x206f],
  [0x2800, 0x2800],
  [0x3164, 0x3164],
  [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff],
  [0xffa0, 0xffa0],
  [0xfff0, 0xfffb],
  [0x1bca0, 0x1bca3],
  [0x1d173, 0x1d17a],
  [0xe0000, 0xe0fff],
];

const UNSEEN_SHAPE = new RegExp(
  `[${UNSEEN.map(([first, last]) => `\\u{${first.toString(16)}}-\\u{${last.toString(16)}}`).join('')}]`,
  'gu',
);

/** Text from outside made safe to print: what can't be seen becomes `\u{…}`. */
export function visible(text: string): string {
  return text.replace(UNSEEN_SHAPE, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`);
}

/** The same for one line of output: new lines and tabs are shown too. */
export function visibleLine(text: string): string {
  return visible(text).replace(/[\n\t]/g, (c) => (c === '\n' ? '\\n' : '\\t'));
}

function editDistance(a: string, b: string): number {
  if (a === b) return 0;
  if (Math.abs(a.length - b.length) > 6 || a.length > 64 || b.length > 64) return Number.POSITIVE_INFINITY;
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(row[j - 1]! + 1, previous[j]! + 1, previous[j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, before[j - 2]! + 1);
      row.push(best);
    }
    before = previous;
    previous = row;
  }
  return previous[b.length]!;
}
