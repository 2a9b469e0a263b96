/**
 * Looks arguments up by their canonical names, as judging and classifying see them. Whatever an upstream could read
 * differently from us is unreadable, and strictness decides.
 */
import { type Argument, foldText, isEmpty, type JsonObject, type JsonValue } from '../call.ts';

/** Canonical name → the server's own: dotted paths or templates, in order of precedence. */
export type ArgumentNames = ReadonlyMap<string, readonly string[]>;

/** What a canonical argument holds, where it must be read with more care than a plain text. */
export type ArgumentKind = 'path' | 'refspec' | 'addresses' | 'uri' | 'encoded' | 'list';

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

/** Gives the look-up for one call; many policies may ask for the same argument. */
export function argumentReader(args: JsonObject, rules: ArgumentRules): (canonical: string) => Argument {
  const known = new Map<string, Argument>();
  return (canonical) => {
    let argument = known.get(canonical);
    if (argument === undefined) {
      argument = readArgument(canonical, args, rules);
      known.set(canonical, argument);
    }
    return argument;
  };
}

function readArgument(canonical: string, args: JsonObject, rules: ArgumentRules): Argument {
  const sources = sourcesOf(canonical, rules);
  const ordered =
    rules.declared !== null &&
    sources.every((source) => source.includes('{') || rules.declared!.has(source.split('.')[0]!));
  const found = firstPresent(args, sources, ordered);
  const kind = rules.kindOf(canonical);
  if (
    kind === 'refspec' &&
    (found.state === 'missing' || (found.state === 'value' && (found.value === null || found.value === '')))
  )
    return IMPLIED;
  return kind === null || found.state !== 'value' ? found : READERS[kind](found.value);
}

/** Where a canonical argument stands: of several names, those that the tool doesn't declare are not read. */
function sourcesOf(canonical: string, { names, declared }: ArgumentRules): readonly string[] {
  const sources = names.get(canonical) ?? [canonical];
  if (declared === null || sources.length === 1) return sources;
  const taken = sources.filter((source) => source.includes('{') || declared.has(source.split('.')[0]!));
  return taken.length === 0 ? sources : taken;
}

/**
 * Several that differ: the first, if the tool declares them all and it isn't empty, which upstreams take for absent;
 * else nobody knows which one the upstream takes.
 */
function firstPresent(args: JsonObject, sources: readonly string[], ordered: boolean): Argument {
  let first: Argument = MISSING;
  for (const source of sources) {
    const found = source.includes('{') ? fillTemplate(args, source) : readPath(args, source);
    if (found.state === 'missing') continue;
    if (found.state === 'unreadable') return found;
    if (first.state !== 'value') first = found;
    else if ((!ordered || isEmpty(first.value)) && !areEqual(first.value, found.value))
      return { state: 'unreadable', why: 'it is given twice, differently' };
  }
  return first;
}

/** What is nested too deeply to be compared counts as different. */
function areEqual(a: JsonValue, b: JsonValue): boolean {
  try {
    return JSON.stringify(a) === JSON.stringify(b);
  } catch {
    return false;
  }
}

/** Classes of letters take V8 half a millisecond to put together: most values are told without. */
const PLAIN = /^[A-Za-z0-9_][A-Za-z0-9_/-]*[A-Za-z0-9_-]$/;

/** A part of a path that an upstream could take for several, or for the end of one. */
function isSneaky(part: string): boolean {
  return part.includes('/') || (!PLAIN.test(part) && /[/\\?#%\p{Cc}\s]|^\.{1,2}$/u.test(part));
}

/** The server's own names of a canonical argument; of a template, those it is made of. */
export function ownNames(names: ArgumentNames, canonical: string): readonly string[] {
  return (names.get(canonical) ?? [canonical]).flatMap((source) =>
    source.includes('{') ? templateParts(source).filter((_, index) => index % 2 === 1) : [source],
  );
}

/** `{owner}/{repo}` as what stands between the braces and before each: `['', 'owner', '/', 'repo', '']`. */
const TEMPLATES = new Map<string, readonly string[]>();

function templateParts(template: string): readonly string[] {
  const parts = TEMPLATES.get(template) ?? template.split(/[{}]/);
  TEMPLATES.set(template, parts);
  return parts;
}

/** `{owner}/{repo}`: missing if any part is; unreadable if any part of a path isn't a plain name. */
function fillTemplate(args: JsonObject, template: string): Argument {
  const parts = templateParts(template);
  const isPath = template.includes('/');
  let failed: Argument | null = null;
  let filled = '';
  for (let index = 0; index < parts.length; index++) {
    const path = parts[index]!;
    if (index % 2 === 0) {
      filled += path;
      continue;
    }
    const part = readPath(args, path);
    if (part.state === 'value' && (typeof part.value === 'string' || typeof part.value === 'number')) {
      const name = String(part.value);
      if (isPath && isSneaky(name)) failed = { state: 'unreadable', why: `"${path}" is no plain name` };
      filled += name;
    } else if (part.state === 'unreadable') failed = part;
    else failed ??= part.state === 'missing' ? MISSING : { state: 'unreadable', why: `"${path}" is not text` };
  }
  return failed ?? { state: 'value', value: filled };
}

/**
 * Reads a dotted path of the arguments as forwarded. A key that only differs in case from the one asked for makes it
 * unreadable, and so does a key that spells the whole path.
 */
export function readPath(args: JsonObject, path: string): Argument {
  if (!path.includes('.')) return readSteps(args, [path]);
  if (Object.keys(args).some((key) => key.includes('.') && foldText(key) === foldText(path)))
    return { state: 'unreadable', why: `the key "${path}" stands beside the path` };
  return readSteps(args, path.split('.'));
}

/** Lists within lists, deeper than any honest call's. */
const MAX_DEPTH = 100;

function readSteps(value: JsonValue, steps: readonly string[], at = 0, depth = 0): Argument {
  const step = steps[at];
  if (depth > MAX_DEPTH) return { state: 'unreadable', why: 'it is nested too deeply' };
  if (isInexact(value)) return { state: 'unreadable', why: 'a number too large to be exact' };
  if (step === undefined) return { state: 'value', value };
  if (Array.isArray(value)) return collect(value, steps, at, depth);
  if (isJsonText(value)) return { state: 'unreadable', why: `"${step}" may stand inside a text that is itself JSON` };
  if (value === null || typeof value !== 'object') return MISSING;
  const object = value as JsonObject;
  const twin = foldedTwin(object, step);
  if (twin !== null) return { state: 'unreadable', why: `"${twin}" could be read as "${step}"` };
  return Object.hasOwn(object, step) ? readSteps(object[step]!, steps, at + 1) : MISSING;
}

function collect(items: readonly JsonValue[], steps: readonly string[], at: number, depth: number): Argument {
  const values: JsonValue[] = [];
  for (const item of items) {
    const found = readSteps(item, steps, at, depth + 1);
    if (found.state === 'unreadable') return found;
    // An element without the field counts: it is as if it were null there.
    // One by one: a long list spread into a call's arguments would overflow the stack.
    if (found.state !== 'value') values.push(null);
    else for (const each of Array.isArray(found.value) ? found.value : [found.value]) values.push(each);
  }
  return values.every((value) => value === null) ? MISSING : { state: 'value', value: values };
}

/** Keys are compared as leniently as the most lenient JSON reader known does (Go's folds case, long s and Kelvin sign). */
function foldedTwin(object: JsonObject, wanted: string): string | null {
  const folded = foldText(wanted);
  for (const key of Object.keys(object)) {
    if (key !== wanted && key.length >= wanted.length / 3 && foldText(key) === folded) return key;
  }
  return null;
}

/** Numbers that a double can't hold are carried as raw text: forwarded exactly, never compared. */
export function isInexact(value: unknown): boolean {
  return typeof value === 'object' && value !== null && JSON.isRawJSON(value);
}

/** Some servers parse a list, an object or a text that arrives as JSON. */
export function isJsonText(value: JsonValue): boolean {
  if (typeof value !== 'string' || !/^\s*[[{"]/.test(value)) return false;
  try {
    JSON.parse(value);
    return true;
  } catch {
    return false;
  }
}

const READERS: Record<ArgumentKind, (value: JsonValue) => Argument> = {
  path: readPaths,
  uri: (value) => each(value, readUri),
  refspec: (value) => each(value, (text) => destinationOf(text)),
  addresses: (value) => each(value, addressesIn),
  encoded: (value) => each(value, decoded),
  list: (value) => each(value, (text) => ({ state: 'value', value: text.split(',').map((part) => part.trim()) })),
};

/** A value that was given, as judging sees it. */
export function readAs(kind: ArgumentKind | null, value: JsonValue): Argument {
  return kind === null ? { state: 'value', value } : READERS[kind](value);
}

/** Reads each text of a value; a list comes out flat. What is no text stays as it is; JSON could be read either way. */
function each(value: JsonValue, readText: (text: string) => Argument): Argument {
  const read = (text: string): Argument =>
    isJsonText(text) ? { state: 'unreadable', why: 'it is a text that is itself JSON' } : readText(text);
  if (typeof value === 'string') return read(value);
  if (!Array.isArray(value)) return { state: 'value', value };
  const values: JsonValue[] = [];
  for (const item of value) {
    const found = typeof item === 'string' ? read(item) : ({ state: 'value', value: item } as const);
    if (found.state !== 'value') return found;
    for (const part of Array.isArray(found.value) ? found.value : [found.value]) values.push(part);
  }
  return { state: 'value', value: values };
}

/**
 * Lexically: `\` becomes `/`, `.` and `..` are resolved, doubled and trailing slashes go; where nothing is left it is `.`. Links
 * are not followed.
 */
export function normalisePath(path: string): string {
  const parts: string[] = [];
  const unified = path.replaceAll('\\', '/').replace(/^file:\/\//i, '');
  const absolute = unified.startsWith('/');
  for (const part of unified.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part !== '..' || !absolute) parts.push(part);
  }
  if (absolute) return `/${parts.join('/')}`;
  return parts.length === 0 && path !== '' ? '.' : parts.join('/');
}

/** Paths, normalised, and URLs. What a server could resolve from somewhere else is unreadable; a relative one says so. */
function readPaths(value: JsonValue): Argument {
  const found = each(value, (text) => {
    if (/^[a-z][a-z0-9+.-]+:\/\//i.test(text)) return readUri(text);
    const doubtful = /^\s|^~|\0/.test(text) || (text.includes('\\') && text.includes('/'));
    return doubtful
      ? { state: 'unreadable', why: 'where the path leads depends on the server' }
      : { state: 'value', value: normalisePath(text) };
  });
  if (found.state !== 'value') return found;
  const texts = (Array.isArray(found.value) ? found.value : [found.value]).filter((item) => typeof item === 'string');
  return texts.every((text) => /^(\/|[a-z]:\/)/i.test(text)) ? found : { ...found, relative: true };
}

/** A percent escape of a letter, digit, `-`, `.`, `_`, `~`, `/`, `\` or `%`. */
const NEEDLESS_ESCAPE = /%(?:4[1-9a-f]|5[0-9acf]|6[1-9a-f]|7[0-9ae]|3[0-9]|2[5def])/i;

/**
 * A URI in the one form in which every reader takes it alike; else unreadable. Of a file it is the path that counts:
 * `file://localhost/a`, `file:/a` and `file:///%61` are `file:///a`.
 */
function readUri(uri: string): Argument {
  const doubtful: Argument = { state: 'unreadable', why: 'servers may read this URI differently' };
  if (/[\p{Cc}\s\\]/u.test(uri)) return doubtful;
  if (/^file:/i.test(uri)) {
    if (!/^file:(\/\/(localhost)?)?\/(?!\/)/i.test(uri) || /[?#]|%2f|%5c/i.test(uri)) return doubtful;
    try {
      const path = decodeURIComponent(uri.replace(/^file:/i, ''));
      if (/%[0-9a-f]{2}|\p{Cc}/iu.test(path)) return doubtful;
      return { state: 'value', value: `file://${normalisePath(path.replace(/^\/\/(localhost)?(?=\/)/i, ''))}` };
    } catch {
      return doubtful;
    }
  }
  if (uri.includes('#') || NEEDLESS_ESCAPE.test(uri)) return doubtful;
  if (!URL.canParse(uri)) return { state: 'value', value: uri };
  const { href } = new URL(uri);
  return href === uri || href === `${uri}/` ? { state: 'value', value: uri } : doubtful;
}

/** Decoded once, as servers do; what is still encoded then depends on the server. */
function decoded(text: string): Argument {
  try {
    const value = decodeURIComponent(text);
    if (!value.includes('%')) return { state: 'value', value };
  } catch {
    // No encoding that is one.
  }
  return { state: 'unreadable', why: 'servers may decode it differently' };
}

/** The branch that a git refspec writes to. `HEAD` and its like depend on the repository. */
function destinationOf(refspec: string): Argument {
  const trimmed = refspec.trim().replace(/^\+/, '');
  const destination = trimmed
    .slice(trimmed.lastIndexOf(':') + 1)
    .replace(/^refs\/heads\//, '')
    .replace(/^heads\//, '');
  if (
    trimmed.startsWith('-') ||
    destination === '' ||
    destination.startsWith('@') ||
    /^(HEAD|FETCH_HEAD|ORIG_HEAD)\b/i.test(destination) ||
    /[\s~^*?[\\]/.test(destination)
  )
    return { state: 'unreadable', why: `where "${refspec}" goes depends on the repository` };
  return { state: 'value', value: destination };
}

/** `notes.txt` is more likely a file than a branch; `v1.2` is none. */
const FILE_NAME = /\.(?:[a-z][a-z0-9]{1,9}|[chmrs])$/i;

/** Whether a value is the name of a branch, tag or commit, and no path, pattern or option. */
export function isPlainRef(value: JsonValue): boolean {
  return (
    typeof value === 'string' &&
    value !== '' &&
    // The branch before.
    (value === '-' || PLAIN.test(value) || !/^[-.]|[:*?[\\\p{Cc}\s]|\/$|\.\./u.test(value)) &&
    !FILE_NAME.test(value)
  );
}

/** Whether a value stays the part of a path that it is put in as. */
export function isUrlPart(value: JsonValue): boolean {
  return typeof value === 'number' || (typeof value === 'string' && !isSneaky(value));
}

/** Whether a value may be an option, or several words where the server makes a command of it. */
export function mayBeOption(value: JsonValue): boolean {
  return typeof value !== 'string' || /^-|[\s\p{Cc}]/u.test(value);
}

/** Whether a refspec forces or deletes: a leading `+`, nothing before the `:`, or an option. */
export function isDestructiveRefspec(value: JsonValue): boolean {
  if (Array.isArray(value)) return value.some(isDestructiveRefspec);
  return typeof value === 'string' && /^\s*(\+|:(?!\s*$)|-)/.test(value);
}

/** `Ann <ann@acme.com>, bob@acme.com; …` as the bare addresses; what could hold another is unreadable. */
function addressesIn(text: string): Argument {
  const parts = text
    .split(/[,;\n]/)
    .map((part) => part.trim())
    .filter((part) => part !== '');
  const addresses = parts.map((part) => /^[^@<>]*<([^<>]*)>$/.exec(part)?.[1]?.trim() ?? part);
  if (addresses.some((address) => /[\s<>]/.test(address) || address.split('@').length > 2))
    return { state: 'unreadable', why: 'it may hold more addresses than it seems' };
  return { state: 'value', value: addresses };
}
