/**
 * Remembered approvals: a reviewer said yes for more than the one call, where the policy offers that. A grant stands for
 * the answer to one policy, for one agent and one tool, and never grows: it ends with its time, with its session, with
 * any change of the rules or of the tool's definition, and when somebody takes it back.
 */
import type { IdentityStrength, Remember, Requirement, ReviewStatus } from '../call.ts';
import { durationText } from '../duration.ts';
import { newId } from '../ids.ts';
import type { Transaction } from '../store/store.ts';
import type { Approval, Vote } from './approval.ts';
import { personBehind, personsOf, voterName } from './reviewers.ts';

/** Everything of a call that a grant holds on to. */
export interface GrantedCall {
  readonly agentId: string;
  readonly agentStrength: IdentityStrength;
  readonly agentStatus: ReviewStatus;
  readonly method: string | null;
  readonly server: string | null;
  readonly calledName: string;
  readonly toolStatus: ReviewStatus;
  readonly definitionHash: string | null;
  /** fingerprint of how its server is started */
  readonly launch: string;
  readonly session: string;
  readonly digest: string;
  /** hash of the rules */
  readonly rules: string;
  /** names the config folder */
  readonly config: string;
}

export interface Grant {
  readonly id: string;
  readonly policy: string;
  readonly approvalId: string;
  /** in words: whose calls of what */
  readonly covers: string;
  readonly grantedBy: string;
  readonly createdAt: number;
  /** null: not by the clock */
  readonly until: number | null;
}

/** A clock that was set back lengthens nothing. */
const CLOCK_SLACK_MS = 60_000;

/** What a reviewer is offered, in words that go on from "remember". */
export function rememberWords(remember: Remember): string {
  switch (remember.kind) {
    case 'call':
      return 'for this session, for exactly these arguments';
    case 'for':
      return `for ${durationText(remember.ms)}, whatever its arguments`;
    case 'session':
      return 'for this session, whatever its arguments';
    case 'until reviewed':
      return 'until the tool or the agent is reviewed, whatever its arguments';
  }
}

/** The requirements that no grant stands for, and the grants that stand for the others. */
export function withoutGranted(
  tx: Transaction,
  requirements: readonly Requirement[],
  call: GrantedCall,
  now: number,
): { readonly left: readonly Requirement[]; readonly grants: readonly string[] } {
  const left: Requirement[] = [];
  const grants: string[] = [];
  for (const requirement of requirements) {
    const grant = requirement.remember === null ? null : findGrant(tx, requirement, call, now);
    if (grant === null) left.push(requirement);
    else grants.push(grant);
  }
  return { left, grants };
}

function findGrant(tx: Transaction, { policy, remember }: Requirement, call: GrantedCall, now: number): string | null {
  const found = tx.get<{ id: string }>(
    `SELECT id FROM grants WHERE policy = ? AND kind = ? AND ended_at IS NULL AND created_at <= ? AND (until IS NULL OR until > ?)
       AND agent_id = ? AND agent_strength = ? AND method IS ? AND server IS ? AND called_name = ? AND definition_hash IS ? AND launch = ?
       AND rules = ? AND config = ?
       AND (kind NOT IN ('session', 'call') OR session = ?) AND (kind <> 'call' OR digest = ?)
       AND (kind <> 'until reviewed' OR (tool_status = ? AND agent_status = ?))`,
    policy,
    remember!.kind,
    now + CLOCK_SLACK_MS,
    now,
    call.agentId,
    call.agentStrength,
    call.method,
    call.server,
    call.calledName,
    call.definitionHash,
    call.launch,
    call.rules,
    call.config,
    call.session,
    call.digest,
    call.toolStatus,
    call.agentStatus,
  );
  return found?.id ?? null;
}

/** Of an approval that has just been given: a grant for each policy that offers it, if all whose yes counted want it. */
export function grantRemembered(tx: Transaction, approval: Approval, now: number): readonly Grant[] {
  const { subject } = approval;
  const grants: Grant[] = [];
  for (const requirement of approval.requirements) {
    const { remember, policy } = requirement;
    const persons = personsOf(requirement.reviewers, approval.reviewers);
    const votes = approval.votes.filter(
      ({ verdict, voter }) => verdict === 'approve' && personBehind(voter, persons) !== null,
    );
    // What is offered by now was perhaps not what somebody said yes to.
    const wanted = (vote: Vote) => JSON.stringify(vote.remember?.[policy]) === JSON.stringify(remember);
    if (remember === null || votes.length === 0 || !votes.every(wanted)) continue;
    const grant: Grant = {
      id: newId(now),
      policy,
      approvalId: approval.id,
      covers: `${subject.integration} · ${subject.tool} by ${subject.agent.name}, ${rememberWords(remember)}`,
      grantedBy: votes.map(({ voter }) => voterName(voter)).join(', '),
      createdAt: now,
      until: remember.kind === 'for' ? now + remember.ms : null,
    };
    tx.run(
      `INSERT INTO grants (id, policy, kind, approval_id, covers, granted_by, created_at, until, agent_id, agent_strength, agent_status,
         method, server, called_name, tool_status, definition_hash, launch, session, digest, rules, config)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      grant.id,
      policy,
      remember.kind,
      approval.id,
      grant.covers,
      grant.grantedBy,
      now,
      grant.until,
      subject.agent.id,
      subject.agent.strength,
      subject.agentStatus,
      subject.method,
      subject.server,
      subject.calledName,
      subject.toolStatus,
      subject.definitionHash,
      subject.launch,
      approval.session,
      approval.digest,
      approval.rules,
      approval.config,
    );
    grants.push(grant);
  }
  return grants;
}

/** Those that may still count under these rules; newest first. */
export function listGrants(tx: Transaction, rules: string, config: string, now: number): Grant[] {
  return tx.all<Grant>(
    `SELECT id, policy, approval_id AS approvalId, covers, granted_by AS grantedBy, created_at AS createdAt, until FROM grants
     WHERE ended_at IS NULL AND rules = ? AND config = ? AND created_at <= ? AND (until IS NULL OR until > ?) ORDER BY id DESC`,
    rules,
    config,
    now + CLOCK_SLACK_MS,
    now,
  );
}

/** Takes one back; null if there is none that counts. */
export function revokeGrant(tx: Transaction, id: string, now: number): Grant | null {
  const grant = tx.get<Grant>(
    'SELECT id, policy, approval_id AS approvalId, covers, granted_by AS grantedBy, created_at AS createdAt, until FROM grants WHERE id = ? AND ended_at IS NULL',
    id,
  );
  if (grant === undefined) return null;
  tx.run('UPDATE grants SET ended_at = ? WHERE id = ?', now, id);
  return grant;
}
