/** How a tool is called towards the client: `<prefix>__<tool>`, within what models and clients accept. */
import { sha256 } from '../digest.ts';

/**
 * Clients put their own name for us before it: `mcp__toolgate__<name>` must stay within 64 characters, and Cursor drops
 * what exceeds 59 together with the server's name.
 */
const MAX_LENGTH = 49;
const HASH_LENGTH = 6;

/** The exposed name. Without a prefix the name is left as it is. */
export function exposedName(prefix: string, server: string, name: string): string {
  if (prefix === '') return name;
  const clean = `${prefix}__${name}`.replace(/[^A-Za-z0-9_-]/g, '_');
  if (clean.length <= MAX_LENGTH) return clean;
  return `${clean.slice(0, MAX_LENGTH - HASH_LENGTH - 1)}_${sha256(`${server}\u0000${name}`).slice(0, HASH_LENGTH)}`;
}

/** Why a tool's own name can't be exposed; null if it can. */
export function nameFault(name: unknown): string | null {
  if (typeof name !== 'string' || name === '') return 'it has no name';
  if (name.length > 256) return 'its name is longer than 256 characters';
  if (/[\p{Cc}\p{Cf}\u2028\u2029]/u.test(name)) return 'its name has invisible characters';
  return null;
}

/** Exposed name → owner. Once given, a name stays with its owner: a newcomer that collides gets none. */
export class StickyNames {
  readonly #owners = new Map<string, string>();

  /** True if `owner` has, or now gets, the name. */
  claim(exposed: string, owner: string): boolean {
    const known = this.#owners.get(exposed);
    if (known === undefined) this.#owners.set(exposed, owner);
    return known === undefined || known === owner;
  }
}
