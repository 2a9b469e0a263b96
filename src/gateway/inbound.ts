/**
 * Reads a client's line so that what is judged is what any upstream would read. Duplicate keys and envelope keys that
 * differ only in case are refused: JSON readers in other languages take the first, the last, or either (threats in
 * docs/security.md). Numbers that a double can't hold are kept as their text.
 */
import { foldText, isObject } from '../call.ts';
import { isDeeperThan } from '../digest.ts';
import { keepExact } from '../exact.ts';

/** Deeper than any tool's arguments, and far within what the stack bears. */
const MAX_DEPTH = 100;

export type Inbound =
  | { readonly kind: 'message'; readonly message: Record<string, unknown> }
  | { readonly kind: 'bad'; readonly id: string | number | null; readonly code: number; readonly why: string };

const ENVELOPE = ['jsonrpc', 'id', 'method', 'params', 'result', 'error'];
/** Every key of `params` that some method reads. */
const PARAMS = [
  '_meta',
  'name',
  'arguments',
  'uri',
  'cursor',
  'ref',
  'argument',
  'context',
  'level',
  'task',
  'requestId',
  'reason',
  'progressToken',
  'progress',
  'total',
  'message',
  'protocolVersion',
  'capabilities',
  'clientInfo',
  'inputResponses',
  'requestState',
  'taskId',
];
const KNOWN_ENVELOPE = new Set(ENVELOPE.map(foldText));
const KNOWN_PARAMS = new Set(PARAMS.map(foldText));
const EXACT = new Set([...ENVELOPE, ...PARAMS]);

export function readClientLine(line: string): Inbound {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { kind: 'bad', id: null, code: -32700, why: 'the message is not valid JSON' };
  }
  if (Array.isArray(value))
    return { kind: 'bad', id: null, code: -32600, why: 'batches are not supported: send one message a line' };
  if (value === null || typeof value !== 'object')
    return { kind: 'bad', id: null, code: -32600, why: 'a message must be an object' };
  if (isDeeperThan(value, MAX_DEPTH)) return refuse(value, `it is nested deeper than ${MAX_DEPTH} levels`);
  // Text that comes out again exactly has no duplicate key, no inexact number and nothing else to hide.
  if (JSON.stringify(value) !== line) {
    const twice = duplicateKey(line);
    if (twice !== null) return refuse(value, `the key ${JSON.stringify(twice)} stands twice in one object`);
    value = JSON.parse(line, keepExact);
  }
  const message = value as Record<string, unknown>;
  const collision =
    collidingKey(message, KNOWN_ENVELOPE) ??
    (isObject(message['params']) ? collidingKey(message['params'], KNOWN_PARAMS) : null);
  if (collision !== null) return refuse(message, `the key ${JSON.stringify(collision)} could be read as another`);
  return { kind: 'message', message };
}

function refuse(message: object, why: string): Inbound {
  const id = (message as { id?: unknown }).id;
  return { kind: 'bad', id: typeof id === 'string' || typeof id === 'number' ? id : null, code: -32600, why };
}

function collidingKey(object: Record<string, unknown>, known: ReadonlySet<string>): string | null {
  const unusual = Object.keys(object).filter((key) => !EXACT.has(key));
  const seen = new Set<string>();
  for (const key of unusual) {
    const folded = foldText(key);
    if (known.has(folded) || seen.has(folded)) return key;
    seen.add(folded);
  }
  return null;
}

const COLON = /\s*:/y;

/** The first key that an object holds twice, at any depth; `text` is known to be valid JSON. */
function duplicateKey(text: string): string | null {
  const open: (Set<string> | null)[] = [];
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case '{':
        open.push(new Set());
        break;
      case '[':
        open.push(null);
        break;
      case '}':
      case ']':
        open.pop();
        break;
      case '"': {
        const start = at;
        for (at++; text[at] !== '"'; at++) if (text[at] === '\\') at++;
        const keys = open.at(-1);
        COLON.lastIndex = at + 1;
        if (keys === null || keys === undefined || !COLON.test(text)) break;
        const key = JSON.parse(text.slice(start, at + 1)) as string;
        if (keys.has(key)) return key;
        keys.add(key);
        break;
      }
    }
  }
  return null;
}
