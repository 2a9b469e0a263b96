/**
 * The approvals of a store: asked, answered, used, ended. Each change is one compare-and-set in the transaction of the
 * caller, together with its event; whoever comes second, in whatever process, finds it done.
 */
import type { Remember, Requirement } from '../call.ts';
import { keepExact } from '../exact.ts';
import { newCode, newId } from '../ids.ts';
import { oncePerKey } from '../once.ts';
import type { Transaction } from '../store/store.ts';
import {
  type AnswerChannel,
  type Approval,
  type ApprovalState,
  CONNECTION_ENDED,
  clockState,
  hasEnded,
  type ProcessRef,
  type Subject,
  type Verdict,
  type Vote,
  type Waiter,
} from './approval.ts';
import { type Grant, grantRemembered, revokeGrant } from './grants.ts';
import {
  ANSWERED_ALREADY,
  askOf,
  hasReason,
  NOT_ASKED,
  progressOf,
  type ReviewerEntries,
  voterName,
} from './reviewers.ts';

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
    | 'approval.lapsed'
    | 'approval.remembered'
    | 'approval.revoked';
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
  readonly gate: ProcessRef | null;
  readonly waiter: Waiter;
  readonly config: string;
  readonly reviewers: ReviewerEntries;
}

/** What the rules ask for at this moment. */
export interface InForce {
  readonly requirements: readonly Requirement[];
  readonly reviewers: ReviewerEntries;
}

/** Which processes still live. */
export interface Lives {
  readonly isWaiting: (waiter: Waiter) => boolean;
  readonly isRunning: (gate: ProcessRef) => boolean;
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
  /** a yes shall count for more than this call, as far as the policies offer it */
  readonly remember?: boolean;
}

export type Answered =
  | { readonly kind: 'answered'; readonly approval: Approval }
  /** it had ended, or this voter had already spoken; the approval shows how it stands */
  | { readonly kind: 'too late'; readonly approval: Approval }
  | { readonly kind: 'refused'; readonly why: string; readonly approval: Approval };

export interface Book {
  /** `decided` writes the event of the decision, once it is known what comes of the question and before its own event. */
  readonly ask: (
    tx: Transaction,
    asked: NewApproval,
    now: number,
    decided: (outcome: { readonly approval: string } | { readonly refused: string }) => void,
  ) => Asked;
  /** `inForce` is null where only the rules that asked are known. */
  readonly answer: (
    tx: Transaction,
    id: string,
    answer: Answer,
    inForce: InForce | null,
    now: number,
  ) => Answered | null;
  /** Approved → used, by this call. Null if another was faster, or its time is over. Commit it durably before forwarding. */
  readonly use: (tx: Transaction, id: string, callId: string, now: number) => Approval | null;
  /** The rules no longer ask, or no longer allow: ends an open or approved one. Null if it had ended. */
  readonly end: (tx: Transaction, id: string, why: string, now: number) => Approval | null;
  /** The rules allow it now: an open one is approved by them, as if nobody had to be asked. */
  readonly allow: (tx: Transaction, id: string, now: number) => Approval | null;
  /** The rules ask others by now, or less: then what was answered may be enough. */
  readonly renew: (tx: Transaction, id: string, inForce: InForce, rules: string, now: number) => void;
  /** The call no longer waits; the question stays open. */
  readonly leave: (tx: Transaction, id: string, callId: string) => void;
  /** A remembered approval counts no longer. Null if it didn't. */
  readonly revoke: (tx: Transaction, grantId: string, by: string, now: number) => Grant | null;
  /** Ends what is over by the clock, and what no connection can use any more. */
  readonly sweep: (tx: Transaction, now: number) => void;
  /** Whether there is anything to sweep. */
  readonly isOverdue: (tx: Transaction, now: number) => boolean;
}

/** `record` writes events in the same transaction. */
export function createBook(record: (tx: Transaction, events: readonly ApprovalEvent[]) => void, lives: Lives): Book {
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

  /** Why a live one is over; null while it isn't. */
  const overWhy = (approval: Approval, now: number): string | null => {
    const state = clockState(approval, now);
    if (state === 'expired' || state === 'lapsed') return CLOCK_WHY[state];
    return approval.gate === null || lives.isRunning(approval.gate) ? null : CONNECTION_ENDED;
  };

  /** The row as it stands, ended if its time is over or its connection has. */
  const current = (tx: Transaction, id: string, now: number): Approval | null => {
    const approval = findApproval(tx, id);
    if (approval === null || hasEnded(approval.state)) return approval;
    const why = overWhy(approval, now);
    return why === null ? approval : end(tx, approval, approval.state === 'open' ? 'expired' : 'lapsed', why, now);
  };

  /** Takes over what the rules ask for now; a shorter time counts at once. */
  const renew: Book['renew'] = (tx, id, { requirements, reviewers }, rules, now) => {
    const before = current(tx, id, now);
    if (before === null || before.state !== 'open') return;
    tx.run(
      'UPDATE approvals SET requirements = ?, reviewers = ?, rules = ?, decide_by = min(decide_by, ?) WHERE id = ?',
      JSON.stringify(requirements),
      JSON.stringify(reviewers),
      rules,
      before.createdAt + Math.min(...requirements.map((each) => each.timeoutMs)),
      id,
    );
    const approval = current(tx, id, now);
    if (approval?.state === 'open') approveIfMet(tx, approval, now, { 'toolgate.channel': 'rules' });
  };

  /** Open → approved; from now on it may run for the shortest time that a requirement gives. False if it was not open. */
  const approve = (tx: Transaction, approval: Approval, now: number, by: Record<string, unknown>): boolean => {
    const runWithinMs = Math.min(...approval.requirements.map((each) => each.runWithinMs));
    if (!move(tx, approval, 'approved', now, null, now + runWithinMs)) return false;
    tell(tx, 'approval.approved', approval, now, by);
    for (const { id, policy, covers, grantedBy, until } of grantRemembered(tx, approval, now))
      tell(tx, 'approval.remembered', approval, now, {
        'toolgate.grant.id': id,
        'toolgate.policy.name': policy,
        'toolgate.grant.covers': covers,
        'toolgate.approval.by': grantedBy,
        ...(until !== null && { 'toolgate.grant.until': until }),
      });
    return true;
  };

  /** Approved once every requirement is met; says whether it is. */
  const approveIfMet = (tx: Transaction, approval: Approval, now: number, by: Record<string, unknown>): boolean =>
    progressOf(approval.requirements, approval.votes, approval.reviewers).every(({ met }) => met) &&
    approve(tx, approval, now, by);

  /** The live ones that are over. Each question looks at all of them: so only at what tells, and once at each connection. */
  const overdue = (tx: Transaction, now: number): string[] => {
    const isRunning = oncePerKey((gate) => lives.isRunning(JSON.parse(gate)));
    return tx
      .all<Over>(
        `SELECT id, state, created_at AS createdAt, decide_by AS decideBy, decided_at AS decidedAt, run_by AS runBy, gate
         FROM approvals WHERE state IN ('open', 'approved')`,
      )
      .filter((each) => hasEnded(clockState(each, now)) || (each.gate !== 'null' && !isRunning(each.gate)))
      .map(({ id }) => id);
  };

  const sweep: Book['sweep'] = (tx, now) => {
    for (const id of overdue(tx, now)) current(tx, id, now);
  };

  return {
    sweep,

    isOverdue: (tx, now) => overdue(tx, now).length > 0,

    renew,

    ask: (tx, asked, now, decided) => {
      const refused = (why: string): Asked => {
        decided({ refused: why });
        return { kind: 'refused', why };
      };
      sweep(tx, now);
      const same = liveOf(tx, asked.digest).filter(({ waiter }) => waiter === null || !lives.isWaiting(waiter));
      const [known] = [...same.filter(({ state }) => state === 'approved'), ...same];
      if (known !== undefined) {
        decided({ approval: known.id });
        if (known.state === 'approved') return { kind: 'approved', approval: known };
        tx.run('UPDATE approvals SET waiter = ? WHERE id = ?', JSON.stringify(asked.waiter), known.id);
        renew(tx, known.id, asked, asked.rules, now);
        const approval = findApproval(tx, known.id)!;
        return approval.state === 'approved' ? { kind: 'approved', approval } : { kind: 'open', approval, known: true };
      }
      if (Buffer.byteLength(asked.request) > MAX_REQUEST_BYTES)
        return refused(
          `the request is longer than ${MAX_REQUEST_BYTES / 1024 / 1024} MiB, too long for a person to judge`,
        );
      const count = (where: string, ...values: string[]) =>
        tx.get<{ n: number }>(`SELECT count(*) AS n FROM approvals WHERE state = 'open'${where}`, ...values)!.n;
      if (count(' AND session = ?', asked.session) >= MAX_OPEN_PER_SESSION)
        return refused(`too many pending: ${MAX_OPEN_PER_SESSION} calls of this connection already wait for a person`);
      if (count('') >= MAX_OPEN) return refused(`too many pending: ${MAX_OPEN} calls already wait for a person`);
      const id = newId(now);
      const timeoutMs = Math.min(...asked.requirements.map((each) => each.timeoutMs));
      tx.run(
        `INSERT INTO approvals (id, code, digest, state, session, call_id, subject, request, requirements, rules, created_at, decide_by, gate, waiter, config, reviewers)
         VALUES (?, ?, ?, 'open', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
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
        JSON.stringify(asked.gate),
        JSON.stringify(asked.waiter),
        asked.config,
        JSON.stringify(asked.reviewers),
      );
      const approval = findApproval(tx, id)!;
      decided({ approval: id });
      tell(tx, 'approval.requested', approval, now, {
        'toolgate.approval.digest': approval.digest,
        'toolgate.approval.decide_by': approval.decideBy,
        'toolgate.approval.requirements': approval.requirements,
      });
      return { kind: 'open', approval, known: false };
    },

    answer: (tx, id, answer, inForce, now) => {
      const before = current(tx, id, now);
      if (before === null) return null;
      if (before.state !== 'open') return { kind: 'too late', approval: before };
      if (inForce !== null) renew(tx, id, inForce, before.rules, now);
      const approval = findApproval(tx, id)!;
      // With what the rules ask for now, the answers of others may have been enough.
      if (approval.state !== 'open') return { kind: 'too late', approval };
      const refused = (why: string): Answered => ({ kind: 'refused', why, approval });
      const ask = askOf(answer.voter, approval);
      if (!ask.asked) return refused(NOT_ASKED);
      const reason = hasReason(answer.reason) ? answer.reason : null;
      if (answer.verdict === 'approve' && ask.wantsReason !== null && reason === null)
        return refused(`the policy "${ask.wantsReason}" wants a reason`);
      if (answer.remember === true && answer.verdict === 'approve' && ask.offers.length === 0)
        return refused('no policy of this request offers to remember: it can be approved once');
      // Who has approved may still deny while it is open, or add the reason that is wanted by now.
      const counted = tx.run(
        `INSERT INTO votes (approval_id, voter, verdict, channel, reason, at, remember) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (approval_id, voter) DO UPDATE SET verdict = excluded.verdict, channel = excluded.channel, reason = excluded.reason, at = excluded.at, remember = excluded.remember
         WHERE excluded.verdict = 'deny' OR (votes.reason IS NULL AND excluded.reason IS NOT NULL)`,
        id,
        answer.voter,
        answer.verdict,
        answer.channel,
        reason,
        now,
        answer.verdict === 'approve' && answer.remember === true ? JSON.stringify(offered(approval)) : null,
      );
      if (counted === 0) return refused(ANSWERED_ALREADY);
      const by = {
        'toolgate.approval.by': answer.voter,
        'toolgate.channel': answer.channel,
        ...(reason !== null && { 'toolgate.approval.reason': reason }),
        'toolgate.approval.after_ms': now - approval.createdAt,
      };
      const voted = findApproval(tx, id)!;
      if (answer.verdict === 'deny') {
        if (move(tx, voted, 'denied', now, `denied by ${voterName(answer.voter)}`))
          tell(tx, 'approval.denied', voted, now, by);
      } else if (!approveIfMet(tx, voted, now, by)) tell(tx, 'approval.voted', voted, now, by);
      return { kind: 'answered', approval: findApproval(tx, id)! };
    },

    use: (tx, id, callId, now) => {
      const approval = current(tx, id, now);
      if (approval === null || approval.state !== 'approved' || approval.request === null) return null;
      if (!move(tx, approval, 'used', now, null)) return null;
      // From now on it belongs to the call that ran, which may be a repeat of the one that asked.
      tx.run('UPDATE approvals SET call_id = ? WHERE id = ?', callId, id);
      tell(tx, 'approval.used', { ...approval, callId }, now);
      return approval;
    },

    end: (tx, id, why, now) => {
      const approval = current(tx, id, now);
      return approval === null || hasEnded(approval.state) ? null : end(tx, approval, 'denied', why, now);
    },

    allow: (tx, id, now) => {
      const approval = current(tx, id, now);
      if (approval === null || approval.state !== 'open') return null;
      const by = { 'toolgate.approval.by': 'the rules', 'toolgate.channel': 'rules' };
      return approve(tx, approval, now, by) ? findApproval(tx, id) : null;
    },

    revoke: (tx, grantId, by, now) => {
      const grant = revokeGrant(tx, grantId, now);
      const approval = grant === null ? null : findApproval(tx, grant.approvalId);
      if (grant !== null && approval !== null)
        tell(tx, 'approval.revoked', approval, now, {
          'toolgate.grant.id': grant.id,
          'toolgate.policy.name': grant.policy,
          'toolgate.grant.covers': grant.covers,
          'toolgate.by': by,
        });
      return grant;
    },

    leave: (tx, id, callId) => {
      tx.run("UPDATE approvals SET waiter = NULL WHERE id = ? AND waiter ->> '$.callId' = ?", id, callId);
    },
  };
}

/** What each policy offers to remember at this moment. */
function offered({ requirements }: Approval): Record<string, Remember> {
  return Object.fromEntries(
    requirements.flatMap(({ policy, remember }) => (remember === null ? [] : [[policy, remember]])),
  );
}

const CLOCK_WHY = {
  expired: 'nobody decided in time',
  lapsed: 'approved, and not used in time',
} as const;

/** Four letters while they are free: there are at most 50 open ones. */
function freeCode(tx: Transaction): string {
  for (;;) {
    const code = newCode(4);
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

/** How many are open, and when the last one ended. */
export function openApprovals(tx: Transaction): { readonly count: number; readonly lastEnded: number | null } {
  const open = tx.get<{ n: number }>("SELECT count(*) AS n FROM approvals WHERE state = 'open'")!;
  const ended = tx.get<{ last: number | null }>(
    'SELECT max(ended_at) AS last FROM approvals WHERE ended_at IS NOT NULL',
  )!;
  return { count: open.n, lastEnded: ended.last };
}

function liveOf(tx: Transaction, digest: string): Approval[] {
  return tx
    .all<Row>("SELECT * FROM approvals WHERE digest = ? AND state IN ('open', 'approved') ORDER BY id", digest)
    .map((row) => read(tx, row));
}

function votesOf(tx: Transaction, id: string): Vote[] {
  return tx
    .all<Omit<Vote, 'remember'> & { remember: string | null }>(
      'SELECT voter, verdict, channel, reason, at, remember FROM votes WHERE approval_id = ? ORDER BY at, voter',
      id,
    )
    .map((row) => ({ ...row, remember: row.remember === null ? null : JSON.parse(row.remember) }));
}

/** What of a live one tells whether it is over; `gate` is JSON. */
type Over = Pick<Approval, 'id' | 'state' | 'createdAt' | 'decideBy' | 'decidedAt' | 'runBy'> & {
  readonly gate: string;
};

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
  readonly gate: string;
  readonly waiter: string | null;
  readonly config: string;
  readonly reviewers: string;
}

function read(tx: Transaction, row: Row): Approval {
  return {
    id: row.id,
    code: row.code,
    digest: row.digest,
    state: row.state,
    session: row.session,
    callId: row.call_id,
    // Numbers that a double can't hold are shown as they would run.
    subject: JSON.parse(row.subject, keepExact),
    request: row.request,
    requirements: JSON.parse(row.requirements),
    rules: row.rules,
    createdAt: row.created_at,
    decideBy: row.decide_by,
    decidedAt: row.decided_at,
    runBy: row.run_by,
    endedAt: row.ended_at,
    endedWhy: row.ended_why,
    gate: JSON.parse(row.gate),
    waiter: row.waiter === null ? null : JSON.parse(row.waiter),
    config: row.config,
    reviewers: JSON.parse(row.reviewers),
    votes: votesOf(tx, row.id),
  };
}
