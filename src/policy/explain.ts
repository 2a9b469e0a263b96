/** Why a call was judged as it was: each policy with each condition's answer and what it was compared with. Pure. */
import {
  type Action,
  type Answer,
  type Call,
  type Decision,
  type Facts,
  isObject,
  type JsonValue,
  type Mode,
} from '../call.ts';
import { createMask, type Mask } from '../mask.ts';
import type { Test } from './answers.ts';
import { BUILT_IN_PLACE } from './built-in.ts';
import type { CompiledPolicies, CompiledPolicy } from './compile.ts';
import { decide, isOver } from './decide.ts';
import { applies } from './resolve.ts';

export interface ExplainedCondition {
  readonly condition: string;
  readonly answer: Answer;
  readonly compared: string;
  readonly parts: readonly ExplainedCondition[];
}

export interface ExplainedPolicy {
  readonly policy: string;
  readonly place: string;
  readonly action: Action;
  readonly mode: Mode;
  readonly answer: Answer;
  readonly applies: boolean;
  /** it is the one that decided */
  readonly decides: boolean;
  /** it would apply but for this one condition; null where more than one is missing, or none */
  readonly missedBy: string | null;
  readonly conditions: readonly ExplainedCondition[];
}

export interface Explanation {
  readonly decision: Decision;
  readonly policies: readonly ExplainedPolicy[];
}

/** The decision that `decide` gives, with the answers behind it. */
export function explain(policies: CompiledPolicies, facts: Facts, owner: string): Explanation {
  const decision = decide(policies, facts, owner);
  const shown = { ...facts, call: maskedCall(facts.call, decision.redact.args) };
  // What is built in and doesn't concern the call is nobody's question.
  const isShown = ({ place, test }: CompiledPolicy) => place !== BUILT_IN_PLACE || test.answer(facts) !== 'no';
  return {
    decision,
    policies: policies.calls.filter(isShown).map(({ source, place, test }) => {
      const answer = isOver(source, facts.gathered.now) ? 'no' : test.answer(facts);
      const conditions = test.parts.flatMap((part) => flatten(part, facts, shown));
      return {
        policy: source.name,
        place,
        action: source.action,
        mode: source.mode ?? policies.file.defaults.mode,
        answer,
        applies: applies(source.action, answer),
        decides: decision.deciding.policy === source.name && applies(source.action, answer),
        missedBy: isOver(source, facts.gathered.now) ? 'expires' : missedBy(source.action, conditions),
        conditions,
      };
    }),
  };
}

/** The only condition that keeps a policy from applying. Of one that has no other condition that is no near miss. */
function missedBy(action: Action, conditions: readonly ExplainedCondition[]): string | null {
  const missing = conditions.filter(({ answer }) => !applies(action, answer));
  return missing.length === 1 && conditions.length > 1 ? missing[0]!.condition : null;
}

/** The same call, whose arguments can be shown: what a policy takes out of records is taken out of them. */
function maskedCall(call: Call, items: readonly string[]): Call {
  const mask = createMask(items);
  if (mask === null) return call;
  return {
    ...call,
    argument: (path) => {
      const found = call.argument(path);
      if (found.state !== 'value') return found;
      // Under each of its names: the owner may have written that of the server.
      const value = [path, ...call.namesOf(path)].reduce<unknown>(
        (shown, name) => maskedUnder(name, shown, mask),
        found.value,
      );
      return { ...found, value: value as JsonValue };
    },
  };
}

function maskedUnder(name: string, value: unknown, mask: Mask): unknown {
  const keys = name.split('.');
  const masked = mask(keys.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value));
  return keys.reduce<unknown>((outer, key) => (isObject(outer) ? outer[key] : outer), masked);
}

/** A plain AND of conditions is shown as its parts; `any`, `not` and `unless` keep their level. */
function flatten(test: Test, facts: Facts, shown: Facts): ExplainedCondition[] {
  if (test.kind === 'all') return test.parts.flatMap((part) => flatten(part, facts, shown));
  return [
    {
      condition: test.label,
      answer: test.answer(facts),
      compared: test.compared(shown),
      parts: test.parts.flatMap((part) => flatten(part, facts, shown)),
    },
  ];
}
