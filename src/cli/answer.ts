/** A reviewer's answer, from any channel: the request is judged again by the rules in force, then the answer counts. */
import type { Approval } from '../approvals/approval.ts';
import { type Answer, type Answered, findApproval } from '../approvals/book.ts';
import { type GrantedCall, withoutGranted } from '../approvals/grants.ts';
import { listTools, type ToolRow } from '../audit/tools.ts';
import type { Decision, JsonObject, Requirement } from '../call.ts';
import { classifyNamed } from '../catalog/named.ts';
import type { Rules } from '../config/rules.ts';
import { keepExact } from '../exact.ts';
import { decide } from '../policy/decide.ts';
import type { Transaction } from '../store/store.ts';
import { type House, ownerOf } from './house.ts';
import { metBefore } from './meet.ts';
import { callOnRecord, definitionIn, launches } from './on-record.ts';

/** Null: there is no such approval. Throws while there are no rules to judge it by, or no store. */
export async function answerApproval(house: House, id: string, answer: Answer): Promise<Answered | null> {
  const { rules } = await house.rules.latest();
  return house.store.write((tx) => {
    const now = Date.now();
    const approval = findApproval(tx, id);
    if (approval === null) return null;
    // Of another config folder only what was asked is known here; its own gate judges it again.
    if (approval.config !== house.configId) return house.approvals.answer(tx, id, answer, null, now);
    if (rules === null) {
      const why = 'there are no rules to judge it by: mend policies.yaml first ("toolgate policy check")';
      return { kind: 'refused', why, approval };
    }
    const judged = approval.state === 'open' ? judgeOnRecord(house, rules, tx, approval) : null;
    if (typeof judged === 'string') {
      house.approvals.end(tx, id, judged, now);
      return { kind: 'too late', approval: findApproval(tx, id)! };
    }
    const requirements = requirementsNow(approval.requirements, judged);
    return house.approvals.answer(tx, id, answer, { requirements, reviewers: rules.policies.file.reviewers }, now);
  });
}

/**
 * What the rules say now, as far as it can be known without the upstream: a decision, why it may not run any more, or
 * null where only the gate can tell. The gate judges once more before anything runs.
 */
function judgeOnRecord(house: House, rules: Rules, tx: Transaction, approval: Approval): Decision | string | null {
  const { method, server, calledName, definitionHash, agent, surroundings, launch: launchAsked } = approval.subject;
  if (method !== 'tools/call' || server === null || approval.request === null) return null;
  const rows: readonly ToolRow[] = listTools(tx);
  const row = rows.find((each) => each.server === server && each.name === calledName);
  const launch = launches(house, rows)(server);
  if (launch === null || row === undefined) return null;
  if (row.definition_hash !== definitionHash) return "the tool's definition has changed since it was asked";
  const params = JSON.parse(approval.request, keepExact) as JsonObject;
  const args = (params['arguments'] ?? {}) as JsonObject;
  const { toolClass } = classifyNamed(rules.catalog, launch, definitionIn(row, calledName), false);
  const call = callOnRecord(rules.policies, toolClass, server, calledName, args, row);
  // What its session did before, and how often the like was done, only its gate can tell.
  const gathered = { now: Date.now(), surroundings, earlier: null, counts: new Map() };
  const facts = { agent: metBefore(tx, rules, agent), call, gathered };
  const decision = decide(rules.policies, facts, ownerOf(house));
  if (decision.effect !== 'block') {
    const granted: GrantedCall = {
      agentId: agent.id,
      agentStrength: agent.strength,
      agentStatus: facts.agent.status,
      method,
      server,
      calledName,
      toolStatus: call.toolStatus,
      definitionHash,
      launch: launchAsked,
      session: approval.session,
      digest: approval.digest,
      rules: rules.hash,
      config: approval.config,
    };
    return { ...decision, requirements: withoutGranted(tx, decision.requirements, granted, Date.now()).left };
  }
  return decision.deciding.answer === 'yes' ? `the policy "${decision.deciding.policy}" blocks it now` : null;
}

/** Each requirement as its policy has it now, and those that have come to it; none is dropped here. */
function requirementsNow(asked: readonly Requirement[], judged: Decision | null): readonly Requirement[] {
  const present = judged?.requirements ?? [];
  const names = new Set(asked.map(({ policy }) => policy));
  return [
    ...asked.map((requirement) => present.find(({ policy }) => policy === requirement.policy) ?? requirement),
    ...present.filter(({ policy }) => !names.has(policy)),
  ];
}
