/**
 * The approvals of a store: asked, answered, used, ended. Each change is one compare-and-set in the transaction of the
 * caller, together with its event; whoever comes second, in whatever process, finds it done.
 */
import { randomBytes } from 'node:crypto';
import type { Requirement } from '../call.ts';
import { newId } from '../ids.ts';
import type { Transaction } from '../store/store.ts';
import {
  type AnswerChannel,
  type Approval,
  type ApprovalState,
  clockState,
  codeOf,
  hasEnded,
  type Subject,
  type Verdict,
  type Vote,
  type Waiter,
} from './approval.ts';
import { hasReason, progressOf, type ReviewerEntries, requirementsFor } from './reviewers.ts';

/** So many may be open at once; more would only be waved through. */
export const MAX_OPEN_PER_SESSION = 5;
export const MAX_OPEN = 50;
export const MAX_REQUEST_BYTES = 1024 * 1024;

/** A change that is worth an event; the shape that the audit log takes. */
export interface ApprovalEvent {
  readonly type:
    | 'approval.requested'
    | 'approval.voted'
    | 'approval.approved'
    | 'approval.denied'
    | 'approval.expired'
    | 'approval.used'
    | 'approval.lapsed';
  readonly ts: number;
  readonly call_id: string;
  readonly [key: string]: unknown;
}

export interface NewApproval {
  readonly digest: string;
  readonly session: string;
  readonly callId: string;
  readonly subject: Subject;
  readonly request: string;
  readonly requirements: readonly Requirement[];
  readonly rules: string;
  readonly waiter: Waiter;
}

export type Asked =
  /** a new question; `known`: an earlier one of the same digest, on which nobody waited, is waited on again */
  | { readonly kind: 'open'; readonly approval: Approval; readonly known: boolean }
  /** somebody has approved exactly this while nobody waited: it may be used */
  | { readonly kind: 'approved'; readonly approval: Approval }
  | { readonly kind: 'refused'; readonly why: string };

export interface Answer {
  readonly voter: string;
  readonly verdict: Verdict;
  readonly channel: AnswerChannel;
  readonly reason: string | null;
}

export type Answered =
  | { readonly kind: 'answered'; readonly approval: Approval }
  /** it had ended, or this voter had already spoken; the approval shows how it stands */
  | { readonly kind: 'too late'; readonly approval: Approval }
  | { readonly kind: 'refused'; readonly why: string; readonly approval: Approval };

export interface Book {
  readonly ask: (tx: Transaction, asked: NewApproval, now: number) => Asked;
  /** `requirements` and `entries` as the rules in force have them at this moment */
  readonly answer: (
    tx: Transaction,
    id: string,
    answer: Answer,
    inForce: { readonly requirements: readonly Requirement[]; readonly entries: ReviewerEntries },
    now: number,
  ) => Answered | null;
  /** Approved → used. Null if another was faster, or its time is over. Commit it durably before forwarding. */
  readonly use: (tx: Transaction, id: string, now: number) => Approval | null;
  /** The rules no longer ask, or no longer allow: ends an open or approved one. Null if it had ended. */
  readonly end: (tx: Transaction, id: string, why: string, now: number) => Approval | null;
  /** The rules allow it now: an open one is approved by them, as if nobody had to be asked. */
  readonly allow: (tx: Transaction, id: string, now: number) => Approval | null;
  /** The rules ask others by now. */
  readonly renew: (tx: Transaction, id: string, requirements: readonly Requirement[], rules: string) => void;
  /** The call no longer waits; the question stays open. */
  readonly leave: (tx: Transaction, id: string, callId: string) => void;
  /** Ends what is over by the clock. */
  readonly sweep: (tx: Transaction, now: number) => void;
}

/** `record` writes events in the same transaction; `isWaiting` tells whether a waiter still lives. */
export function createBook(
  record: (tx: Transaction, events: readonly ApprovalEvent[]) => void,
  isWaiting: (waiter: Waiter) => boolean,
): Book {
  /** Compare-and-set: true if it was this caller's change. */
  const move = (
    tx: Transaction,
    approval: Approval,
    to: ApprovalState,
    now: number,
    why: string | null,
    runBy: number | null = null,
  ): boolean =>
    tx.run(
      `UPDATE approvals SET state = ?, ended_why = ?, decided_at = CASE WHEN ? = 'approved' THEN ? ELSE decided_at END, run_by = coalesce(?, run_by),
         ended_at = ?, request = CASE WHEN ? THEN NULL ELSE request END, waiter = CASE WHEN ? THEN NULL ELSE waiter END
       WHERE id = ? AND state = ?`,
      to,
      why,
      to,
      now,
      runBy,
      hasEnded(to) ? now : null,
      Number(hasEnded(to)),
      Number(hasEnded(to)),
      approval.id,
      approval.state,
    ) === 1;

  const tell = (
    tx: Transaction,
    type: ApprovalEvent['type'],
    approval: Approval,
    now: number,
    more: Record<string, unknown> = {},
  ) => {
    const { subject } = approval;
    record(tx, [
      {
        type,
        ts: now,
        call_id: approval.callId,
        'toolgate.approval.id': approval.id,
        'toolgate.approval.code': approval.code,
        'gen_ai.agent.name': subject.agent.name,
        'toolgate.integration': subject.integration,
        'toolgate.tool.title': subject.tool,
        ...more,
      },
    ]);
  };

  const end = (
    tx: Transaction,
    approval: Approval,
    to: 'denied' | 'expired' | 'lapsed',
    why: string,
    now: number,
  ): Approval | null => {
    if (!move(tx, approval, to, now, why)) return null;
    tell(tx, `approval.${to}`, approval, now, { 'toolgate.approval.why': why });
    return findApproval(tx, approval.id);
  };

  /** The row as it stands, ended if its time is over. */
  const current = (tx: Transaction, id: string, now: number): Approval | null => {
    const approval = findApproval(tx, id);
    if (approval === null) return null;
    const state = clockState(approval, now);
    if (state === approval.state) return approval;
    return end(tx, approval, state as 'expired' | 'lapsed', CLOCK_WHY[state as 'expired' | 'lapsed'], now);
  };

  const sweep: Book['sweep'] = (tx, now) => {
    for (const { id } of tx.all<{ id: string }>("SELECT id FROM approvals WHERE state IN ('open', 'approved')"))
      current(tx, id, now);
  };

  return {
    sweep,

    ask: (tx, asked, now) => {
      sweep(tx, now);
      const same = liveOf(tx, asked.digest).filter(({ waiter }) => waiter === null || !isWaiting(waiter));
      const granted = same.find(({ state }) => state === 'approved');
      if (granted !== undefined) return { kind: 'approved', approval: granted };
      const [open] = same;
      if (open !== undefined) {
        tx.run(
          'UPDATE approvals SET waiter = ?, requirements = ?, rules = ? WHERE id = ?',
          JSON.stringify(asked.waiter),
          JSON.stringify(asked.requirements),
          asked.rules,
          open.id,
        );
        return { kind: 'open', approval: findApproval(tx, open.id)!, known: true };
      }
      if (Buffer.byteLength(asked.request) > MAX_REQUEST_BYTES)
        return {
          kind: 'refused',
          why: `the request is longer than ${MAX_REQUEST_BYTES / 1024 / 1024} MiB, too long for a person to judge`,
        };
      const count = (where: string, ...values: string[]) =>
        tx.get<{ n: number }>(`SELECT count(*) AS n FROM approvals WHERE state = 'open'${where}`, ...values)!.n;
      if (count(' AND session = ?', asked.session) >= MAX_OPEN_PER_SESSION)
        return {
          kind: 'refused',
          why: `too many pending: ${MAX_OPEN_PER_SESSION} calls of this connection already wait for a person`,
        };
      if (count('') >= MAX_OPEN)
        return { kind: 'refused', why: `too many pending: ${MAX_OPEN} calls already wait for a person` };
      const id = newId(now);
      const timeoutMs = Math.min(...asked.requirements.map((each) => each.timeoutMs));
      tx.run(
        `INSERT INTO approvals (id, code, digest, state, session, call_id, subject, request, requirements, rules, created_at, decide_by, waiter)
         VALUES (?, ?, ?, 'open', ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        id,
        freeCode(tx),
        asked.digest,
        asked.session,
        asked.callId,
        JSON.stringify(asked.subject),
        asked.request,
        JSON.stringify(asked.requirements),
        asked.rules,
        now,
        now + timeoutMs,
        JSON.stringify(asked.waiter),
      );
      const approval = findApproval(tx, id)!;
      tell(tx, 'approval.requested', approval, now, {
        'toolgate.approval.digest': approval.digest,
        'toolgate.approval.decide_by': approval.decideBy,
        'toolgate.approval.requirements': approval.requirements,
      });
      return { kind: 'open', approval, known: false };
    },

    answer: (tx, id, answer, { requirements, entries }, now) => {
      const approval = current(tx, id, now);
      if (approval === null) return null;
      if (approval.state !== 'open') return { kind: 'too late', approval };
      const asked = requirementsFor(answer.voter, requirements, entries);
      if (asked.length === 0)
        return { kind: 'refused', why: 'you are not among the reviewers of this request', approval };
      if (
        answer.verdict === 'approve' &&
        asked.some(({ reasonRequired }) => reasonRequired) &&
        !hasReason(answer.reason)
      )
        return {
          kind: 'refused',
          why: `the policy "${asked.find(({ reasonRequired }) => reasonRequired)!.policy}" wants a reason`,
          approval,
        };
      // Who has approved may still deny while it is open; nothing else is said twice.
      const first = tx.run(
        `INSERT INTO votes (approval_id, voter, verdict, channel, reason, at) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (approval_id, voter) DO UPDATE SET verdict = excluded.verdict, channel = excluded.channel, reason = excluded.reason, at = excluded.at
         WHERE excluded.verdict = 'deny'`,
        id,
        answer.voter,
        answer.verdict,
        answer.channel,
        answer.reason,
        now,
      );
      if (first === 0) return { kind: 'too late', approval };
      const votes = votesOf(tx, id);
      const by = {
        'toolgate.approval.by': answer.voter,
        'toolgate.channel': answer.channel,
        ...(answer.reason !== null && { 'toolgate.approval.reason': answer.reason }),
        'toolgate.approval.after_ms': now - approval.createdAt,
      };
      if (answer.verdict === 'deny') {
        if (!move(tx, approval, 'denied', now, `denied by ${voterName(answer.voter)}`))
          return { kind: 'too late', approval: findApproval(tx, id)! };
        tell(tx, 'approval.denied', approval, now, by);
      } else if (progressOf(requirements, votes, entries).every(({ met }) => met)) {
        const runWithinMs = Math.min(...requirements.map((each) => each.runWithinMs));
        if (!move(tx, approval, 'approved', now, null, now + runWithinMs))
          return { kind: 'too late', approval: findApproval(tx, id)! };
        tell(tx, 'approval.approved', approval, now, by);
      } else tell(tx, 'approval.voted', approval, now, by);
      tx.run('UPDATE approvals SET requirements = ? WHERE id = ?', JSON.stringify(requirements), id);
      return { kind: 'answered', approval: findApproval(tx, id)! };
    },

    use: (tx, id, now) => {
      const approval = current(tx, id, now);
      if (approval === null || approval.state !== 'approved' || approval.request === null) return null;
      if (!move(tx, approval, 'used', now, null)) return null;
      tell(tx, 'approval.used', approval, now);
      return approval;
    },

    end: (tx, id, why, now) => {
      const approval = current(tx, id, now);
      return approval === null || hasEnded(approval.state) ? null : end(tx, approval, 'denied', why, now);
    },

    allow: (tx, id, now) => {
      const approval = current(tx, id, now);
      if (approval === null || approval.state !== 'open') return null;
      const runWithinMs = Math.min(...approval.requirements.map((each) => each.runWithinMs));
      if (!move(tx, approval, 'approved', now, null, now + runWithinMs)) return null;
      tell(tx, 'approval.approved', approval, now, {
        'toolgate.approval.by': 'the rules',
        'toolgate.channel': 'rules',
      });
      return findApproval(tx, id);
    },

    renew: (tx, id, requirements, rules) => {
      tx.run(
        "UPDATE approvals SET requirements = ?, rules = ? WHERE id = ? AND state = 'open'",
        JSON.stringify(requirements),
        rules,
        id,
      );
    },

    leave: (tx, id, callId) => {
      tx.run("UPDATE approvals SET waiter = NULL WHERE id = ? AND waiter ->> '$.callId' = ?", id, callId);
    },
  };
}

const CLOCK_WHY = {
  expired: 'nobody decided in time',
  lapsed: 'approved, and not used in time',
} as const;

/** `os:alice` and `key:alice` as people read it. */
export function voterName(voter: string): string {
  return voter.replace(/^(os|key):@?/, '');
}

/** Four letters while they are free: there are at most 50 open ones. */
function freeCode(tx: Transaction): string {
  for (;;) {
    const code = codeOf(randomBytes(4));
    if (tx.get("SELECT 1 FROM approvals WHERE code = ? AND state IN ('open', 'approved')", code) === undefined)
      return code;
  }
}

export function findApproval(tx: Transaction, id: string): Approval | null {
  const row = tx.get<Row>('SELECT * FROM approvals WHERE id = ?', id);
  return row === undefined ? null : read(tx, row);
}

/** By its code the live one, or else the latest that had it; by its id any. */
export function findByCode(tx: Transaction, code: string): Approval | null {
  const row = tx.get<Row>(
    "SELECT * FROM approvals WHERE code = ? OR id = ? ORDER BY state IN ('open', 'approved') DESC, id DESC LIMIT 1",
    code,
    code,
  );
  return row === undefined ? null : read(tx, row);
}

/** The live ones, oldest first. */
export function liveApprovals(tx: Transaction): Approval[] {
  return tx
    .all<Row>("SELECT * FROM approvals WHERE state IN ('open', 'approved') ORDER BY id")
    .map((row) => read(tx, row));
}

/** Those that have ended, newest first. `before` is an id, for the next page. */
export function endedApprovals(tx: Transaction, limit: number, before: string | null = null): Approval[] {
  return tx
    .all<Row>(
      "SELECT * FROM approvals WHERE state NOT IN ('open', 'approved') AND id < ? ORDER BY id DESC LIMIT ?",
      before ?? '~',
      limit,
    )
    .map((row) => read(tx, row));
}

/** How many are open, and when the next live one is over. */
export function openApprovals(tx: Transaction): { count: number; nextEnd: number | null } {
  return tx.get<{ count: number; nextEnd: number | null }>(
    `SELECT count(*) FILTER (WHERE state = 'open') AS count, min(CASE state WHEN 'open' THEN decide_by ELSE run_by END) AS nextEnd
     FROM approvals WHERE state IN ('open', 'approved')`,
  )!;
}

function liveOf(tx: Transaction, digest: string): Approval[] {
  return tx
    .all<Row>("SELECT * FROM approvals WHERE digest = ? AND state IN ('open', 'approved') ORDER BY id", digest)
    .map((row) => read(tx, row));
}

function votesOf(tx: Transaction, id: string): Vote[] {
  return tx.all<Vote>(
    'SELECT voter, verdict, channel, reason, at FROM votes WHERE approval_id = ? ORDER BY at, voter',
    id,
  );
}

interface Row {
  readonly id: string;
  readonly code: string;
  readonly digest: string;
  readonly state: ApprovalState;
  readonly session: string;
  readonly call_id: string;
  readonly subject: string;
  readonly request: string | null;
  readonly requirements: string;
  readonly rules: string;
  readonly created_at: number;
  readonly decide_by: number;
  readonly decided_at: number | null;
  readonly run_by: number | null;
  readonly ended_at: number | null;
  readonly ended_why: string | null;
  readonly waiter: string | null;
}

function read(tx: Transaction, row: Row): Approval {
  return {
    id: row.id,
    code: row.code,
    digest: row.digest,
    state: row.state,
    session: row.session,
    callId: row.call_id,
    subject: JSON.parse(row.subject),
    request: row.request,
    requirements: JSON.parse(row.requirements),
    rules: row.rules,
    createdAt: row.created_at,
    decideBy: row.decide_by,
    decidedAt: row.decided_at,
    runBy: row.run_by,
    endedAt: row.ended_at,
    endedWhy: row.ended_why,
    waiter: row.waiter === null ? null : JSON.parse(row.waiter),
    votes: votesOf(tx, row.id),
  };
}
