/** One hash chain per store: `hash = sha256(prev + body)`, appended in the transaction that the event belongs to. */
import { sha256 } from '../digest.ts';
import { newId } from '../ids.ts';
import { isClearlyClean, redact, redactText } from '../redact.ts';
import { getMeta, setMeta } from '../store/meta.ts';
import type { SqlValue, Transaction } from '../store/store.ts';
import { type AuditEvent, EVENT_CODES } from './events.ts';

const FORMAT_VERSION = 1;
/** A text longer than this keeps its two ends, its length and its hash. */
const MAX_TEXT = 4096;
const KEPT_START = 1536;
const KEPT_END = 512;
const MARGIN = 8192;
/** An event that is still larger than this has its largest fields replaced by their size and hash. */
const MAX_BODY = 64 * 1024;
const MAX_DEPTH = 64;

/** An event ready to be appended: bounded, redacted and written as text, outside of any lock. */
export interface PreparedEvent {
  readonly ts: number;
  readonly type: AuditEvent['type'];
  readonly callId: string | null;
  /** the body without its number in the chain */
  readonly text: string;
}

export function prepareEvent(event: AuditEvent): PreparedEvent {
  const head = { v: FORMAT_VERSION, id: newId(event.ts), code: EVENT_CODES[event.type] };
  const asItIs = JSON.stringify({ ...head, ...event });
  // Most events are short and hold nothing that looks like a secret: what they are is what is written.
  const text = asItIs.length <= MAX_TEXT && isClearlyClean(asItIs) ? asItIs : prepared({ ...head, ...event });
  return { ts: event.ts, type: event.type, callId: event.call_id ?? null, text };
}

function prepared(event: Record<string, unknown>): string {
  const shown = redact(bound(event)) as Record<string, unknown>;
  const text = JSON.stringify(shown);
  return text.length <= MAX_BODY ? text : JSON.stringify(withoutLargest(shown));
}

/** The same value, with long texts shortened in the middle; itself if there is none. */
export function bound(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return value.length <= MAX_TEXT ? value : shortened(value);
  if (value === null || typeof value !== 'object' || JSON.isRawJSON(value)) return value;
  if (depth > MAX_DEPTH) return '[too deep]';
  let result: Record<string, unknown> | null = null;
  for (const key of Object.keys(value)) {
    const before = (value as Record<string, unknown>)[key];
    const item = bound(before, depth + 1);
    const name = key.length <= MAX_TEXT ? key : shortened(key);
    if (item === before && name === key) continue;
    result ??= (Array.isArray(value) ? [...value] : Object.assign(Object.create(null), value)) as Record<
      string,
      unknown
    >;
    if (name !== key) delete result[key];
    result[name] = item;
  }
  return result ?? value;
}

function shortened(text: string): string {
  // Secrets are taken out before the cut, which could leave a part of one that nobody recognises.
  const start = redactText(text.slice(0, KEPT_START + MARGIN)).slice(0, KEPT_START);
  const end = redactText(text.slice(-KEPT_END - MARGIN)).slice(-KEPT_END);
  return `${start}…[${text.length} characters, sha256 ${sha256(text)}]…${end}`;
}

function withoutLargest(event: Record<string, unknown>): Record<string, unknown> {
  const result = { ...event };
  const sizes = Object.entries(event).map(([key, value]) => ({ key, text: JSON.stringify(value) ?? '' }));
  let size = sizes.reduce((sum, { text }) => sum + text.length, 0);
  for (const { key, text } of sizes.sort((x, y) => y.text.length - x.text.length)) {
    if (size <= MAX_BODY / 2) break;
    result[key] = {
      bytes: Buffer.byteLength(text),
      sha256: sha256(text),
      start: text.slice(0, KEPT_START),
      end: text.slice(-KEPT_END),
    };
    size -= text.length;
  }
  return result;
}

/** Rows of one statement: fewer statements cost less than longer ones. */
const ROWS = 32;
const INSERT = (rows: number) =>
  `INSERT INTO events (seq, ts, type, call_id, body, hash) VALUES ${Array(rows).fill('(?, ?, ?, ?, ?, ?)').join(', ')}`;
const INSERT_MANY = INSERT(ROWS);
const INSERT_ONE = INSERT(1);

/** Appends events in order. Call it inside a write transaction. */
export function appendEvents(tx: Transaction, events: readonly PreparedEvent[]): void {
  if (events.length === 0) return;
  let { seq, hash } = head(tx);
  let values: SqlValue[] = [];
  for (const event of events) {
    seq++;
    const body = `{"seq":${seq},${event.text.slice(1)}`;
    hash = sha256(hash + body);
    values.push(seq, event.ts, event.type, event.callId, body, hash);
    if (values.length === ROWS * 6) {
      tx.run(INSERT_MANY, ...values);
      values = [];
    }
  }
  for (let at = 0; at < values.length; at += 6) tx.run(INSERT_ONE, ...values.slice(at, at + 6));
  // The stored head shows a tail that was cut off.
  setMeta(tx, 'head', `${seq} ${hash}`);
}

/** Prepares and appends, for the rare events of a transaction that reads first. */
export function writeEvents(tx: Transaction, events: readonly AuditEvent[]): void {
  appendEvents(tx, events.map(prepareEvent));
}

function head(tx: Transaction): { seq: number; hash: string } {
  const last = tx.get<{ seq: number; hash: string }>('SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1');
  return last ?? { seq: 0, hash: getMeta(tx, 'genesis')! };
}

/** How far the chain is proved. `broken` names the first event that isn't what was written. */
export interface Verification {
  readonly events: number;
  readonly provedTo: { readonly seq: number; readonly ts: number } | null;
  readonly broken: { readonly seq: number; readonly why: string } | null;
}

/** Recomputes the whole chain. It shows changed, missing and cut-off events; not a chain rewritten from the start. */
export function verifyChain(tx: Transaction): Verification {
  let previous = getMeta(tx, 'genesis')!;
  let seq = 0;
  let provedTo: Verification['provedTo'] = null;
  const broken = (at: number, why: string): Verification => ({ events: count(tx), provedTo, broken: { seq: at, why } });
  for (;;) {
    const rows = tx.all<EventRow>(
      'SELECT seq, ts, type, call_id, body, hash FROM events WHERE seq > ? ORDER BY seq LIMIT 1000',
      seq,
    );
    if (rows.length === 0) break;
    for (const row of rows) {
      if (row.seq !== seq + 1) return broken(seq + 1, 'it is missing');
      if (row.hash !== sha256(previous + row.body)) return broken(row.seq, 'it was changed, or an event before it was');
      const body = JSON.parse(row.body) as AuditEvent & { seq: number };
      if (
        body.seq !== row.seq ||
        body.ts !== row.ts ||
        body.type !== row.type ||
        (body.call_id ?? null) !== row.call_id
      )
        return broken(row.seq, 'its columns differ from its text');
      previous = row.hash;
      seq = row.seq;
      provedTo = { seq, ts: row.ts };
    }
  }
  const stored = getMeta(tx, 'head');
  if (stored !== null && stored !== `${seq} ${previous}`) return broken(seq + 1, 'the end of the log was cut off');
  return { events: seq, provedTo, broken: null };
}

interface EventRow {
  readonly seq: number;
  readonly ts: number;
  readonly type: string;
  readonly call_id: string | null;
  readonly body: string;
  readonly hash: string;
}

function count(tx: Transaction): number {
  return tx.get<{ n: number }>('SELECT count(*) AS n FROM events')!.n;
}
