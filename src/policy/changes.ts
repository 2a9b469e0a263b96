/** What has changed between two policy files, in words: every difference that can matter, and nothing else. Pure. */
import { foldName, isObject } from '../call.ts';
import { redactText } from '../redact.ts';
import { wordsOf } from './compile.ts';
import type { PolicyFile, PolicySource } from './schema.ts';

/** One line for each change; none if both mean the same. */
export function policyChanges(before: PolicyFile, after: PolicyFile): string[] {
  const { policies: older, ...restBefore } = before;
  const { policies: newer, ...restAfter } = after;
  const byName = (policies: readonly PolicySource[]) => new Map(policies.map((each) => [foldName(each.name), each]));
  const [was, is] = [byName(older), byName(newer)];
  return [
    ...newer.filter(({ name }) => !was.has(foldName(name))).map((each) => `new policy "${each.name}": ${wholly(each)}`),
    ...older
      .filter(({ name }) => !is.has(foldName(name)))
      .map((each) => `policy "${each.name}" is gone: it was ${wholly(each)}`),
    ...newer.flatMap((each) => {
      const earlier = was.get(foldName(each.name));
      return earlier === undefined ? [] : changesOf(earlier, each);
    }),
    ...valueChanges(restBefore, restAfter),
  ];
}

/** What is shown as a whole, and what is for people alone. */
const IN_WORDS = new Set(['when', 'if', 'unless', 'action']);
const NOT_JUDGED = new Set(['name', 'description', 'tests']);

function others(policy: PolicySource): object {
  return Object.fromEntries(Object.entries(policy).filter(([key]) => !IN_WORDS.has(key) && !NOT_JUDGED.has(key)));
}

/** What it does, and all else that counts for it: whether it does it at all, until when, who is asked. */
function wholly(policy: PolicySource): string {
  const { enabled, ...rest } = others(policy) as PolicySource;
  const more = valueChanges({}, enabled ? rest : { enabled, ...rest }).map((change) =>
    change.replace('nothing → ', ''),
  );
  return [wordsOf(policy), ...more].join('; ');
}

function changesOf(before: PolicySource, after: PolicySource): string[] {
  const start = `policy "${after.name}": `;
  const [was, is] = [wordsOf(before), wordsOf(after)];
  const conditions = ({ if: condition, unless }: PolicySource) => ({ if: condition, unless });
  return [
    ...(was !== is ? [`${was} → ${is}`] : valueChanges(conditions(before), conditions(after))),
    ...valueChanges(others(before), others(after)),
  ].map((change) => `${start}${change}`);
}

/** Every leaf that differs between two values of plain JSON: `defaults.action: allow → block`. */
export function valueChanges(before: unknown, after: unknown): string[] {
  const [was, is] = [leaves(before), leaves(after)];
  const paths = new Map([...was, ...is].map(([key, { path }]) => [key, path]));
  return [...paths].flatMap(([key, path]) => {
    const [from, to] = [was.get(key)?.value, is.get(key)?.value];
    if (from !== undefined && to !== undefined && JSON.stringify(from) === JSON.stringify(to)) return [];
    // A block that gets its first keys, or loses its last, is told by them.
    if (from === undefined && isObject(to) && hasBelow(was, path)) return [];
    if (to === undefined && isObject(from) && hasBelow(is, path)) return [];
    return [`${path.length === 0 ? '' : `${path.join('.')}: `}${difference(from, to)}`];
  });
}

function difference(from: unknown, to: unknown): string {
  if (!Array.isArray(from) || !Array.isArray(to)) return `${shown(from)} → ${shown(to)}`;
  const missing = (list: unknown[], other: unknown[]) =>
    list.filter((item) => !other.some((each) => JSON.stringify(each) === JSON.stringify(item)));
  const [gone, added] = [missing(from, to), missing(to, from)];
  if (gone.length + added.length === 0) return 'in another order';
  return [...gone.map((item) => `without ${shown(item)}`), ...added.map((item) => `with ${shown(item)}`)].join(', ');
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = redactText(typeof value === 'string' ? value : JSON.stringify(value));
  return text.length > 600 ? `${text.slice(0, 400)} … ${text.slice(-150)}` : text;
}

interface Leaf {
  readonly path: readonly string[];
  readonly value: unknown;
}

function hasBelow(found: ReadonlyMap<string, Leaf>, path: readonly string[]): boolean {
  return [...found.values()].some(
    (leaf) => leaf.path.length > path.length && path.every((key, index) => leaf.path[index] === key),
  );
}

/** By path. A list is one leaf, and so is a block without keys. */
function leaves(value: unknown, path: readonly string[] = [], found = new Map<string, Leaf>()): Map<string, Leaf> {
  if (value === undefined) return found;
  if (!isObject(value) || Object.keys(value).length === 0) found.set(JSON.stringify(path), { path, value });
  else for (const [key, item] of Object.entries(value)) leaves(item, [...path, key], found);
  return found;
}
