/**
 * Looks arguments up by their canonical names, as judging and classifying see them. Whatever an upstream could read
 * differently from us is unreadable, and strictness decides.
 */
import type { Argument, JsonObject, JsonValue } from '../call.ts';

/** Canonical name → the server's own: dotted paths or templates, in order of precedence. */
export type ArgumentNames = ReadonlyMap<string, readonly string[]>;

/** What a canonical argument holds, where it must be read with more care than a plain text. */
export type ArgumentKind = 'path' | 'refspec' | 'addresses' | 'uri';

/** How one tool's arguments are read. */
export interface ArgumentRules {
  readonly names: ArgumentNames;
  readonly kindOf: (canonical: string) => ArgumentKind | null;
  /** the arguments that the tool says it takes; null if it doesn't say */
  readonly declared: ReadonlySet<string> | null;
}

const MISSING: Argument = { state: 'missing' };
/** A push that names no branch goes where the repository says. */
const IMPLIED: Argument = { state: 'unreadable', why: 'it is left to the repository' };

/** Gives the look-up for one call. */
export function argumentReader(args: JsonObject, rules: ArgumentRules): (canonical: string) => Argument {
  return (canonical) => {
    const found = firstPresent(args, sourcesOf(canonical, rules), rules.declared !== null);
    const kind = rules.kindOf(canonical);
    if (
      kind === 'refspec' &&
      (found.state === 'missing' || (found.state === 'value' && (found.value === null || found.value === '')))
    )
      return IMPLIED;
    return kind === null || found.state !== 'value' ? found : READERS[kind](found.value);
  };
}

/** Where a canonical argument stands: of several names, those that the tool doesn't declare are not read. */
function sourcesOf(canonical: string, { names, declared }: ArgumentRules): readonly string[] {
  const sources = names.get(canonical) ?? [canonical];
  if (declared === null || sources.length === 1) return sources;
  const taken = sources.filter((source) => source.includes('{') || declared.has(source.split('.')[0]!));
  return taken.length === 0 ? sources : taken;
}

/** Several that differ: the first, if the tool declares them all; else nobody knows which one the upstream takes. */
function firstPresent(args: JsonObject, sources: readonly string[], ordered: boolean): Argument {
  let first: Argument = MISSING;
  for (const source of sources) {
    const found = source.includes('{') ? fillTemplate(args, source) : readPath(args, source);
    if (found.state === 'missing') continue;
    if (found.state === 'unreadable') return found;
    if (first.state === 'missing') first = found;
    else if (!ordered && first.state === 'value' && JSON.stringify(first.value) !== JSON.stringify(found.value))
      return { state: 'unreadable', why: 'it is given twice, differently' };
  }
  return first;
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
 * unreadable, and so does a key that spells the whole path.
 */
export function readPath(args: JsonObject, path: string): Argument {
  if (!path.includes('.')) return readSteps(args, [path]);
  if (Object.keys(args).some((key) => key.includes('.') && foldKey(key) === foldKey(path)))
    return { state: 'unreadable', why: `the key "${path}" stands beside the path` };
  return readSteps(args, path.split('.'));
}

function readSteps(value: JsonValue, steps: readonly string[]): Argument {
  const [step, ...rest] = steps;
  if (isInexact(value)) return { state: 'unreadable', why: 'a number too large to be exact' };
  if (step === undefined) return { state: 'value', value };
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
export function isInexact(value: unknown): boolean {
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

const READERS: Record<ArgumentKind, (value: JsonValue) => Argument> = {
  path: (value) => each(value, (text) => ({ state: 'value', value: normalisePath(text) })),
  uri: (value) => each(value, normaliseUri),
  refspec: (value) => each(value, (text) => destinationOf(text)),
  addresses: (value) => each(value, (text) => ({ state: 'value', value: addressesIn(text) })),
};

/** Reads each text of a value; a list comes out flat. What is no text stays as it is. */
function each(value: JsonValue, read: (text: string) => Argument): Argument {
  if (typeof value === 'string') return read(value);
  if (!Array.isArray(value)) return { state: 'value', value };
  const values: JsonValue[] = [];
  for (const item of value) {
    const found = typeof item === 'string' ? read(item) : ({ state: 'value', value: item } as const);
    if (found.state !== 'value') return found;
    values.push(...(Array.isArray(found.value) ? found.value : [found.value]));
  }
  return { state: 'value', value: values };
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

/** One spelling for each file: `file://localhost/a`, `file:/a` and `file:///%61` are `file:///a`. Other URIs stay. */
function normaliseUri(uri: string): Argument {
  if (!/^\s*file:/i.test(uri)) return { state: 'value', value: uri };
  try {
    const path = decodeURIComponent(uri.trim().replace(/^file:/i, ''));
    if (/%[0-9a-f]{2}/i.test(path)) return { state: 'unreadable', why: 'its escapes are escaped' };
    return { state: 'value', value: `file://${normalisePath(path.replace(/^\/\/(localhost)?(?=\/)/i, ''))}` };
  } catch {
    return { state: 'unreadable', why: 'its escapes are broken' };
  }
}

/** The branch that a git refspec writes to. `HEAD` and its like depend on the repository. */
function destinationOf(refspec: string): Argument {
  const trimmed = refspec.trim().replace(/^\+/, '');
  const destination = (trimmed.includes(':') ? trimmed.slice(trimmed.indexOf(':') + 1) : trimmed)
    .replace(/^refs\/heads\//, '')
    .replace(/^heads\//, '');
  if (
    destination === '' ||
    destination.startsWith('@') ||
    /^(HEAD|FETCH_HEAD|ORIG_HEAD)\b/i.test(destination) ||
    /[\s~^*?[\\]/.test(destination)
  )
    return { state: 'unreadable', why: `where "${refspec}" goes depends on the repository` };
  return { state: 'value', value: destination };
}

/** Whether a refspec forces or deletes: a leading `+`, or nothing before the `:`. */
export function isDestructiveRefspec(value: JsonValue): boolean {
  if (Array.isArray(value)) return value.some(isDestructiveRefspec);
  return typeof value === 'string' && /^\s*(\+|:)/.test(value);
}

/** `Ann <ann@acme.com>, bob@acme.com; …` as the bare addresses. */
function addressesIn(text: string): readonly string[] {
  return text
    .split(/[,;\n]/)
    .map((part) => (/<([^<>]*)>\s*$/.exec(part)?.[1] ?? part).trim())
    .filter((part) => part !== '');
}
