/** How the value of one argument is compared with what a policy wants. Pure. */

import type { Answer, Argument, JsonValue } from '../call.ts';
import { compileGlob, isGlob } from '../glob.ts';
import { redact } from '../redact.ts';
import { every, opposite, some } from './answers.ts';
import type { ArgumentMatch, Literal } from './schema-arguments.ts';

/** One element of an argument, compared. `relative`: it is a path below a folder that we don't know. */
type Compare = (item: JsonValue, relative: boolean) => Answer;

/**
 * All comparisons of an argument must hold. Of a list any element is enough; where a yes would loosen, every one must,
 * and in the case in which it was written.
 */
export function compileMatch(match: ArgumentMatch, loosens: boolean): (value: JsonValue, relative: boolean) => Answer {
  const tests: Compare[] = [];
  const equalTo = (wanted: Literal) => equal(wanted, loosens);
  if (match.is) tests.push(anyOf(match.is.map(equalTo)));
  if (match.like) tests.push(anyOf(match.like.map(equalTo)));
  // One element that violates is enough: a single outside recipient among ten triggers.
  if (match.is_not) tests.push(noneOf(match.is_not.map((wanted) => equal(wanted, !loosens))));
  if (match.not_like) tests.push(noneOf(match.not_like.map((wanted) => equal(wanted, !loosens))));
  if (match.contains) tests.push(anyOf(match.contains.map(contained)));
  const compare = (limit: number | undefined, holds: (value: number, limit: number) => boolean) => {
    if (limit !== undefined) tests.push((item) => compareNumber(item, (value) => holds(value, limit)));
  };
  compare(match.over, (value, limit) => value > limit);
  compare(match.under, (value, limit) => value < limit);
  compare(match.at_least, (value, limit) => value >= limit);
  compare(match.at_most, (value, limit) => value <= limit);
  return (value, relative) => {
    const items = itemsOf(value);
    if (items.length === 1) return every(tests, (test) => test(items[0]!, relative));
    return every(tests, (test) =>
      overItems(
        items.map((item) => test(item, relative)),
        loosens,
      ),
    );
  };
}

const MAX_JSON_LEAVES = 1000;
const MAX_JSON_DEPTH = 32;
/** Stands for what isn't read: no comparison can tell of an object. */
const UNREAD: JsonValue = {};

/** The elements of a value. A text that is itself JSON may be read by the server: then its parts are elements too. */
function itemsOf(value: JsonValue): readonly JsonValue[] {
  if (!Array.isArray(value)) return mayBeJson(value) ? [value, ...leavesOf(value)] : [value];
  return value.some(mayBeJson)
    ? value.flatMap((item) => (mayBeJson(item) ? [item, ...leavesOf(item)] : [item]))
    : value;
}

function mayBeJson(value: JsonValue): value is string {
  return typeof value === 'string' && /^\s*[[{"]/.test(value);
}

function leavesOf(text: string): JsonValue[] {
  const leaves: JsonValue[] = [];
  const collect = (value: JsonValue, depth: number) => {
    if (leaves.length > MAX_JSON_LEAVES) return;
    if (leaves.length === MAX_JSON_LEAVES || depth > MAX_JSON_DEPTH) {
      leaves.push(UNREAD);
      return;
    }
    if (typeof value === 'string') parse(value, depth + 8);
    if (value === null || typeof value !== 'object') leaves.push(value);
    else for (const item of Object.values(value)) collect(item as JsonValue, depth + 1);
  };
  const parse = (json: string, depth: number) => {
    if (!mayBeJson(json)) return;
    try {
      collect(JSON.parse(json) as JsonValue, depth);
    } catch {
      // It only looks like JSON.
    }
  };
  parse(text, 0);
  return leaves;
}

/** Of a list any element is enough to restrict; to loosen, every element must be fit. */
function overItems(answers: readonly Answer[], loosens: boolean): Answer {
  const yes = answers.filter((answer) => answer === 'yes').length;
  if (yes > 0) return loosens && yes < answers.length ? 'cant tell' : 'yes';
  return answers.includes('cant tell') ? 'cant tell' : 'no';
}

function anyOf(tests: readonly Compare[]): Compare {
  return (item, relative) => some(tests, (test) => test(item, relative));
}

function noneOf(tests: readonly Compare[]): Compare {
  return (item, relative) => opposite(some(tests, (test) => test(item, relative)));
}

/** Text against text is a pattern; a number or a flag written as text is not sure to be meant. */
function equal(wanted: Literal, loosens: boolean): Compare {
  if (wanted === null) return (item) => (item === null ? 'yes' : 'no');
  if (typeof wanted === 'string') {
    const glob = compileGlob(wanted);
    const exact = loosens ? compileGlob(wanted, 'as written') : null;
    const absolute = wanted.startsWith('/');
    return (item, relative) => {
      if (item === null) return 'no';
      if (typeof item === 'object') return 'cant tell';
      const text = String(item).trim();
      if (glob(text)) return exact === null || exact(text) ? 'yes' : 'cant tell';
      // Below the folder that it is relative to, it may be that very path.
      return relative && absolute && !text.startsWith('/') ? 'cant tell' : 'no';
    };
  }
  if (typeof wanted === 'number') return (item) => compareNumber(item, (value) => value === wanted);
  return (item) => {
    if (typeof item === 'boolean') return item === wanted ? 'yes' : 'no';
    return item === null ? 'no' : 'cant tell';
  };
}

function contained(wanted: Literal): Compare {
  if (typeof wanted !== 'string') return equal(wanted, false);
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
export function describeArgument(path: string, found: Argument): string {
  switch (found.state) {
    case 'missing':
      return 'missing';
    case 'unreadable':
      return `unreadable: ${found.why}`;
    case 'value': {
      // Under its own key: that may say that the value is a secret.
      const key = path.split('.').at(-1) ?? path;
      const text = JSON.stringify((redact({ [key]: found.value }) as Record<string, unknown>)[key]);
      return text.length > 120 ? `${text.slice(0, 60)}…${text.slice(-40)}` : text;
    }
  }
}
