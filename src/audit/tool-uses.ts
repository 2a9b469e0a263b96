/** Whether one use of a tool by an agent was decided, and let through. */
import { UNRESOLVED_COMMAND } from '../call.ts';
import type { Transaction } from '../store/store.ts';
import type { AuditEvent } from './events.ts';

/** What its client says of it. */
export interface ToolUse {
  /** the client's id of it; null if it gives none */
  readonly id: string | null;
  readonly session: string;
  /** what is called, where there is no id to tell it by */
  readonly name: string | null;
  /** milliseconds since the epoch: not decided before */
  readonly since: number;
}

/** So many events back it is looked for. */
const WINDOW = 10_000;

export function wasReleased(tx: Transaction, { id, session, name, since }: ToolUse): boolean {
  const which =
    id === null
      ? `body ->> '$."gen_ai.tool.name"' IS ? AND body ->> '$."mcp.session.id"' IS ?`
      : `body ->> '$."gen_ai.tool.call.id"' IS ? AND body ->> '$."mcp.session.id"' IS ?`;
  const decided = tx.all<{ call_id: string }>(
    `SELECT call_id FROM events
     WHERE seq > (SELECT coalesce(max(seq), 0) FROM events) - ${WINDOW} AND type = 'call.decided' AND ts >= ? AND ${which}
     ORDER BY seq DESC LIMIT 20`,
    since,
    id ?? name,
    session,
  );
  return decided.some(
    ({ call_id }) =>
      tx.get(
        `SELECT 1 FROM events WHERE call_id = ? AND type = 'call.completed' AND body ->> '$."toolgate.status"' = 'released'`,
        call_id,
      ) !== undefined,
  );
}

/** What was decided of a session's tool uses that were let through, oldest first; at most `limit`. */
export function releasedIn(tx: Transaction, session: string, limit: number): AuditEvent[] {
  return tx
    .all<{ body: string }>(
      `SELECT decided.body FROM events decided
       WHERE decided.type = 'call.decided' AND decided.body ->> '$."mcp.session.id"' = ?
         AND EXISTS (SELECT 1 FROM events ended WHERE ended.call_id = decided.call_id AND ended.type = 'call.completed'
           AND ended.body ->> '$."toolgate.status"' = 'released')
       ORDER BY decided.seq LIMIT ?`,
      session,
      limit,
    )
    .map(({ body }) => JSON.parse(body) as AuditEvent);
}

/** The shell lines that hooks asked about since then; those of no integration are not recorded. */
export interface CommandCounts {
  readonly judged: number;
  /** with a part that could not be told */
  readonly unreadable: number;
  /** with a program whose code is not in the line */
  readonly hidden: number;
  /** that ran without a decision, or against it */
  readonly unjudged: number;
}

export function commandsSince(tx: Transaction, since: number): CommandCounts {
  const count = (where: string) =>
    tx.get<{ n: number }>(`SELECT count(*) AS n FROM events WHERE ts >= ? AND ${where}`, since)?.n ?? 0;
  const decided = `type = 'call.decided' AND body ->> '$."toolgate.via"' = 'cli'`;
  return {
    judged: count(decided),
    unreadable: count(`${decided} AND instr(body, '"gen_ai.tool.name":"${UNRESOLVED_COMMAND}"') > 0`),
    hidden: count(`${decided} AND instr(body, '"toolgate.integration":null') > 0`),
    unjudged: count(`type = 'command.unjudged'`),
  };
}
