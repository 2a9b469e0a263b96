/**
 * Schemas of the files that people write: zod, with words. Every helper fails with a fault and a mend, and
 * `problemsOf` turns zod's issues into problems at the place where the owner wrote them.
 */
import { z } from 'zod';
import { foldName } from './call.ts';
import { readDuration } from './duration.ts';
import { didYouMean, errorAt, mendChoice, type Place, type Problem } from './problem.ts';

/** Finds the place of a value, or of the key that leads to it. */
export type Locate = (path: readonly PropertyKey[], what: 'key' | 'value') => Place;

const BREAK = '\u0000';

/** A message of two parts, as `problemsOf` reads it. */
export function faultAndMend(fault: string, mend: string): string {
  return `${fault}${BREAK}${mend}`;
}

/** An object where a misspelt key is an error that names the right one. */
export function strict<Shape extends z.core.$ZodLooseShape>(shape: Shape, what = 'a block of keys') {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? faultAndMend('', Object.keys(shape).join(BREAK))
        : faultAndMend(
            `this must be ${what}, not ${describe(issue.input)}`,
            `use these keys: ${Object.keys(shape).join(', ')}`,
          ),
  });
}

/** A block of the owner's own names, each with a value of one kind. */
export function named<Value extends z.core.$ZodType>(what: string, value: Value) {
  return z.record(z.string(), value, {
    error: (issue) =>
      faultAndMend(
        `"${what}" must be a block of names and values, not ${describe(issue.input)}`,
        `write ${what}: { name: value }`,
      ),
  });
}

/** Text that isn't empty. */
export function text(what: string, maxLength = 1000) {
  return z
    .string({
      error: (issue) =>
        issue.input === undefined
          ? faultAndMend(`${what} is missing`, `add ${what}`)
          : faultAndMend(`${what} must be text, not ${describe(issue.input)}`, mendText(issue.input)),
    })
    .check((ctx) => {
      if (ctx.value.trim() === '')
        ctx.issues.push(custom(ctx.value, `${what} is empty`, 'write something, or leave the key out'));
      else if (ctx.value.length > maxLength)
        ctx.issues.push(custom(ctx.value, `${what} is longer than ${maxLength} characters`, 'shorten it'));
    });
}

/** A whole number from `least` to `most`. */
export function wholeNumber(what: string, least: number, most: number) {
  const message = faultAndMend(
    `${what} must be a whole number from ${least} to ${most}`,
    `write a number, such as ${least}`,
  );
  return z.int({ error: message }).min(least, { error: message }).max(most, { error: message });
}

export function flag(what: string) {
  return z.boolean({
    error: (issue) =>
      faultAndMend(`${what} must be true or false, not ${describe(issue.input)}`, 'write true or false'),
  });
}

/** One of a closed set, ignoring case, spaces and underscores; `synonyms` only mend, they are not accepted. */
export function choice<const T extends string>(
  noun: string,
  values: readonly T[],
  options: { synonyms?: Record<string, T>; aliases?: Record<string, T> } = {},
) {
  return z
    .unknown()
    .transform((input, ctx): T => {
      const found = pick(input, values, options.aliases);
      if (found !== null) return found;
      ctx.issues.push(choiceIssue(input, noun, values, options.synonyms));
      return z.NEVER;
    })
    .meta({ enum: [...values, ...Object.keys(options.aliases ?? {})] });
}

/** One of a closed set, a list of them, or `A or B`; always gives a list, never an empty one. */
export function choices<const T extends string>(
  noun: string,
  values: readonly T[],
  options: { synonyms?: Record<string, T> } = {},
) {
  return z
    .unknown()
    .transform((input, ctx): T[] => {
      const items = Array.isArray(input)
        ? input
        : typeof input === 'string'
          ? input.split(/\s+or\s+|\s*,\s*/i)
          : [input];
      if (items.length === 0)
        ctx.issues.push(custom(input, `the list of ${noun}s is empty, so it can never match`, 'name at least one'));
      return items.map((item, index) => {
        const found = pick(item, values);
        if (found !== null) return found;
        const path = Array.isArray(input) ? [index] : [];
        ctx.issues.push({ ...choiceIssue(item, noun, values, options.synonyms), path });
        return z.NEVER;
      });
    })
    .meta({
      anyOf: [
        { enum: [...values] },
        { type: 'array', items: { enum: [...values] } },
        { type: 'string', pattern: '\\s[oO][rR]\\s|,' },
      ],
    });
}

/** What editors complete a text with, beside what may be written. */
export type Suggests = 'integrations' | 'tools' | 'agents' | 'redactions';

/** A text or a list of texts; always gives a list, never an empty one. */
export function texts(what: string, suggests?: Suggests) {
  return z
    .unknown()
    .transform((input, ctx): string[] => {
      const items = Array.isArray(input) ? input : [input];
      if (items.length === 0)
        ctx.issues.push(custom(input, `${what} is an empty list, so it can never match`, 'name at least one'));
      return items.map((item, index) => {
        if (typeof item === 'string' && item.trim() !== '') return item;
        const path = Array.isArray(input) ? [index] : [];
        const fault = item === '' ? `${what} is empty` : `${what} must be text, not ${describe(item)}`;
        ctx.issues.push({ ...custom(item, fault, mendText(item)), path });
        return z.NEVER;
      });
    })
    .meta({
      anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }],
      ...(suggests !== undefined && { 'x-suggests': suggests }),
    });
}

/** How a duration is written, for whoever wrote it otherwise. */
export const DURATION_MEND = 'write a number from 1 to 999999 and a unit with no space: 30s, 10m, 2h, 1d';

/** `30s`, `10m`, `2h`, `1d`, as milliseconds. */
export function duration(what: string) {
  return z
    .unknown()
    .transform((input, ctx): number => {
      const ms = typeof input === 'string' ? readDuration(input) : null;
      if (ms !== null) return ms;
      ctx.issues.push(
        custom(
          input,
          input === undefined ? `${what} is missing` : `${describe(input)} is not a duration for ${what}`,
          DURATION_MEND,
        ),
      );
      return z.NEVER;
    })
    .meta({ type: 'string', pattern: '^[0-9]{1,6}[smhd]$' });
}

/** A day, to its end, or an instant, as milliseconds since the epoch: `2026-12-31` (UTC), `2026-12-31T18:00:00+01:00`. */
export function dayOrInstant(what: string) {
  return moment(what, (text) => readDayEnd(text) ?? readInstant(text), 'a day, 2026-12-31, or an instant');
}

/** An instant, as milliseconds since the epoch: `2026-12-31T18:00:00Z`. */
export function instant(what: string) {
  return moment(what, readInstant, 'an instant');
}

function moment(what: string, read: (text: string) => number | null, mend: string) {
  return z
    .unknown()
    .transform((input, ctx): number => {
      const ms = typeof input === 'string' ? read(input.trim()) : null;
      if (ms !== null) return ms;
      const fault = `${describe(input)} is not a date for ${what}`;
      ctx.issues.push(custom(input, fault, `write ${mend} with its zone, 2026-12-31T18:00:00Z`));
      return z.NEVER;
    })
    .meta({ type: 'string', pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}(T.*)?$' });
}

const DAY_MS = 86_400_000;

function readDayEnd(text: string): number | null {
  const start = /^\d{4}-\d{2}-\d{2}$/.test(text) ? readInstant(`${text}T00:00Z`) : null;
  return start === null ? null : start + DAY_MS;
}

/** `2026-12-31T18:00:00Z` in milliseconds since the epoch; null if it is no instant with its zone. */
export function readInstant(text: string): number | null {
  const match = /^(\d{4}-\d{2}-\d{2})T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})$/.exec(text);
  // The engine takes the 31st of February for the 3rd of March.
  const day = match === null ? Number.NaN : Date.parse(`${match[1]}T00:00:00Z`);
  if (Number.isNaN(day) || !new Date(day).toISOString().startsWith(match![1]!)) return null;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? null : ms;
}

/** An issue with our own words, for a `check` or a `transform`. */
export function custom(input: unknown, fault: string, mend: string, path: PropertyKey[] = []) {
  return { code: 'custom' as const, input, message: faultAndMend(fault, mend), path };
}

/** How a value is named in a message: the owner's own text, in quotes. */
export function describe(input: unknown): string {
  if (input === undefined) return 'nothing';
  if (input === null) return 'nothing (an empty value)';
  if (Array.isArray(input)) return 'a list';
  if (typeof input === 'object') return 'a block of keys';
  if (typeof input === 'string') return JSON.stringify(input.length > 80 ? `${input.slice(0, 80)}…` : input);
  return String(input);
}

/** zod's issues as problems, each at its place. */
export function problemsOf(issues: readonly z.core.$ZodIssue[], file: string, locate: Locate): Problem[] {
  const result: Problem[] = [];
  for (const issue of issues) {
    const [fault = '', ...rest] = issue.message.split(BREAK);
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) {
        const guess = didYouMean(key, rest);
        const dotted = rest.find((known) => key.startsWith(`${known}.`));
        const mend =
          rest.length === 0
            ? 'take it out'
            : dotted !== undefined
              ? `write ${dotted}: { ${key.slice(dotted.length + 1)}: … }`
              : mendChoice(key, rest, guess);
        result.push(errorAt(file, locate([...issue.path, key], 'key'), `unknown key "${key}"`, mend));
      }
    } else if (issue.code === 'invalid_type' && rest.length === 0) {
      const last = String(issue.path.at(-1) ?? 'the file');
      const missing = issue.input === undefined;
      const fault2 = missing
        ? `"${last}" is missing`
        : `"${last}" must be ${issue.expected}, not ${describe(issue.input)}`;
      result.push(errorAt(file, locate(issue.path, 'value'), fault2, missing ? `add "${last}"` : ''));
    } else result.push(errorAt(file, locate(issue.path, 'value'), fault, rest.join(' ')));
  }
  return result;
}

function mendText(input: unknown): string {
  return typeof input === 'number' || typeof input === 'boolean' ? `put it in quotes: "${input}"` : 'write a text';
}

function pick<T extends string>(input: unknown, values: readonly T[], aliases: Record<string, T> = {}): T | null {
  if (typeof input !== 'string') return null;
  const folded = foldName(input);
  const alias = Object.entries(aliases).find(([name]) => foldName(name) === folded)?.[1];
  return alias ?? values.find((value) => foldName(value) === folded) ?? null;
}

function choiceIssue(input: unknown, noun: string, values: readonly string[], synonyms: Record<string, string> = {}) {
  const article = /^[aeiou]/i.test(noun) ? 'an' : 'a';
  const word = typeof input === 'string' ? input : '';
  const synonym = Object.entries(synonyms).find(([name]) => foldName(name) === foldName(word))?.[1] ?? null;
  const fault = input === undefined ? `the ${noun} is missing` : `${describe(input)} is not ${article} ${noun}`;
  return custom(input, fault, mendChoice(word, values, synonym ?? didYouMean(word, values)));
}
