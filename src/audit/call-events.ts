/** The two events of a call: what was decided, before anything runs, and how it ended. */
import { type Call, leadingCall } from '../call.ts';
import { digestOf, sha256 } from '../digest.ts';
import type { Completion, Judged } from '../flow.ts';
import { maskedArguments } from '../mask.ts';
import { redact } from '../redact.ts';
import { bound } from './chain.ts';
import type { AuditEvent } from './events.ts';

/** What the door knows beside the judgement. */
export interface CallContext {
  readonly sessionId: string;
  /** `tools/call` and its kin; null for a command */
  readonly method: string | null;
  /** the client's own id of this use of a tool; a hook knows it */
  readonly toolUse?: string | null | undefined;
  /** key for digests of arguments, so that short secrets can't be guessed from them */
  readonly digestKey: string;
}

/** `asked`: of a call that must be approved; `refused`: why nobody was asked though a policy asks; `approval`: the question that this call waits for; `grants`: the remembered approvals by which it runs. */
export function decidedEvent(
  judged: Judged,
  context: CallContext,
  asked: { readonly refused?: string; readonly approval?: string; readonly grants?: readonly string[] } = {},
): AuditEvent {
  const { agent, decision, calls } = judged;
  const call = leadingCall(calls, decision);
  const { surroundings } = judged.gathered;
  return {
    type: 'call.decided',
    ts: judged.gathered.now,
    call_id: judged.callId,
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.agent.id': agent.id,
    'gen_ai.agent.name': agent.name,
    'toolgate.agent.strength': agent.strength,
    'toolgate.agent.status': agent.status,
    'mcp.session.id': context.sessionId,
    'toolgate.user': surroundings.user,
    'toolgate.workspaces': surroundings.workspaces,
    ...(context.method !== null && { 'mcp.method.name': context.method }),
    ...(context.toolUse != null && { 'gen_ai.tool.call.id': context.toolUse }),
    ...(call !== undefined && callFields(call, decision.redact.args, context)),
    ...(calls.length > 1 && { 'toolgate.calls': calls.map((each) => callFields(each, decision.redact.args, context)) }),
    ...(decision.redact.result.length > 0 && { 'toolgate.redacted': decision.redact.result }),
    'toolgate.policy.decision': decision.effect,
    ...(decision.would !== null && { 'toolgate.policy.would': decision.would }),
    'toolgate.policy.name': decision.deciding.policy,
    ...(decision.deciding.place !== null && { 'toolgate.policy.place': decision.deciding.place }),
    ...(asked.approval !== undefined && { 'toolgate.approval.id': asked.approval }),
    ...(asked.grants !== undefined && { 'toolgate.grants': asked.grants }),
    ...(asked.refused !== undefined && { 'toolgate.refused': asked.refused }),
    'toolgate.policy.reasons': decision.reasons.map(({ policy, action, mode, place, answer }) => ({
      policy,
      action,
      mode,
      place,
      answer,
    })),
    ...(decision.alerts.length > 0 && { 'toolgate.alerts': decision.alerts.map(({ policy }) => policy) }),
    'toolgate.rules': judged.rulesHash,
    'toolgate.evaluation_us': judged.evaluationUs,
  };
}

function callFields(call: Call, masked: readonly string[], context: CallContext): Record<string, unknown> {
  const shown = maskedArguments(call, masked);
  return {
    'gen_ai.tool.name': call.calledName,
    'toolgate.via': call.via,
    'toolgate.server': call.server,
    'toolgate.integration': call.integrations[0]?.title ?? null,
    ...(call.integrations.length > 1 && {
      'toolgate.integration.also': call.integrations.slice(1).map(({ title }) => title),
    }),
    'toolgate.tool': call.tools.map(({ id }) => id).join('|'),
    'toolgate.tool.title': call.tools.map(({ title }) => title).join(' or ') || call.calledName,
    'toolgate.tool.status': call.toolStatus,
    ...(call.definitionHash !== null && { 'toolgate.tool.definition': call.definitionHash }),
    'toolgate.operation': call.operation,
    'toolgate.operation.source': call.source,
    'gen_ai.tool.call.arguments': shown,
    // Where the record doesn't show them whole, a keyed digest tells equal arguments from others.
    ...(redact(bound(shown)) !== call.rawArguments && {
      'toolgate.arguments.digest': sha256(context.digestKey + digestOf(call.rawArguments)),
    }),
  };
}

export function completedEvent(judged: Judged, completion: Completion, now: number): AuditEvent {
  return {
    type: 'call.completed',
    ts: now,
    call_id: judged.callId,
    'toolgate.status': completion.status,
    'toolgate.duration_ms': Math.round(completion.durationMs * 1000) / 1000,
    ...(completion.bytes !== null && { 'toolgate.result.bytes': completion.bytes }),
    ...(completion.error !== null && { 'error.type': completion.error }),
  };
}
