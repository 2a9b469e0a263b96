/**
 * What a policy wants taken out of values: all secrets, all mail addresses, or fields by their names. Pure. What is cut
 * out is marked, and never guessable from the mark. Whatever can't be looked into is withheld.
 */
import { type Call, foldName, type JsonObject } from './call.ts';
import { keepExact } from './exact.ts';
import { once } from './once.ts';
import { redact } from './redact.ts';

/** Words that stand for a kind of text; any other word names a field. */
export const MASK_KINDS = ['secrets', 'emails'] as const;

/**
 * A copy with everything taken out; the value itself if there is nothing. Fields are looked for in data: in all of
 * `value`, or, of an `envelope`, only in its `_meta` and in the JSON that its texts hold. Never throws.
 */
export type Mask = (value: unknown, what?: 'data' | 'envelope') => unknown;

const FIELD = '[redacted:field]';
const ENCODED = '[redacted:encoded]';
const TOO_DEEP = '[redacted:too deep]';
const UNREADABLE = '[redacted:unreadable]';
/** Deeper than any answer that means well, and far within what the stack bears. */
const MAX_DEPTH = 100;

/** `items`: kinds, and fields as `phone` (wherever it stands) or `customer.phone` (below it). Null for none. */
export function createMask(items: readonly string[]): Mask | null {
  if (items.length === 0) return null;
  const kinds: readonly string[] = MASK_KINDS;
  const fields = items.filter((item) => !kinds.includes(item)).map((item) => item.split('.').map(foldName));
  const emails = items.includes('emails');
  const secrets = items.includes('secrets');

  const plain = (text: string): string => {
    const clean = secrets ? (redact(text) as string) : text;
    return emails ? withoutEmails(clean) : clean;
  };
  const inJson = (json: unknown, text: string, depth: number): string =>
    // Written anew in any case: a key that is given twice would hide its first value.
    JSON.stringify(walk(secrets ? redact(json) : json, [], true, depth + 1), null, text.includes('\n') ? 2 : 0);
  const texts = (text: string, depth: number): string => {
    if (depth > MAX_DEPTH) return TOO_DEEP;
    const json = jsonIn(text);
    if (json !== undefined) return inJson(json, text, depth);
    const lines = text.split('\n');
    const parsed = lines.length === 1 ? [] : lines.map(jsonIn);
    const joined = parsed.some((line) => line !== undefined)
      ? lines.map((line, index) => (parsed[index] === undefined ? line : inJson(parsed[index], '', depth))).join('\n')
      : text;
    const unescaped = plain(withoutEscapes(joined));
    const clean = unescaped === withoutEscapes(joined) ? plain(joined) : unescaped;
    return clean.replace(BASE64, (code) => (isHiding(code, plain) ? ENCODED : code));
  };
  const walk = (value: unknown, path: readonly string[], isData: boolean, depth: number): unknown => {
    if (typeof value === 'string') return texts(value, depth);
    if (value === null || typeof value !== 'object' || JSON.isRawJSON(value)) return value;
    if (depth > MAX_DEPTH) return TOO_DEEP;
    if (Array.isArray(value)) {
      const items = value.map((item) => walk(item, path, isData, depth + 1));
      return items.every((item, index) => item === value[index]) ? value : items;
    }
    let changed = false;
    const result: Record<string, unknown> = Object.create(null);
    for (const [key, item] of Object.entries(value)) {
      const name = texts(key, depth);
      const here = [...path, foldName(key)];
      const isField = isData && item !== null && fields.some((field) => endsWith(here, field));
      const clean = isField ? FIELD : walk(item, here, isData || key === '_meta', depth + 1);
      if (name !== key || clean !== item) changed = true;
      result[name] = clean;
    }
    return changed ? result : value;
  };
  return (value, what = 'data') => {
    try {
      // Secrets also go by the keys that they stand under.
      return walk(secrets ? redact(value) : value, [], what === 'data', 0);
    } catch {
      return UNREADABLE;
    }
  };
}

/** The mask of one call's arguments: a canonical name stands for every name that its server has for it. */
export function argumentsMask(call: Pick<Call, 'namesOf'>, items: readonly string[]): Mask | null {
  return createMask(items.flatMap((item) => [item, ...call.namesOf(item)]));
}

/** The arguments as they are recorded and shown in notices. */
export function maskedArguments(call: Call, items: readonly string[]): JsonObject {
  const mask = argumentsMask(call, items);
  if (mask === null) return call.rawArguments;
  const masked = mask(call.rawArguments);
  return typeof masked === 'string' ? { arguments: masked } : (masked as JsonObject);
}

const AT = /@|%40|\uff20/g;
/** Made when they are first needed: classes of letters take V8 half a millisecond to put together. */
const ADDRESS = once(() => ({
  local: /(?:[\p{L}\p{N}._%+'-]{1,64}|"[^"\n]{1,64}")$/u,
  domain: /[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){1,8}/uy,
}));

/** Looks around each `@`, also as it stands in a URL: a long text without any costs next to nothing. */
function withoutEmails(text: string): string {
  let result = '';
  let from = 0;
  for (const { 0: at, index } of text.matchAll(AT)) {
    if (index < from) continue;
    const { local, domain } = ADDRESS();
    const before = local.exec(text.slice(Math.max(from, index - 66), index));
    domain.lastIndex = index + at.length;
    const after = before === null ? null : domain.exec(text);
    if (before === null || after === null) continue;
    result += `${text.slice(from, index - before[0].length)}[redacted:email]`;
    from = index + at.length + after[0].length;
  }
  return from === 0 ? text : result + text.slice(from);
}

/** What may be base64 and is long enough to hold something, over several lines too. Bounded: the stack is. */
const BASE64 = /[A-Za-z0-9+/_-]{16,8192}={0,2}(?:\r?\n[A-Za-z0-9+/_-]{16,8192}={0,2}){0,64}/g;

/** It may begin within the run, and hold one byte for a character or two. */
function isHiding(code: string, clean: (text: string) => string): boolean {
  const letters = code.replace(/\s+/g, '');
  return [0, 1, 2, 3].some((start) => {
    const bytes = Buffer.from(letters.slice(start), 'base64');
    return (['latin1', 'utf16le'] as const).some((coding) => {
      const decoded = bytes.toString(coding);
      return clean(decoded) !== decoded;
    });
  });
}

/** `\u0040` in a text that is no JSON as a whole. */
function withoutEscapes(text: string): string {
  return text.includes('\\u')
    ? text.replace(/\\u([0-9a-fA-F]{4})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
    : text;
}

/** The value of a text that is JSON, but for a bare number or word; undefined if it is none. */
function jsonIn(text: string): unknown {
  const trimmed = text.trim();
  if (!/^["[{]/.test(trimmed)) return undefined;
  try {
    return JSON.parse(trimmed, keepExact);
  } catch (error) {
    // Too deep for the reader, though perhaps not for somebody else's.
    return error instanceof RangeError ? TOO_DEEP : undefined;
  }
}

function endsWith(path: readonly string[], field: readonly string[]): boolean {
  const start = path.length - field.length;
  return start >= 0 && field.every((name, index) => name === path[start + index]);
}
