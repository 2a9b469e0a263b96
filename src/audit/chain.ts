/** One hash chain per store: `hash = sha256(prev + body)`, appended in the transaction that the event belongs to. */
import { sha256 } from '../digest.ts';
import { newId } from '../ids.ts';
import { redact } from '../redact.ts';
import type { SqlValue, Transaction } from '../store/store.ts';
import { type AuditEvent, EVENT_CODES } from './events.ts';

/** In an event larger than this, each field larger than that is replaced by its size and hash. */
const MAX_BODY_BYTES = 64 * 1024;
const MAX_FIELD_BYTES = 16 * 1024;
const FORMAT_VERSION = 1;

/** Rows of one statement: fewer statements cost less than longer ones. */
const ROWS = 32;
const INSERT = (rows: number) =>
  `INSERT INTO events (seq, ts, type, call_id, body, hash) VALUES ${Array(rows).fill('(?, ?, ?, ?, ?, ?)').join(', ')}`;
const INSERT_MANY = INSERT(ROWS);
const INSERT_ONE = INSERT(1);

/** Appends events, redacted, in order. Call it inside a write transaction. */
export function appendEvents(tx: Transaction, events: readonly AuditEvent[]): void {
  if (events.length === 0) return;
  let { seq, hash } = head(tx);
  let values: SqlValue[] = [];
  for (const event of events) {
    seq++;
    const body = bodyOf(event, seq);
    hash = sha256(hash + body);
    values.push(seq, event.ts, event.type, event.call_id ?? null, body, hash);
    if (values.length === ROWS * 6) {
      tx.run(INSERT_MANY, ...values);
      values = [];
    }
  }
  for (let at = 0; at < values.length; at += 6) tx.run(INSERT_ONE, ...values.slice(at, at + 6));
  // The stored head shows a tail that was cut off.
  tx.run(
    "INSERT INTO meta (key, value) VALUES ('head', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    `${seq} ${hash}`,
  );
}

function bodyOf(event: AuditEvent, seq: number): string {
  const whole = {
    v: FORMAT_VERSION,
    seq,
    id: newId(event.ts),
    code: EVENT_CODES[event.type],
    ...(redact(event) as object),
  };
  const text = JSON.stringify(whole);
  return text.length <= MAX_BODY_BYTES ? text : JSON.stringify(boundFields(whole));
}

function head(tx: Transaction): { seq: number; hash: string } {
  const last = tx.get<{ seq: number; hash: string }>('SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1');
  return last ?? { seq: 0, hash: tx.get<{ value: string }>("SELECT value FROM meta WHERE key = 'genesis'")!.value };
}

function boundFields(event: unknown): unknown {
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(event as object)) {
    if (value === undefined) continue;
    if (value !== null && typeof value === 'object') {
      const text = JSON.stringify(value);
      result[key] = text.length > MAX_FIELD_BYTES ? { bytes: Buffer.byteLength(text), sha256: sha256(text) } : value;
    } else if (typeof value === 'string' && value.length > MAX_FIELD_BYTES) {
      result[key] = { bytes: Buffer.byteLength(value), sha256: sha256(value) };
    } else result[key] = value;
  }
  return result;
}

/** How far the chain is proved. `broken` names the first event that isn't what was written. */
export interface Verification {
  readonly events: number;
  readonly provedTo: { readonly seq: number; readonly ts: number } | null;
  readonly broken: { readonly seq: number; readonly why: string } | null;
}

/** Recomputes the whole chain. It shows changed, missing and cut-off events; not a chain rewritten from the start. */
export function verifyChain(tx: Transaction): Verification {
  let previous = tx.get<{ value: string }>("SELECT value FROM meta WHERE key = 'genesis'")!.value;
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
  const stored = tx.get<{ value: string }>("SELECT value FROM meta WHERE key = 'head'")?.value;
  if (stored !== undefined && stored !== `${seq} ${previous}`) return broken(seq + 1, 'the end of the log was cut off');
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
