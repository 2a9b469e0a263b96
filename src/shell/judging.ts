/** One decision for a whole line: of all its calls the strictest, for nothing of it runs before. Pure. */
import type { Agent, Call, Decision, Gathered } from '../call.ts';
import type { CompiledPolicies } from '../policy/compile.ts';
import { decide } from '../policy/decide.ts';
import { strictestOf } from '../policy/strictest.ts';
import { isOpaque } from './calls.ts';

export interface LineDecision {
  readonly decision: Decision;
  /** each call's own, in the order of the calls */
  readonly each: readonly Decision[];
}

/** `calls` must not be empty. */
export function decideLine(
  policies: CompiledPolicies,
  calls: readonly Call[],
  { agent, gathered }: { readonly agent: Agent; readonly gathered: Gathered },
  owner: string,
): LineDecision {
  const each = calls.map((call) =>
    isOpaque(call) ? opaqueDecision(policies, owner) : decide(policies, { agent, call, gathered }, owner),
  );
  return { decision: strictestOf(each, calls), each };
}

/** Programs whose code is not in the line have a rule of their own: policies on what calls do can't tell. */
function opaqueDecision({ file }: CompiledPolicies, owner: string): Decision {
  const { opaque_commands: action, mode } = file.defaults;
  const effect = mode === 'enforce' ? action : 'allow';
  const deciding = {
    policy: '(default: opaque commands)',
    action,
    mode,
    place: null,
    answer: 'cant tell',
    message: null,
  } as const;
  return {
    effect,
    would: effect === action ? null : action,
    deciding,
    reasons: [deciding],
    alerts: [],
    redact: { result: [], args: [] },
    requirements:
      effect === 'require approval'
        ? [
            {
              policy: deciding.policy,
              reviewers: file.defaults.reviewers ?? [owner],
              approvals: 1,
              timeoutMs: 600_000,
              runWithinMs: 300_000,
              reasonRequired: false,
              remember: null,
            },
          ]
        : [],
  };
}
