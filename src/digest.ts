import { hash } from 'node:crypto';
import type { JsonValue } from './call.ts';

/** sha-256 of a text, as 64 hex digits. */
export function sha256(text: string): string {
  return hash('sha256', text, 'hex');
}

/** JSON with the keys of every object in code-unit order: equal values give equal texts. */
export function canonicalJson(value: JsonValue): string {
  return JSON.stringify(sorted(value));
}

/** The digest of a value, whatever the order of its keys. */
export function digestOf(value: JsonValue): string {
  return sha256(canonicalJson(value));
}

function sorted(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const source = value as { readonly [key: string]: JsonValue };
  const result: { [key: string]: JsonValue } = Object.create(null);
  for (const key of Object.keys(source).sort()) result[key] = sorted(source[key]!);
  return result;
}
