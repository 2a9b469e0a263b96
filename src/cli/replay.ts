/** Takes recorded calls, in their order, through a set of rules: as if it had been in force all along. */
import type { AuditEvent } from '../audit/events.ts';
import { type Agent, type Call, type Decision, type Facts, leadingCall } from '../call.ts';
import type { Rules } from '../config/rules.ts';
import { countersOf } from '../policy/rates.ts';
import { decideLine } from '../shell/judging.ts';
import { createHistory, type History } from './history.ts';
import type { RecordedCall } from './recorded.ts';

export interface Replayed {
  readonly agent: Agent;
  /** the one that the decision is about above all; null if there is none to judge */
  readonly call: Call | null;
  /** null if there is nothing to judge: it runs */
  readonly decision: Decision | null;
}

/** Remembers, call by call, what each session did and how often: what a call looks back on is what these rules let run. */
export function createReplay(rules: Rules, owner: string, read: (body: AuditEvent) => RecordedCall) {
  const { policies } = rules;
  const histories = new Map<string, History>();
  const counted = new Map<string, number[]>();

  return (body: AuditEvent): Replayed => {
    const { agent, calls, surroundings, at } = read(body);
    if (calls.length === 0) return { agent, call: null, decision: null };
    const history = histories.get(surroundings.session) ?? createHistory();
    histories.set(surroundings.session, history);
    const gathered = { now: at, surroundings, earlier: history.earlier(), counts: NOTHING_COUNTED };
    const counters = calls.flatMap((call) => {
      const facts: Facts = { agent, call, gathered };
      const { rates } = policies.applicable(facts);
      return rates.length === 0 ? [] : countersOf(rates, facts);
    });
    for (const { key, within } of counters) {
      const times = counted.get(key) ?? [];
      const first = times.findIndex((time) => time > at - within);
      counted.set(key, first === -1 ? [] : first === 0 ? times : times.slice(first));
    }
    const counts = new Map(counters.map(({ key }) => [key, counted.get(key)!.length]));
    const known = counters.length === 0 ? gathered : { ...gathered, counts };
    const { decision } = decideLine(policies, calls, { agent, gathered: known }, owner);
    if (decision.effect !== 'block') {
      const id = String(body.call_id);
      history.begin(id, calls);
      history.keep(id);
      for (const { key } of counters) counted.get(key)!.push(at);
    }
    return { agent, call: leadingCall(calls, decision)!, decision };
  };
}

const NOTHING_COUNTED: ReadonlyMap<string, number> = new Map();
