/** What an upstream answered, kept as text where nobody needs to read it. */
import { isDeeperThan } from '../digest.ts';
import { keepExact } from '../exact.ts';

/** An answer to one request. `raw` is the result's JSON text, exactly as it will be passed on. */
export type Answer =
  | { readonly kind: 'result'; readonly raw: string; readonly isError: boolean }
  | { readonly kind: 'error'; readonly error: JsonRpcError };

export interface JsonRpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** Keys of `_meta` that only toolgate may set. */
const OUR_PREFIX = 'toolgate/';
/** Our prefix, an escape that could spell a letter of it or of `_meta`, a bare CR. */
const SUSPICIOUS = /toolgate|\\u00(?:[46][1-9a-f]|[57][0-9a-f]|2f)|\r/i;
/** Far beyond what a tool answers, and far within what the stack bears. */
const MAX_DEPTH = 200;

/**
 * A result as an answer. Parsing shows that the text is exactly one JSON value, and whether it reports an error;
 * what is passed on is the text itself. It is written anew where it might carry a `_meta` key of ours (an escape or a
 * key given twice could hide one), or a bare CR, which some clients take for the end of a line. Throws if it isn't.
 */
export function resultAnswer(raw: string, value: unknown = JSON.parse(raw)): Answer {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw new SyntaxError('a result must be an object');
  if (isDeeperThan(value, MAX_DEPTH)) throw new SyntaxError(`the result is nested deeper than ${MAX_DEPTH} levels`);
  const isError = (value as { isError?: unknown }).isError === true;
  if (!SUSPICIOUS.test(raw)) return { kind: 'result', raw, isError };
  const rewritten: unknown = JSON.parse(raw, keepExact);
  stripOurMeta(rewritten);
  return { kind: 'result', raw: JSON.stringify(rewritten), isError };
}

/** An error as an answer: only what the protocol knows of one, and no key of ours in its data. */
export function errorAnswer(error: {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly data?: unknown;
}): Answer {
  const code = typeof error.code === 'number' && Number.isInteger(error.code) ? error.code : -32603;
  const message = typeof error.message === 'string' ? error.message : 'the upstream gave no message';
  if (error.data === undefined || isDeeperThan(error.data, MAX_DEPTH))
    return { kind: 'error', error: { code, message } };
  stripOurMeta({ _meta: error.data });
  stripOurMeta(error.data);
  return { kind: 'error', error: { code, message, data: error.data } };
}

/** Takes our own `_meta` keys out, in place; says whether there were any. Only for values of a bounded depth. */
export function stripOurMeta(value: unknown): boolean {
  if (value === null || typeof value !== 'object') return false;
  let found = false;
  if (Array.isArray(value)) {
    for (const item of value) found = stripOurMeta(item) || found;
    return found;
  }
  for (const [key, item] of Object.entries(value)) {
    if (key === '_meta' && item !== null && typeof item === 'object') {
      for (const name of Object.keys(item)) {
        if (!name.toLowerCase().startsWith(OUR_PREFIX)) continue;
        delete (item as Record<string, unknown>)[name];
        found = true;
      }
    }
    found = stripOurMeta(item) || found;
  }
  return found;
}

const RESULT_FIRST = '{"result":';
const ID_LAST = /,"jsonrpc":"2\.0","id":(\d{1,15})\}$/;
const ID_FIRST = /^\{"jsonrpc":"2\.0","id":(\d{1,15}),"result":/;

/**
 * The two ways in which servers write a successful answer. Gives its id and the text of its result; null for any
 * other line. The text is only a candidate: it is exactly one value once it has been parsed.
 */
export function splitAnswer(line: string): { id: number; result: string } | null {
  if (line.startsWith(RESULT_FIRST)) {
    const last = ID_LAST.exec(line.length > 64 ? line.slice(-64) : line);
    if (last === null) return null;
    return { id: Number(last[1]), result: line.slice(RESULT_FIRST.length, line.length - last[0].length) };
  }
  const first = ID_FIRST.exec(line.length > 64 ? line.slice(0, 64) : line);
  if (first === null || !line.endsWith('}')) return null;
  return { id: Number(first[1]), result: line.slice(first[0].length, -1) };
}

/** The id of an answer of which only both ends are known; null if neither shows it. */
export function idOfCutAnswer(head: string, tail: string): number | null {
  const match =
    /^\s*\{\s*"jsonrpc"\s*:\s*"2\.0"\s*,\s*"id"\s*:\s*(\d{1,15})\s*,/.exec(head) ??
    /,\s*"id"\s*:\s*(\d{1,15})\s*\}\s*$/.exec(tail);
  return match === null ? null : Number(match[1]);
}
