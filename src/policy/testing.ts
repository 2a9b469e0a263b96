/** Whether the policies do what a test of them expects. Pure. */
import type { AlertRaised, Decision, Reason } from '../call.ts';
import { compileGlob } from '../glob.ts';
import type { Expectation, PolicyTest } from './schema-tests.ts';

export interface Tested {
  /** what differs from what was expected, in words; empty if nothing does */
  readonly faults: readonly string[];
  /** the names of the policies that applied */
  readonly applied: readonly string[];
}

/** Of a discovery. */
export function compareDiscovery(
  { expect }: PolicyTest,
  { alerts, reasons }: { readonly alerts: readonly AlertRaised[]; readonly reasons: readonly Reason[] },
): Tested {
  const faults = differs('expected', expect, alerts.length > 0 ? 'alert' : 'nothing', '');
  return { faults, applied: reasons.map(({ policy }) => policy) };
}

/** Of a call or a command. The decision is null where there is nothing to judge: it runs. */
export function compareDecision(test: PolicyTest, decision: Decision | null): Tested {
  if (decision === null) {
    const because = ': it runs no program that toolgate judges';
    const unmet = test.policy === undefined ? [] : [`expected the policy "${test.policy}", got none${because}`];
    return { faults: [...differs('expected', test.expect, 'allow', because), ...unmet], applied: [] };
  }
  const { deciding } = decision;
  const outcome = outcomeOf(decision);
  const by =
    outcome === 'alert'
      ? `, by ${decision.alerts.map(({ policy }) => policy).join(', ')}`
      : `, by ${deciding.policy}${deciding.place === null ? '' : ` (${deciding.place})`}`;
  const faults = [
    ...differs('expected', test.expect, outcome, by),
    ...(test.would === undefined
      ? []
      : differs('expected it would', test.would, decision.would ?? decision.effect, by)),
    ...(test.policy === undefined ? [] : namedDiffers(test.policy, decision)),
    ...(test.message === undefined ? [] : messageDiffers(test.message, deciding.message)),
  ];
  return { faults, applied: decision.reasons.map(({ policy }) => policy) };
}

/** A call that runs and of which somebody is told is an `alert`. */
function outcomeOf({ effect, alerts }: Decision): Expectation {
  return effect === 'allow' && alerts.length > 0 ? 'alert' : effect;
}

function differs(start: string, expected: Expectation, found: Expectation, by: string): string[] {
  return expected === found ? [] : [`${start} ${expected}, got ${found}${by}`];
}

/** The policy that decides, or one that raises an alert. */
function namedDiffers(expected: string, { deciding, alerts }: Decision): string[] {
  const names = [deciding.policy, ...alerts.map(({ policy }) => policy)];
  return names.includes(expected) ? [] : [`expected the policy "${expected}", got ${names.join(', ')}`];
}

function messageDiffers(expected: string, found: string | null): string[] {
  if (found !== null && compileGlob(expected)(found)) return [];
  return [`expected the message ${JSON.stringify(expected)}, got ${found === null ? 'none' : JSON.stringify(found)}`];
}
