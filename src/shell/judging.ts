/** One decision for a whole line: of all its calls the strictest, for nothing of it runs before. Pure. */
import type { Agent, Call, Decision, Effect, Gathered, Reason } from '../call.ts';
import type { CompiledPolicies } from '../policy/compile.ts';
import { decide } from '../policy/decide.ts';

export interface LineDecision {
  readonly effect: Effect;
  /** what it would have been had `monitor` policies acted; null if the same */
  readonly would: Effect | null;
  /** what decided; null if nothing of the line is judged */
  readonly deciding: Reason | null;
  readonly calls: readonly { readonly call: Call; readonly decision: Decision }[];
}

const RANK: Record<Effect, number> = { block: 2, 'require approval': 1, allow: 0 };

/** `opaque`: the programs of the line that run code which is not in it. */
export function decideLine(
  policies: CompiledPolicies,
  calls: readonly Call[],
  opaque: readonly string[],
  { agent, gathered }: { readonly agent: Agent; readonly gathered: Gathered },
  owner: string,
): LineDecision {
  const judged = calls.map((call) => ({ call, decision: decide(policies, { agent, call, gathered }, owner) }));
  const rulings = [
    ...judged.map(({ decision }) => ({
      effect: decision.effect,
      would: decision.would ?? decision.effect,
      reason: decision.deciding,
    })),
    ...(opaque.length === 0 ? [] : [opaqueRuling(policies)]),
  ];
  const strictest = rulings.reduce<(typeof rulings)[number] | null>(
    (best, each) => (best === null || RANK[each.effect] > RANK[best.effect] ? each : best),
    null,
  );
  if (strictest === null) return { effect: 'allow', would: null, deciding: null, calls: [] };
  const would = rulings.reduce((best, each) => (RANK[each.would] > RANK[best] ? each.would : best), strictest.effect);
  return {
    effect: strictest.effect,
    would: would === strictest.effect ? null : would,
    deciding: strictest.reason,
    calls: judged,
  };
}

function opaqueRuling({ file }: CompiledPolicies): { effect: Effect; would: Effect; reason: Reason } {
  const { opaque_commands: action, mode } = file.defaults;
  const effect = mode === 'enforce' ? action : 'allow';
  return {
    effect,
    would: action,
    reason: {
      policy: '(default: opaque commands)',
      action: effect,
      mode,
      place: null,
      answer: 'cant tell',
      message: null,
    },
  };
}
