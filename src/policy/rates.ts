/** What is counted, for policies that look at how often something is done. Pure: the counting itself is the store's. */
import type { Counter, Facts } from '../call.ts';
import type { Test } from './answers.ts';
import type { RateMatch } from './schema-conditions.ts';

/** One `rate` of a policy. */
export interface CompiledRate extends RateMatch {
  /** the policy's name and the how-manieth of its rates: the same after an edit elsewhere in the file */
  readonly id: string;
  /** the calls that it counts are those to which this isn't no */
  readonly concerns: Test;
}

/** The counters of one rate that a call is in. Several only while nobody knows which of several tools it is. */
export function counterKeys({ id, per }: CompiledRate, { agent, call, gathered }: Facts): readonly string[] {
  switch (per) {
    case 'agent':
      // A claim may not bring new counters: all agents that are only claimed share one.
      return [`${id} agent ${agent.strength === 'claimed' ? '(claimed)' : agent.id}`];
    case 'session':
      return [`${id} session ${gathered.surroundings.session}`];
    case 'tool': {
      const owner = call.integrations[0]?.id ?? call.server ?? '';
      const tools = call.tools.length === 0 ? [call.calledName] : call.tools.map((tool) => tool.id);
      return tools.map((tool) => `${id} tool ${owner}/${tool}`);
    }
  }
}

/** Every counter that a call is in once it is allowed to run. */
export function countersOf(rates: readonly CompiledRate[], facts: Facts): readonly Counter[] {
  return rates
    .filter(({ concerns }) => concerns.answer(facts) !== 'no')
    .flatMap((rate) => counterKeys(rate, facts).map((key) => ({ key, over: rate.over, within: rate.within })));
}
