/** What the console's pages get: approvals as people need them, calls as they are looked back on. */
import { type Approval, stateWords } from '../approvals/approval.ts';
import { rememberWords } from '../approvals/grants.ts';
import { readableRequest } from '../approvals/request.ts';
import { askOf, type Progress, progressOf, reviewerName, voterName } from '../approvals/reviewers.ts';
import type { StoredEvent } from '../audit/events.ts';
import { sha256 } from '../digest.ts';

/** One line of the list. */
export function approvalLine(approval: Approval, waiting: boolean) {
  const { subject } = approval;
  return {
    id: approval.id,
    code: approval.code,
    state: approval.state,
    words: stateWords(approval),
    agent: subject.agent.name,
    strength: subject.agent.strength,
    integration: subject.integration,
    tool: subject.tool,
    operation: subject.operation,
    via: subject.via,
    preview: JSON.stringify(subject.arguments).slice(0, 400),
    policies: approval.requirements.map(({ policy }) => policy),
    createdAt: approval.createdAt,
    decideBy: approval.decideBy,
    runBy: approval.runBy,
    endedAt: approval.endedAt,
    endedWhy: approval.endedWhy,
    waiting,
    votes: approval.votes.map(({ voter, verdict, channel, reason, at }) => ({
      by: voterName(voter),
      verdict,
      channel,
      reason,
      at,
    })),
    progress: progressOf(approval.requirements, approval.votes, approval.reviewers).map(progressLine),
  };
}

function progressLine({ requirement, persons, approvedBy, met }: Progress) {
  return {
    policy: requirement.policy,
    needed: requirement.approvals,
    reviewers: requirement.reviewers.map(reviewerName),
    persons: persons.map(({ id }) => ({ name: reviewerName(id), approved: approvedBy.includes(id) })),
    reasonRequired: requirement.reasonRequired,
    met,
  };
}

/** Everything of one: the exact request while it is open, what was kept of it after. */
export function approvalDetail(approval: Approval, waiting: boolean, voter: string) {
  const { subject, request } = approval;
  const ask = askOf(voter, approval);
  return {
    ...approvalLine(approval, waiting),
    calledName: subject.calledName,
    server: subject.server,
    method: subject.method,
    digest: approval.digest.slice(0, 12),
    arguments: readableRequest(approval),
    bytes: request === null ? null : Buffer.byteLength(request),
    sha256: request === null ? null : sha256(request).slice(0, 12),
    masked: request === null,
    policyDetail: subject.policies,
    callId: approval.callId,
    /** whether who looks at it may answer, and what is asked of them */
    mayAnswer: approval.state === 'open' && ask.asked && !ask.hasApproved,
    reasonRequired: ask.wantsReason !== null,
    /** what the yes may be remembered for, in words; null if no policy offers it */
    remember: ask.offers.length === 0 ? null : [...new Set(ask.offers.map(rememberWords))].join('; and '),
  };
}

/** One decided call, with how it ended if it has. */
export function activityLine(decided: StoredEvent, completed: StoredEvent | undefined) {
  const { body } = decided;
  const text = (key: string) => (body[key] === undefined || body[key] === null ? null : String(body[key]));
  return {
    seq: decided.seq,
    callId: body.call_id ?? null,
    at: body.ts,
    agent: text('gen_ai.agent.name'),
    strength: text('toolgate.agent.strength'),
    via: text('toolgate.via'),
    server: text('toolgate.server'),
    integration: text('toolgate.integration'),
    tool: text('toolgate.tool.title'),
    calledName: text('gen_ai.tool.name'),
    operation: text('toolgate.operation'),
    decision: text('toolgate.policy.decision'),
    would: text('toolgate.policy.would'),
    policy: text('toolgate.policy.name'),
    refused: text('toolgate.refused'),
    approval: text('toolgate.approval.id'),
    alerts: Array.isArray(body['toolgate.alerts']) ? (body['toolgate.alerts'] as string[]) : [],
    status: completed === undefined ? null : String(completed.body['toolgate.status']),
    error: completed?.body['error.type'] === undefined ? null : String(completed.body['error.type']),
    durationMs: completed === undefined ? null : Number(completed.body['toolgate.duration_ms']),
  };
}

/** Why a call was judged so: all that is recorded of it. */
export function activityDetail(events: readonly StoredEvent[]) {
  const decided = events.find(({ body }) => body.type === 'call.decided');
  if (decided === undefined) return null;
  const { body } = decided;
  return {
    ...activityLine(
      decided,
      events.find(({ body: each }) => each.type === 'call.completed'),
    ),
    toolStatus: body['toolgate.tool.status'] ?? null,
    source: body['toolgate.operation.source'] ?? null,
    arguments: JSON.stringify(body['gen_ai.tool.call.arguments'] ?? {}, null, 2),
    reasons: body['toolgate.policy.reasons'] ?? [],
    rules: String(body['toolgate.rules'] ?? '').slice(0, 12),
    evaluationUs: body['toolgate.evaluation_us'] ?? null,
    events: events.map(({ seq, body: each }) => ({
      seq,
      type: each.type,
      at: each.ts,
      by: each['toolgate.approval.by'] === undefined ? null : voterName(String(each['toolgate.approval.by'])),
      channel: each['toolgate.channel'] ?? null,
      reason: each['toolgate.approval.reason'] ?? each['toolgate.approval.why'] ?? null,
    })),
  };
}
