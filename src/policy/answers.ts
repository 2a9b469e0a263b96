/** Three-valued logic: how the answers of several conditions make one. Pure. */
import type { Answer, Facts } from '../call.ts';

/** One condition, ready to be asked and to be shown. */
export interface Test {
  /** as the owner wrote it: `operation: Write or Delete` */
  readonly label: string;
  /** how the answers of `parts` make its own; a leaf has none */
  readonly kind: 'leaf' | 'all' | 'any' | 'not';
  readonly parts: readonly Test[];
  /** a leaf that looks at nothing but integration, tool and operation */
  readonly about: 'tool' | 'more';
  /** one agent and one tool may get different answers: by their arguments, by time, by what was before */
  readonly varies: boolean;
  readonly answer: (facts: Facts) => Answer;
  /** what it was compared with, for people */
  readonly compared: (facts: Facts) => string;
}

/** The whole test in one line, as a person would read it. */
export function inWords({ label, kind, parts }: Test, isInner = false): string {
  if (kind === 'leaf') return label;
  if (kind === 'not') return `not (${inWords(parts[0]!)})`;
  const inner = parts.map((part) => inWords(part, true)).join(kind === 'all' ? ' and ' : ' or ');
  return isInner && parts.length > 1 ? `(${inner})` : inner;
}

/** All of the parts; of none: yes. */
export function allOf(label: string, parts: readonly Test[]): Test {
  return combination(label, 'all', parts, (facts) => every(parts, (part) => part.answer(facts)));
}

/** Any of the parts; of none: no. */
export function anyOf(label: string, parts: readonly Test[]): Test {
  return combination(label, 'any', parts, (facts) => some(parts, (part) => part.answer(facts)));
}

export function negate(label: string, part: Test): Test {
  return combination(label, 'not', [part], (facts) => opposite(part.answer(facts)));
}

function combination(
  label: string,
  kind: Exclude<Test['kind'], 'leaf'>,
  parts: readonly Test[],
  answer: Test['answer'],
): Test {
  return { label, kind, parts, about: 'more', varies: parts.some(({ varies }) => varies), answer, compared: () => '' };
}

/** AND: one no is no, whatever the rest; else one can't tell is can't tell. Of none: yes. */
export function every<Part>(parts: readonly Part[], ask: (part: Part) => Answer): Answer {
  return combined(parts, ask, 'no');
}

/** OR: one yes is yes, whatever the rest; else one can't tell is can't tell. Of none: no. */
export function some<Part>(parts: readonly Part[], ask: (part: Part) => Answer): Answer {
  return combined(parts, ask, 'yes');
}

/** NOT: what can't be told stays so. */
export function opposite(answer: Answer): Answer {
  return answer === 'yes' ? 'no' : answer === 'no' ? 'yes' : 'cant tell';
}

function combined<Part>(parts: readonly Part[], ask: (part: Part) => Answer, decisive: 'yes' | 'no'): Answer {
  let result: Answer = opposite(decisive);
  for (const part of parts) {
    const answer = ask(part);
    if (answer === decisive) return answer;
    if (answer === 'cant tell') result = answer;
  }
  return result;
}
