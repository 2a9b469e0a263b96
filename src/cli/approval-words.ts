/** An approval in words: what people are shown of a request, and the notice of it. */
import type { Approval, Subject } from '../approvals/approval.ts';
import { shownRequest } from '../approvals/request.ts';
import { reviewerName } from '../approvals/reviewers.ts';
import { bound } from '../audit/chain.ts';
import { type JsonObject, leadingCall } from '../call.ts';
import type { Judged } from '../flow.ts';
import { argumentsMask } from '../mask.ts';
import type { NewAlert } from '../notify/alerts.ts';
import { type ExplainedPolicy, explain } from '../policy/explain.ts';
import { redact } from '../redact.ts';
import { shorten, titleOf } from './call-words.ts';
import { type House, ownerOf } from './house.ts';

/** What is kept of the request when it has ended: secrets masked, long texts shortened. */
export function subjectOf(
  house: House,
  judged: Judged,
  held: { readonly method: string; readonly request: string; readonly launch: string },
): Subject {
  const call = leadingCall(judged.calls, judged.decision)!;
  const { status: agentStatus, ...agent } = judged.agent;
  const shown = shownRequest(held.method, held.request);
  const mask = argumentsMask(call, judged.decision.redact.args);
  const masked = redact(bound(mask === null ? shown : mask(shown)));
  return {
    agent,
    surroundings: judged.gathered.surroundings,
    via: call.via,
    method: held.method,
    server: call.server,
    integration: titleOf(call),
    tool: call.tools.map(({ title }) => title).join(' or ') || call.calledName,
    calledName: call.calledName,
    operation: call.operation,
    definitionHash: call.definitionHash,
    launch: held.launch,
    agentStatus,
    toolStatus: call.toolStatus,
    arguments: masked,
    complete: masked === shown,
    policies: redact(askingPolicies(house, judged)) as readonly JsonObject[],
  };
}

/** The policies that ask, each with its conditions and their answers; a default has none. */
function askingPolicies(house: House, judged: Judged): readonly JsonObject[] {
  const rules = house.rules.current()?.rules ?? null;
  const asking = judged.decision.requirements.map(({ policy }) => policy);
  const explained = new Map<string, ExplainedPolicy>();
  if (rules !== null)
    for (const call of judged.calls)
      for (const each of explain(
        rules.policies,
        { agent: judged.agent, call, gathered: judged.gathered },
        ownerOf(house),
      ).policies)
        if (each.applies) explained.set(each.policy, each);
  return asking.map((policy) => {
    const found = explained.get(policy);
    return (found === undefined
      ? { policy, place: null, conditions: [] }
      : { policy, place: found.place, conditions: found.conditions }) as unknown as JsonObject;
  });
}

/** The notice for channels that can't carry the decision. */
export function approvalAlert(approval: Approval): NewAlert {
  const { subject, requirements, code } = approval;
  return {
    severity: 'high',
    kind: 'approval',
    policy: requirements[0]?.policy ?? null,
    agent: subject.agent.name,
    title: `${subject.agent.name} wants to call ${subject.integration} · ${subject.tool}: approve? (${code})`,
    detail: {
      Agent: `${subject.agent.name} (${subject.agent.strength})`,
      Tool: `${subject.integration} · ${subject.tool} (${subject.calledName} on ${subject.server ?? 'the shell'})`,
      Operation: subject.operation ?? 'unknown',
      Policy: requirements.map(({ policy }) => policy).join('; '),
      Reviewers: requirements
        .map(({ approvals, reviewers }) => `${approvals} of ${reviewers.map(reviewerName).join(', ')}`)
        .join('; '),
      Arguments: shorten(JSON.stringify(subject.arguments)),
    },
    callId: approval.callId,
    approvalId: approval.id,
  };
}
