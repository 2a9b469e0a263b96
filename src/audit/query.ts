/** Reads the log: newest first, with filters, or one call whole. */
import type { SqlValue, Store, Transaction } from '../store/store.ts';
import type { StoredEvent } from './events.ts';

export interface LogFilter {
  readonly type?: string;
  readonly agent?: string;
  readonly integration?: string;
  readonly operation?: string;
  readonly decision?: string;
  readonly policy?: string;
  readonly server?: string;
  readonly via?: string;
  /** milliseconds since the epoch */
  readonly since?: number;
  readonly until?: number;
  /** any text in the event */
  readonly text?: string;
  /** only events after this one, oldest first */
  readonly afterSeq?: number;
  /** only events before this one */
  readonly beforeSeq?: number;
  readonly limit: number;
}

/** Filter → the JSON key it looks at. Compared without case. */
const KEYS = {
  agent: 'gen_ai.agent.name',
  integration: 'toolgate.integration',
  operation: 'toolgate.operation',
  decision: 'toolgate.policy.decision',
  policy: 'toolgate.policy.name',
  server: 'toolgate.server',
  via: 'toolgate.via',
} as const;

/** What each call of a shell line has of its own. */
const OF_EACH_CALL: ReadonlySet<string> = new Set([KEYS.integration, KEYS.operation]);

export function listEvents(tx: Transaction, filter: LogFilter): StoredEvent[] {
  const where: string[] = [];
  const values: SqlValue[] = [];
  for (const [name, key] of Object.entries(KEYS)) {
    const wanted = filter[name as keyof typeof KEYS];
    if (wanted === undefined) continue;
    const own = `lower(body ->> '$."${key}"') = lower(?)`;
    if (!OF_EACH_CALL.has(key)) where.push(own);
    else {
      where.push(
        `(${own} OR EXISTS (SELECT 1 FROM json_each(body, '$."toolgate.calls"') WHERE lower(value ->> '$."${key}"') = lower(?)))`,
      );
      values.push(wanted);
    }
    values.push(wanted);
  }
  const add = (clause: string, value: SqlValue | undefined) => {
    if (value === undefined) return;
    where.push(clause);
    values.push(value);
  };
  add('type = ?', filter.type);
  add('ts >= ?', filter.since);
  add('ts <= ?', filter.until);
  add('instr(lower(body), lower(?)) > 0', filter.text);
  add('seq > ?', filter.afterSeq);
  add('seq < ?', filter.beforeSeq);
  const order = filter.afterSeq === undefined ? 'DESC' : 'ASC';
  const clause = where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`;
  return tx
    .all<Row>(`SELECT seq, body, hash FROM events ${clause} ORDER BY seq ${order} LIMIT ?`, ...values, filter.limit)
    .map(toEvent);
}

const CHUNK = 2000;

/** All events of one type since then, oldest first, a few at a time. */
export async function* eachEvent(store: Store, type: string, since: number): AsyncGenerator<StoredEvent> {
  for (let afterSeq = 0; ; ) {
    const events = await store.read((tx) => listEvents(tx, { type, since, afterSeq, limit: CHUNK }));
    yield* events;
    if (events.length < CHUNK) return;
    afterSeq = events.at(-1)!.seq;
  }
}

/** Every event of one call, oldest first. `id` may be the start of it, if that is enough to tell. */
export function eventsOfCall(tx: Transaction, id: string): StoredEvent[] {
  return tx
    .all<Row>(
      "SELECT seq, body, hash FROM events WHERE call_id >= ? AND call_id < ? || '~' ORDER BY seq LIMIT 100",
      id,
      id,
    )
    .map(toEvent);
}

/** The calls of a session that were allowed to run before this event. */
export function ranBefore(tx: Transaction, session: string, seq: number): StoredEvent[] {
  const decided = tx
    .all<Row>(
      `SELECT seq, body, hash FROM events WHERE type = 'call.decided' AND seq < ? AND body ->> '$."mcp.session.id"' = ? ORDER BY seq`,
      seq,
      session,
    )
    .map(toEvent)
    .filter(({ body }) => body['toolgate.policy.decision'] !== 'block');
  const outcomes = outcomesOf(
    tx,
    decided.flatMap(({ body }) => body.call_id ?? []),
  );
  return decided.filter(({ body }) => outcomes.get(body.call_id ?? '')?.body['toolgate.status'] !== 'not_run');
}

/** How those of these calls ended that have, by call id. */
export function outcomesOf(tx: Transaction, callIds: readonly string[]): Map<string, StoredEvent> {
  const found = new Map<string, StoredEvent>();
  for (const id of callIds) {
    const row = tx.get<Row>("SELECT seq, body, hash FROM events WHERE call_id = ? AND type = 'call.completed'", id);
    if (row !== undefined) found.set(id, toEvent(row));
  }
  return found;
}

interface Row {
  readonly seq: number;
  readonly body: string;
  readonly hash: string;
}

function toEvent(row: Row): StoredEvent {
  return { seq: row.seq, body: JSON.parse(row.body), hash: row.hash };
}
