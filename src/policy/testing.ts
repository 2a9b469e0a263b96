/** Whether the policies do what a test of them expects. Pure. */
import type { Decision, Facts } from '../call.ts';
import { compileGlob } from '../glob.ts';
import type { CompiledPolicies } from './compile.ts';
import { decide, decideDiscovery } from './decide.ts';
import type { Expectation, PolicyTest } from './schema-tests.ts';

export interface Tested {
  readonly passed: boolean;
  /** what differs from what was expected, in words; empty if nothing does */
  readonly faults: readonly string[];
  /** the names of the policies that applied */
  readonly applied: readonly string[];
}

/** Judges as the gate would. */
export function runTest(policies: CompiledPolicies, test: PolicyTest, facts: Facts, owner: string): Tested {
  if (test.discovered !== undefined) {
    const { alerts, reasons } = decideDiscovery(policies, facts);
    const faults = differs('expected', test.expect, alerts.length > 0 ? 'alert' : 'nothing', '');
    return { passed: faults.length === 0, faults, applied: reasons.map(({ policy }) => policy) };
  }
  const decision = decide(policies, facts, owner);
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
  return { passed: faults.length === 0, faults, applied: decision.reasons.map(({ policy }) => policy) };
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
