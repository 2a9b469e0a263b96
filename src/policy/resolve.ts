/**
 * Works out once, for one agent and one tool, which policies may apply and what is left to ask of each: the conditions
 * on arguments, time, rate and the session. A call then costs a look-up and those few. Pure but for remembering.
 */
import {
  type Action,
  type Agent,
  type Answer,
  type Deed,
  deedOf,
  type Facts,
  isSameDeed,
  type Mode,
  type Reason,
  type Surroundings,
} from '../call.ts';
import { every, opposite, some, type Test } from './answers.ts';
import type { CompiledPolicy } from './compile.ts';
import type { CompiledRate } from './rates.ts';

/** A policy that may apply. */
export interface Candidate {
  readonly policy: CompiledPolicy;
  readonly answer: (facts: Facts) => Answer;
  /** of an allow policy that alerts or redacts: whether it does that; null if `answer` says so too */
  readonly duty: ((facts: Facts) => Answer) | null;
  /** it applies, surely or because something can't be told */
  readonly yes: Reason;
  readonly cantTell: Reason;
}

export interface Candidates {
  /** in the order of the file */
  readonly policies: readonly Candidate[];
  readonly rates: readonly CompiledRate[];
  /** some of them look at what the session did before */
  readonly lookBack: boolean;
}

export type Applicable = (facts: Facts) => Candidates;

/** So much is kept for each agent: more than a server can have of tools. */
const MAX_KEPT = 5000;

interface Kept {
  readonly deed: Deed;
  readonly candidates: Candidates;
}

/** An agent and its surroundings are the same values for as long as nothing of them changes. */
export function createResolver(policies: readonly CompiledPolicy[], fileMode: Mode): Applicable {
  const keptFor = new WeakMap<Agent, WeakMap<Surroundings, Map<string, Kept[]>>>();
  return (facts) => {
    const { surroundings } = facts.gathered;
    const ofAgent = keptFor.get(facts.agent) ?? new WeakMap<Surroundings, Map<string, Kept[]>>();
    const byName = ofAgent.get(surroundings) ?? new Map<string, Kept[]>();
    const ofName = byName.get(facts.call.calledName) ?? [];
    for (const { deed, candidates } of ofName) if (isSameDeed(deed, facts.call)) return candidates;
    const candidates = candidatesAmong(policies, facts, fileMode);
    if (byName.size >= MAX_KEPT || ofName.length >= MAX_KEPT) byName.clear();
    byName.set(facts.call.calledName, [...ofName, { deed: deedOf(facts.call), candidates }]);
    keptFor.set(facts.agent, ofAgent.set(surroundings, byName));
    return candidates;
  };
}

/** The policies of which it isn't known yet that they don't apply. */
export function candidatesAmong(policies: readonly CompiledPolicy[], facts: Facts, fileMode: Mode): Candidates {
  const found: Candidate[] = [];
  for (const policy of policies) {
    const rest = resolve(policy.test, facts);
    const duty = policy.duty === null ? null : resolve(policy.duty, facts);
    const isOut = typeof rest === 'string' && !applies(policy.source.action, rest);
    if (isOut && (duty === null || duty === 'no')) continue;
    const yes = reasonOf(policy, fileMode);
    found.push({
      policy,
      answer: typeof rest === 'string' ? () => rest : rest,
      duty: typeof duty === 'string' ? () => duty : duty,
      yes,
      cantTell: { ...yes, answer: 'cant tell' },
    });
  }
  return {
    policies: found,
    rates: found.flatMap(({ policy }) => policy.rates),
    lookBack: found.some(({ policy }) => policy.looksBack),
  };
}

/** A policy that restricts applies unless its answer is no; one that allows only on a yes. */
export function applies(action: Action, answer: Answer): boolean {
  return action === 'allow' ? answer === 'yes' : answer !== 'no';
}

function reasonOf({ source, place }: CompiledPolicy, fileMode: Mode): Reason {
  return {
    policy: source.name,
    action: source.action,
    mode: source.mode ?? fileMode,
    place,
    answer: 'yes',
    message: source.message ?? null,
  };
}

/** The answer of a test, or what is left to ask for it. */
function resolve(test: Test, facts: Facts): Answer | Test['answer'] {
  if (!test.varies) return test.answer(facts);
  if (test.kind === 'leaf') return test.answer;
  const parts = test.parts.map((part) => resolve(part, facts));
  const known = parts.filter((part) => typeof part === 'string');
  const open = parts.filter((part) => typeof part !== 'string');
  if (test.kind === 'not') {
    const [part] = open;
    return part === undefined ? opposite(known[0]!) : (later) => opposite(part(later));
  }
  const combine = test.kind === 'all' ? every : some;
  const decisive = test.kind === 'all' ? 'no' : 'yes';
  const soFar = combine(known, (answer) => answer);
  if (open.length === 0 || soFar === decisive) return soFar;
  if (open.length === 1 && soFar !== 'cant tell') return open[0]!;
  const left = soFar === 'cant tell' ? [...open, () => soFar] : open;
  return (later) => combine(left, (part) => part(later));
}
