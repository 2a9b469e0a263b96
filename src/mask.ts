/**
 * What a policy wants taken out of values: all secrets, all mail addresses, or fields by their names. Pure. What is cut
 * out is marked, and never guessable from the mark.
 */
import { type Call, foldName, type JsonObject } from './call.ts';
import { keepExact } from './exact.ts';
import { redact } from './redact.ts';

/** Words that stand for a kind of text; any other word names a field. */
export const MASK_KINDS = ['secrets', 'emails'] as const;

/**
 * A copy with everything taken out; the value itself if there is nothing. Fields are looked for in data: in all of
 * `value`, or, of an `envelope`, only in the JSON that its texts hold.
 */
export type Mask = (value: unknown, what?: 'data' | 'envelope') => unknown;

/** `items`: kinds, and fields as `phone` (wherever it stands) or `customer.phone` (below it). Null for none. */
export function createMask(items: readonly string[]): Mask | null {
  if (items.length === 0) return null;
  const kinds: readonly string[] = MASK_KINDS;
  const fields = items.filter((item) => !kinds.includes(item)).map((item) => item.split('.').map(foldName));
  const emails = items.includes('emails');
  const secrets = items.includes('secrets');
  const texts = (text: string): string => {
    const json = jsonIn(text);
    if (json !== undefined) {
      const clean = walk(json, [], true);
      return clean === json ? text : JSON.stringify(clean);
    }
    let result = text;
    if (secrets) result = redact(result) as string;
    if (emails) result = result.replace(EMAIL, '[redacted:email]');
    return result;
  };
  const leaf = (text: string): string => texts(text).replace(BASE64, (code) => (isHiding(code, texts) ? OPAQUE : code));
  const walk = (value: unknown, path: readonly string[], isData: boolean): unknown => {
    if (typeof value === 'string') return leaf(value);
    if (value === null || typeof value !== 'object' || JSON.isRawJSON(value)) return value;
    if (Array.isArray(value)) {
      const items = value.map((item) => walk(item, path, isData));
      return items.every((item, index) => item === value[index]) ? value : items;
    }
    let changed = false;
    const result: Record<string, unknown> = Object.create(null);
    for (const [key, item] of Object.entries(value)) {
      const name = leaf(key);
      const here = [...path, foldName(key)];
      const isField = isData && item !== null && fields.some((field) => endsWith(here, field));
      const clean = isField ? FIELD : walk(item, here, isData);
      if (name !== key || clean !== item) changed = true;
      result[name] = clean;
    }
    return changed ? result : value;
  };
  // Secrets also go by the keys that they stand under.
  return (value, what = 'data') => walk(secrets ? redact(value) : value, [], what === 'data');
}

/** The mask of one call's arguments: a canonical name stands for every name that its server has for it. */
export function argumentsMask(call: Pick<Call, 'namesOf'>, items: readonly string[]): Mask | null {
  return createMask(items.flatMap((item) => [item, ...call.namesOf(item)]));
}

/** The arguments as they are recorded and shown in notices. */
export function maskedArguments(call: Call, items: readonly string[]): JsonObject {
  const mask = argumentsMask(call, items);
  return mask === null ? call.rawArguments : (mask(call.rawArguments) as JsonObject);
}

const FIELD = '[redacted:field]';
const OPAQUE = '[redacted:encoded]';

/** Bounded, so that a long text costs linear time; also as it stands in a URL. */
const EMAIL = /[\p{L}\p{N}._%+'-]{1,64}(?:@|%40|\uff20)[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){1,8}/gu;

/** What may be base64 and is long enough to hold something. */
const BASE64 = /[A-Za-z0-9+/_-]{16,}={0,2}/g;

function isHiding(code: string, clean: (text: string) => string): boolean {
  const decoded = Buffer.from(code, 'base64').toString('utf8');
  return !decoded.includes('\ufffd') && clean(decoded) !== decoded;
}

/** The value of a text that is an object or a list as JSON; undefined if it is none. */
function jsonIn(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text, keepExact);
  } catch {
    return undefined;
  }
}

function endsWith(path: readonly string[], field: readonly string[]): boolean {
  const start = path.length - field.length;
  return start >= 0 && field.every((name, index) => name === path[start + index]);
}
