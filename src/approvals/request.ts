/** What a request holds, as people are shown it. Pure. */
import type { JsonObject } from '../call.ts';
import { keepExact } from '../exact.ts';
import type { Approval } from './approval.ts';

/** A tool's arguments alone, unless the request holds more than them. `request` is the params as JSON text. */
export function shownRequest(method: string | null, request: string): unknown {
  const params = JSON.parse(request, keepExact) as JsonObject;
  const keys = Object.keys(params).filter((key) => key !== 'name' && key !== 'arguments');
  return method === 'tools/call' && keys.length === 0 ? (params['arguments'] ?? {}) : params;
}

/** All of it while it is kept, what was kept of it after; as text of several lines. */
export function readableRequest({ request, subject }: Pick<Approval, 'request' | 'subject'>): string {
  return JSON.stringify(request === null ? subject.arguments : shownRequest(subject.method, request), null, 2);
}
