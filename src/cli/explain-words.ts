/** An explanation as people read it on a terminal. */
import type { Agent, Call } from '../call.ts';
import type { ExplainedCondition, ExplainedPolicy, Explanation } from '../policy/explain.ts';
import { visibleLine } from '../problem.ts';
import { titleOf } from './call-words.ts';

const MARK = { yes: '✓', no: '✗', 'cant tell': '?' } as const;

/** The call, every policy with its conditions, and what came of it. */
export function explanationInWords(call: Call, agent: Agent, { decision, policies }: Explanation): string {
  const lines = [
    `${agent.name} (${agent.strength}, ${agent.status}) calls ${titleOf(call)} · ${call.tools.map(({ title }) => title).join(' or ') || call.calledName} (${call.toolStatus})`,
    `  operation: ${call.operation ?? 'unknown'} (${call.source}: ${call.reasons.join('; ')})`,
    ...(policies.length === 0 ? [] : ['']),
  ];
  for (const policy of policies) {
    const mode = policy.mode === 'monitor' ? ', monitor' : '';
    const mark = policy.decides ? '▶' : policy.applies ? '●' : '○';
    lines.push(`${mark} ${visibleLine(policy.policy)}  [${policy.action}${mode}]  ${policy.place}${standing(policy)}`);
    for (const condition of policy.conditions) lines.push(...conditionLines(condition, 1));
  }
  const place = decision.deciding.place === null ? '' : ` (${decision.deciding.place})`;
  lines.push('', `decision: ${decision.effect}, by ${decision.deciding.policy}${place}`);
  if (decision.would !== null) lines.push(`would be: ${decision.would}, were no policy in monitor mode`);
  if (decision.alerts.length > 0) lines.push(`alerts: ${decision.alerts.map(({ policy }) => policy).join('; ')}`);
  return lines.join('\n');
}

function standing(policy: ExplainedPolicy): string {
  if (policy.applies) {
    const applies = policy.answer === 'cant tell' ? "applies: can't tell, so strictly" : 'applies';
    return policy.decides ? `  ${applies}, and decides` : `  ${applies}`;
  }
  return policy.missedBy === null ? '' : `  near miss: all but ${visibleLine(policy.missedBy)}`;
}

function conditionLines(condition: ExplainedCondition, depth: number): string[] {
  const compared = condition.compared === '' ? '' : `   (${condition.compared})`;
  const said = condition.answer === 'cant tell' ? "  can't tell" : '';
  return [
    `${'    '.repeat(depth)}${MARK[condition.answer]} ${condition.condition}${compared}${said}`,
    ...condition.parts.flatMap((part) => conditionLines(part, depth + 1)),
  ];
}
