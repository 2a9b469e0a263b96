/** How the value of one argument is compared with what a policy wants. Pure. */
import type { Answer, Argument, JsonValue } from '../call.ts';
import { compileGlob, isGlob } from '../glob.ts';
import type { ArgumentMatch, Literal } from './schema.ts';

/**
 * All comparisons of an argument must hold. Of a list any element is enough; where a yes would loosen, every one must.
 */
export function compileMatch(match: ArgumentMatch, loosens: boolean): (value: JsonValue) => Answer {
  const tests: ((item: JsonValue) => Answer)[] = [];
  if (match.is) tests.push(some(match.is.map(equal)));
  if (match.like) tests.push(some(match.like.map(equal)));
  // One element that violates is enough: a single outside recipient among ten triggers.
  if (match.is_not) tests.push(opposite(some(match.is_not.map(equal))));
  if (match.not_like) tests.push(opposite(some(match.not_like.map(equal))));
  if (match.contains) tests.push(some(match.contains.map(contained)));
  const compare = (limit: number | undefined, holds: (value: number, limit: number) => boolean) => {
    if (limit !== undefined) tests.push((item) => compareNumber(item, (value) => holds(value, limit)));
  };
  compare(match.over, (value, limit) => value > limit);
  compare(match.under, (value, limit) => value < limit);
  compare(match.at_least, (value, limit) => value >= limit);
  compare(match.at_most, (value, limit) => value <= limit);
  return (value) => {
    const items: readonly JsonValue[] = Array.isArray(value) ? value : [value];
    let result: Answer = 'yes';
    for (const test of tests) {
      const answer = overItems(items.map(test), loosens);
      if (answer === 'no') return 'no';
      if (answer === 'cant tell') result = 'cant tell';
    }
    return result;
  };
}

/** Of a list any element is enough to restrict; to loosen, every element must be fit. */
function overItems(answers: readonly Answer[], loosens: boolean): Answer {
  const yes = answers.filter((answer) => answer === 'yes').length;
  if (yes > 0) return loosens && yes < answers.length ? 'cant tell' : 'yes';
  return answers.includes('cant tell') ? 'cant tell' : 'no';
}

function some(tests: readonly ((item: JsonValue) => Answer)[]): (item: JsonValue) => Answer {
  return (item) => {
    let result: Answer = 'no';
    for (const test of tests) {
      const answer = test(item);
      if (answer === 'yes') return 'yes';
      if (answer === 'cant tell') result = 'cant tell';
    }
    return result;
  };
}

function opposite(test: (item: JsonValue) => Answer): (item: JsonValue) => Answer {
  return (item) => {
    const answer = test(item);
    return answer === 'yes' ? 'no' : answer === 'no' ? 'yes' : 'cant tell';
  };
}

/** Text against text is a pattern; a number or a flag written as text is not sure to be meant. */
function equal(wanted: Literal): (item: JsonValue) => Answer {
  if (wanted === null) return (item) => (item === null ? 'yes' : 'no');
  if (typeof wanted === 'string') {
    const glob = compileGlob(wanted);
    return (item) => {
      if (item === null) return 'no';
      if (typeof item === 'object') return 'cant tell';
      return glob(String(item).trim()) ? 'yes' : 'no';
    };
  }
  if (typeof wanted === 'number') return (item) => compareNumber(item, (value) => value === wanted);
  return (item) => {
    if (typeof item === 'boolean') return item === wanted ? 'yes' : 'no';
    if (item === null) return 'no';
    return 'cant tell';
  };
}

function contained(wanted: Literal): (item: JsonValue) => Answer {
  if (typeof wanted !== 'string') return equal(wanted);
  const glob = compileGlob(isGlob(wanted) ? wanted : `**${wanted}**`);
  return (item) => (item === null ? 'no' : typeof item === 'object' ? 'cant tell' : glob(String(item)) ? 'yes' : 'no');
}

/** Numeric text counts as its number; what is no number can't be compared. */
function compareNumber(item: JsonValue, holds: (value: number) => boolean): Answer {
  if (item === null) return 'no';
  const value =
    typeof item === 'number' ? item : typeof item === 'string' && item.trim() !== '' ? Number(item) : Number.NaN;
  return Number.isNaN(value) ? 'cant tell' : holds(value) ? 'yes' : 'no';
}

/** What upstreams take for missing. */
export function isEmpty(value: JsonValue): boolean {
  return (
    value === null || (typeof value === 'string' && value.trim() === '') || (Array.isArray(value) && value.length === 0)
  );
}

/** As the owner wrote it, in words. */
export function describeMatch(match: ArgumentMatch): string {
  const keys = Object.keys(match);
  if (keys.length === 1 && match.is) return match.is.map((item) => JSON.stringify(item)).join(' or ');
  return Object.entries(match)
    .map(
      ([key, value]) =>
        `${key} ${Array.isArray(value) ? value.map((item) => JSON.stringify(item)).join(' or ') : JSON.stringify(value)}`,
    )
    .join(', ');
}

/** What was found, for people. */
export function describeArgument(found: Argument): string {
  switch (found.state) {
    case 'missing':
      return 'missing';
    case 'unreadable':
      return `unreadable: ${found.why}`;
    case 'value': {
      const text = JSON.stringify(found.value);
      return text.length > 120 ? `${text.slice(0, 60)}…${text.slice(-40)}` : text;
    }
  }
}
