import { isObject, type JsonObject } from '../call.ts';

const NONE: JsonObject = {};

/** The arguments of a tool call; an absent block is an empty one. Null if they are no object. */
export function normaliseArguments(value: unknown): JsonObject | null {
  if (value === undefined) return NONE;
  return isObject(value) && !JSON.isRawJSON(value) ? value : null;
}
