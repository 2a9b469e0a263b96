/**
 * The words of an approval, and the rules that need no store. Pure.
 *
 *   open      waits for a decision until `decideBy`       → approved, denied, expired
 *   approved  may run once until `runBy`                  → used, denied (the rules block it now), lapsed
 *   used      its request was forwarded, or was about to be
 *   denied    by a reviewer, or by the rules when it was judged again
 *   expired   nobody decided in time
 *   lapsed    approved, not used in time
 *
 * That nobody is waiting is shown, and is no state.
 */
import type { Agent, Door, JsonObject, Operation, Remember, Requirement, ReviewStatus, Surroundings } from '../call.ts';
import { sha256 } from '../digest.ts';
import type { ReviewerEntries } from './reviewers.ts';

export const APPROVAL_STATES = ['open', 'approved', 'used', 'denied', 'expired', 'lapsed'] as const;
export type ApprovalState = (typeof APPROVAL_STATES)[number];

export type Verdict = 'approve' | 'deny';

/** Where an answer was given. `rules`: nobody was asked, the rules have changed. */
export type AnswerChannel = 'console' | 'desktop' | 'command line' | 'slack' | 'rules';

/** One person's answer. */
export interface Vote {
  /** `os:<user>` or `key:<reviewer>` */
  readonly voter: string;
  readonly verdict: Verdict;
  readonly channel: AnswerChannel;
  readonly reason: string | null;
  /** what the yes shall count for beside this call, by policy, as it was offered when it was given; null: for nothing */
  readonly remember: Readonly<Record<string, Remember>> | null;
  readonly at: number;
}

/** What people are shown of a request; secrets are masked, and it is kept when the approval has ended. */
export interface Subject {
  readonly agent: Omit<Agent, 'status'>;
  readonly surroundings: Surroundings;
  readonly via: Door;
  readonly method: string | null;
  readonly server: string | null;
  readonly integration: string;
  /** canonical title */
  readonly tool: string;
  readonly calledName: string;
  readonly operation: Operation | null;
  readonly definitionHash: string | null;
  /** fingerprint of how its server is started */
  readonly launch: string;
  readonly agentStatus: ReviewStatus;
  readonly toolStatus: ReviewStatus;
  /** masked and bounded; `complete` if nothing was */
  readonly arguments: unknown;
  readonly complete: boolean;
  /** why a person is asked: each policy with its conditions, as `policy explain` words them */
  readonly policies: readonly JsonObject[];
}

export interface Approval {
  readonly id: string;
  /** short, for people; never a credential */
  readonly code: string;
  readonly digest: string;
  readonly state: ApprovalState;
  readonly session: string;
  readonly callId: string;
  readonly subject: Subject;
  /** the exact params as JSON text; null once it has ended */
  readonly request: string | null;
  readonly requirements: readonly Requirement[];
  /** hash of the rules that asked */
  readonly rules: string;
  readonly createdAt: number;
  readonly decideBy: number;
  readonly decidedAt: number | null;
  readonly runBy: number | null;
  readonly endedAt: number | null;
  /** who or what ended it, in words */
  readonly endedWhy: string | null;
  readonly gate: ProcessRef | null;
  readonly waiter: Waiter | null;
  /** names the config folder whose rules asked */
  readonly config: string;
  /** the reviewers of those rules */
  readonly reviewers: ReviewerEntries;
  readonly votes: readonly Vote[];
}

/** A process, and not another under its number. */
export interface ProcessRef {
  readonly pid: number;
  readonly startedAt: string | null;
}

/** The call that waits: of which process, and which of its calls. */
export interface Waiter extends ProcessRef {
  readonly callId: string;
}

/** What one approval is bound to: change any of it, and it is another question. */
export interface Bound {
  readonly agentId: string;
  readonly agentStrength: string;
  readonly session: string;
  /** of the server's launch: command, arguments, environment, or URL and headers */
  readonly launch: string;
  readonly method: string;
  readonly definitionHash: string | null;
  /** the params as they would be sent, but for `_meta`, which changes with every call */
  readonly request: string;
}

const DIGEST_VERSION = 'toolgate approval 1';

/** `key` is the store's own: the digest of a short secret can't be guessed. */
export function approvalDigest(bound: Bound, key: string): string {
  return sha256(
    JSON.stringify([
      DIGEST_VERSION,
      key,
      bound.agentId,
      bound.agentStrength,
      bound.session,
      bound.launch,
      bound.method,
      bound.definitionHash,
      bound.request,
    ]),
  );
}

/** A wall clock may be set back by this much before times that lie ahead are not believed. */
const SKEW_MS = 60_000;

/** What has become of an approval at this moment, by the clock alone. A clock that was set back fails closed. */
export function clockState(
  approval: Pick<Approval, 'state' | 'createdAt' | 'decideBy' | 'decidedAt' | 'runBy'>,
  now: number,
): ApprovalState {
  const { state, createdAt, decideBy, decidedAt, runBy } = approval;
  if (state === 'open' && (now > decideBy || now < createdAt - SKEW_MS)) return 'expired';
  if (state === 'approved' && (now > (runBy ?? 0) || now < (decidedAt ?? 0) - SKEW_MS)) return 'lapsed';
  return state;
}

export function hasEnded(state: ApprovalState): boolean {
  return state !== 'open' && state !== 'approved';
}

/** The connection that asked has ended: nothing could use an answer any more. */
export const CONNECTION_ENDED = 'the connection of its agent has ended';

/** How an approval stands, in the words of every page and command. */
export function stateWords({ state, endedWhy, votes }: Pick<Approval, 'state' | 'endedWhy' | 'votes'>): string {
  switch (state) {
    case 'open':
      return votes.length > 0 ? 'partly approved' : 'waiting';
    case 'approved':
      return 'approved';
    case 'used':
      return 'approved, used';
    case 'denied':
      return votes.some(({ verdict }) => verdict === 'deny') ? 'denied' : 'ended by the rules';
    case 'expired':
      return endedWhy === CONNECTION_ENDED ? 'agent left' : 'expired';
    case 'lapsed':
      return endedWhy === CONNECTION_ENDED ? 'approved, agent left' : 'approved, not used';
  }
}

/** A code as people type it: any case, and the letters that look like digits. */
export function readCode(typed: string): string {
  return typed.trim().toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1');
}
