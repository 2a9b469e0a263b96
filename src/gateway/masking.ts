/** Answers of an upstream with what a policy wants taken out of them. */
import { GatewayError } from '../errors.ts';
import { keepExact } from '../exact.ts';
import type { Mask } from '../mask.ts';
import type { Answer, JsonRpcError } from '../upstream/answers.ts';
import type { Progress } from '../upstream/stdio.ts';

/** Throws `internal` if it can't be read: then it isn't passed on. */
export function maskedAnswer(answer: Answer, mask: Mask): Answer {
  if (answer.kind === 'error') {
    const { data, ...rest } = answer.error;
    const error = mask(rest, 'envelope') as JsonRpcError;
    return { kind: 'error', error: data === undefined ? error : { ...error, data: mask(withoutMedia(data)) } };
  }
  let value: unknown;
  try {
    value = JSON.parse(answer.raw, keepExact);
  } catch {
    throw new GatewayError('internal', 'a policy takes something out of the result, which could not be read');
  }
  const entries = Object.entries(withoutMedia(value) as object).map(([key, part]) => [
    key,
    mask(part, DATA.has(key) ? 'data' : 'envelope'),
  ]);
  return { ...answer, raw: JSON.stringify(Object.fromEntries(entries)) };
}

/** The parts of a result that are the server's own data, not the protocol's. */
const DATA = new Set(['structuredContent', '_meta']);

export function maskedProgress(
  onProgress: ((progress: Progress) => void) | null,
  mask: Mask,
): ((progress: Progress) => void) | null {
  return onProgress === null ? null : (progress) => onProgress(mask(progress, 'envelope') as Progress);
}

/** Pictures, sounds and files are withheld: nobody can tell what is in them. */
function withoutMedia(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(DATA_URI, WITHHELD);
  if (value === null || typeof value !== 'object' || JSON.isRawJSON(value)) return value;
  if (Array.isArray(value)) return value.map(withoutMedia);
  const object = value as Record<string, unknown>;
  if ((object['type'] === 'image' || object['type'] === 'audio') && 'data' in object)
    return { type: 'text', text: `${WITHHELD} ${mediaType(object)}` };
  const { blob, ...rest } = object;
  const entries = Object.entries(rest).map(([key, item]) => [key, withoutMedia(item)]);
  return Object.fromEntries(blob === undefined ? entries : [...entries, ['text', `${WITHHELD} ${mediaType(object)}`]]);
}

const WITHHELD = '[withheld: a policy redacts this result]';
const DATA_URI = /data:[a-z0-9.+/-]{0,100}(?:;[a-z0-9.=+-]{1,100}){0,5},[^\s"'<>)]*/gi;

function mediaType(object: Record<string, unknown>): string {
  return typeof object['mimeType'] === 'string' ? object['mimeType'] : '';
}
