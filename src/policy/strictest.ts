/** Of several decisions on one request, the one that holds. Pure. */
import type { Call, Decision, Effect, Operation, Requirement } from '../call.ts';

const RANK: Record<Effect, number> = { block: 2, 'require approval': 1, allow: 0 };
/** The mildest first; null: nobody knows. */
const OPERATIONS: readonly (Operation | null)[] = ['Read', 'Write', null, 'Delete'];

/**
 * Nothing of a shell line runs before all of it is decided: the strictest decides, and every reason and alert is kept. Each is
 * the decision on the call at its place.
 */
export function strictestOf(decisions: readonly Decision[], calls: readonly Pick<Call, 'operation'>[]): Decision {
  const strictest = decisions.reduce((a, b) => (RANK[b.effect] > RANK[a.effect] ? b : a));
  const severity = (index: number): number => {
    const { effect, would } = decisions[index]!;
    return RANK[effect] * 100 + RANK[would ?? effect] * 10 + OPERATIONS.indexOf(calls[index]!.operation);
  };
  const would = decisions
    .map((each) => each.would ?? each.effect)
    .reduce((a, b) => (RANK[b] > RANK[a] ? b : a), strictest.effect);
  return {
    ...strictest,
    would: would === strictest.effect ? null : would,
    reasons: decisions.flatMap(({ reasons }) => reasons),
    alerts: decisions.flatMap(({ alerts }, call) => alerts.map((alert) => ({ ...alert, call }))),
    leading: decisions.map((_, index) => index).reduce((a, b) => (severity(b) > severity(a) ? b : a)),
    redact: {
      result: [...new Set(decisions.flatMap(({ redact }) => redact.result))],
      args: [...new Set(decisions.flatMap(({ redact }) => redact.args))],
    },
    requirements: oncePerPolicy(decisions.flatMap(({ requirements }) => requirements)),
  };
}

/** One policy asks once, however many calls it is about; what it may not remember of one of them it doesn't remember. */
function oncePerPolicy(requirements: readonly Requirement[]): Requirement[] {
  const found = new Map<string, Requirement>();
  for (const each of requirements) {
    const known = found.get(each.policy);
    found.set(each.policy, known === undefined || each.remember === null ? each : known);
  }
  return [...found.values()];
}
