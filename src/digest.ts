import { sha256 as portable } from '@noble/hashes/sha2.js';
import type { JsonValue } from './call.ts';

/** Loading Node's own crypto takes as long as hashing so many characters without it: a hook hashes less. */
const WORTH_LOADING = 64 * 1024;
let hashed = 0;

/** sha-256 of a text, as 64 hex digits. */
export function sha256(text: string): string {
  hashed += text.length;
  return hashed > WORTH_LOADING
    ? process.getBuiltinModule('node:crypto').hash('sha256', text, 'hex')
    : Buffer.from(portable(Buffer.from(text))).toString('hex');
}

/** Deeper values are refused before they get here; this only keeps the stack whole. */
const MAX_DEPTH = 256;

/** JSON with the keys of every object in code-unit order: equal values give equal texts. Throws beyond 256 levels. */
export function canonicalJson(value: JsonValue): string {
  return JSON.stringify(sorted(value, 0));
}

/** The digest of a value, whatever the order of its keys. Throws beyond 256 levels. */
export function digestOf(value: JsonValue): string {
  return sha256(canonicalJson(value));
}

function sorted(value: JsonValue, depth: number): JsonValue {
  if (value === null || typeof value !== 'object' || JSON.isRawJSON(value)) return value;
  if (depth > MAX_DEPTH) throw new RangeError(`nested deeper than ${MAX_DEPTH} levels`);
  if (Array.isArray(value)) return value.map((item) => sorted(item, depth + 1));
  const source = value as { readonly [key: string]: JsonValue };
  const result: { [key: string]: JsonValue } = Object.create(null);
  for (const key of Object.keys(source).sort()) result[key] = sorted(source[key]!, depth + 1);
  return result;
}

/** Whether a parsed JSON value has more than `levels` levels; looks no deeper than that. */
export function isDeeperThan(value: unknown, levels: number): boolean {
  if (value === null || typeof value !== 'object') return false;
  if (levels === 0) return true;
  for (const item of Array.isArray(value) ? value : Object.values(value))
    if (isDeeperThan(item, levels - 1)) return true;
  return false;
}
