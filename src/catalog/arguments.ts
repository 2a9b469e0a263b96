/** Looks arguments up by their canonical names, as judging and classifying see them. */
import type { Argument, JsonObject, JsonValue } from '../call.ts';

/** Canonical name → the server's own: dotted paths or templates, the first that is present counts. */
export type ArgumentNames = ReadonlyMap<string, readonly string[]>;

const MISSING: Argument = { state: 'missing' };

/** Gives the look-up for one call. `isPath` says which canonical arguments are paths, to be normalised. */
export function argumentReader(
  args: JsonObject,
  names: ArgumentNames,
  isPath: (canonical: string) => boolean,
): (canonical: string) => Argument {
  return (canonical) => {
    const found = firstPresent(args, names.get(canonical) ?? [canonical]);
    return found.state === 'value' && isPath(canonical)
      ? { state: 'value', value: normalisePaths(found.value) }
      : found;
  };
}

function firstPresent(args: JsonObject, sources: readonly string[]): Argument {
  for (const source of sources) {
    const found = source.includes('{') ? fillTemplate(args, source) : readPath(args, source);
    if (found.state !== 'missing') return found;
  }
  return MISSING;
}

/** `{owner}/{repo}`: missing if any part is; unreadable if any part isn't text or a number. */
function fillTemplate(args: JsonObject, template: string): Argument {
  let failed: Argument | null = null;
  const value = template.replace(/\{([^}]+)\}/g, (_, path: string) => {
    const part = readPath(args, path);
    if (part.state === 'value' && (typeof part.value === 'string' || typeof part.value === 'number'))
      return String(part.value);
    if (part.state === 'unreadable') failed = part;
    else failed ??= part.state === 'missing' ? MISSING : { state: 'unreadable', why: `"${path}" is not text` };
    return '';
  });
  return failed ?? { state: 'value', value };
}

/**
 * Reads a dotted path of the arguments as forwarded. A key that only differs in case from the one asked for makes it
 * unreadable, since upstreams in other languages would take either.
 */
export function readPath(args: JsonObject, path: string): Argument {
  if (Object.hasOwn(args, path)) return readSteps(args, [path]);
  return readSteps(args, path.split('.'));
}

function readSteps(value: JsonValue, steps: readonly string[]): Argument {
  const [step, ...rest] = steps;
  if (step === undefined) {
    if (isInexact(value)) return { state: 'unreadable', why: 'a number too large to be exact' };
    return { state: 'value', value };
  }
  if (Array.isArray(value)) return collect(value, steps);
  if (isJsonText(value)) return { state: 'unreadable', why: `"${step}" may stand inside a text that is itself JSON` };
  if (value === null || typeof value !== 'object') return MISSING;
  const object = value as JsonObject;
  const twin = foldedTwin(object, step);
  if (twin !== null) return { state: 'unreadable', why: `"${twin}" could be read as "${step}"` };
  return Object.hasOwn(object, step) ? readSteps(object[step]!, rest) : MISSING;
}

function collect(items: readonly JsonValue[], steps: readonly string[]): Argument {
  const values: JsonValue[] = [];
  for (const item of items) {
    const found = readSteps(item, steps);
    if (found.state === 'unreadable') return found;
    if (found.state === 'value') values.push(...(Array.isArray(found.value) ? found.value : [found.value]));
  }
  return values.length === 0 ? MISSING : { state: 'value', value: values };
}

function foldedTwin(object: JsonObject, wanted: string): string | null {
  const folded = foldKey(wanted);
  for (const key of Object.keys(object)) {
    if (key !== wanted && key.length >= wanted.length / 3 && foldKey(key) === folded) return key;
  }
  return null;
}

/** As lenient as the most lenient JSON reader known (Go's folds case, and the long s and the Kelvin sign with it). */
export function foldKey(key: string): string {
  return key.normalize('NFKC').toLowerCase();
}

/** Numbers that a double can't hold are carried as raw text: forwarded exactly, never compared. */
function isInexact(value: JsonValue): boolean {
  return typeof value === 'object' && value !== null && JSON.isRawJSON(value);
}

/** Some servers parse a list or an object that arrives as text. */
export function isJsonText(value: JsonValue): boolean {
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return false;
  try {
    JSON.parse(value);
    return true;
  } catch {
    return false;
  }
}

function normalisePaths(value: JsonValue): JsonValue {
  if (typeof value === 'string') return normalisePath(value);
  return Array.isArray(value) ? value.map(normalisePaths) : value;
}

/** Lexically: `\` becomes `/`, `.` and `..` are resolved, doubled and trailing slashes go. Links are not followed. */
export function normalisePath(path: string): string {
  const parts: string[] = [];
  const unified = path.replaceAll('\\', '/').replace(/^file:\/\//i, '');
  const absolute = unified.startsWith('/');
  for (const part of unified.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part !== '..' || !absolute) parts.push(part);
  }
  return (absolute ? '/' : '') + parts.join('/');
}
