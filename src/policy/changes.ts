/** What has changed between two policy files, in words: every difference that can matter, and nothing else. Pure. */
import { foldName } from '../call.ts';
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
    ...newer
      .filter(({ name }) => !was.has(foldName(name)))
      .map((each) => `new policy "${each.name}": ${wordsOf(each)}`),
    ...older
      .filter(({ name }) => !is.has(foldName(name)))
      .map((each) => `policy "${each.name}" is gone: it was ${wordsOf(each)}`),
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

function changesOf(before: PolicySource, after: PolicySource): string[] {
  const start = `policy "${after.name}": `;
  const [was, is] = [wordsOf(before), wordsOf(after)];
  const others = (policy: PolicySource) =>
    Object.fromEntries(Object.entries(policy).filter(([key]) => !IN_WORDS.has(key) && !NOT_JUDGED.has(key)));
  const condition = JSON.stringify([before.if, before.unless]) !== JSON.stringify([after.if, after.unless]);
  return [
    ...(was !== is ? [`${start}${was} → ${is}`] : condition ? [`${start}its conditions are written anew`] : []),
    ...valueChanges(others(before), others(after)).map((change) => `${start}${change}`),
  ];
}

/** Every leaf that differs between two values of plain JSON: `defaults.action: allow → block`. */
export function valueChanges(before: unknown, after: unknown): string[] {
  const [was, is] = [leaves(before), leaves(after)];
  return [...new Set([...was.keys(), ...is.keys()])].flatMap((path) => {
    const [from, to] = [was.get(path), is.get(path)];
    // A block that gets its first keys, or loses its last, is told by them.
    const isTold = [...(from === undefined ? was : is).keys()].some((other) => other.startsWith(`${path}.`));
    if ((from === undefined || to === undefined) && isTold) return [];
    return from === to ? [] : [`${path === '' ? '' : `${path}: `}${shown(from)} → ${shown(to)}`];
  });
}

function shown(json: string | undefined): string {
  if (json === undefined) return 'nothing';
  const value: unknown = JSON.parse(json);
  const text = redactText(typeof value === 'string' ? value : json);
  return text.length > 200 ? `${text.slice(0, 120)} … ${text.slice(-60)}` : text;
}

/** By path, as JSON. A list is one leaf, and so is a block without keys. */
function leaves(value: unknown, path = '', found = new Map<string, string>()): Map<string, string> {
  if (value === undefined) return found;
  const isBlock = value !== null && typeof value === 'object' && !Array.isArray(value);
  if (!isBlock || Object.keys(value).length === 0) found.set(path, JSON.stringify(value));
  else for (const [key, item] of Object.entries(value)) leaves(item, path === '' ? key : `${path}.${key}`, found);
  return found;
}
