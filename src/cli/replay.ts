/** Takes recorded calls, in their order, through a set of rules: as if it had been in force all along. */
import type { AuditEvent } from '../audit/events.ts';
import type { Decision, Facts } from '../call.ts';
import type { Rules } from '../config/rules.ts';
import { decide } from '../policy/decide.ts';
import { countersOf } from '../policy/rates.ts';
import { createHistory, type History } from './history.ts';
import type { RecordedCall } from './recorded.ts';

export interface Replayed {
  readonly facts: Facts;
  readonly decision: Decision;
}

/** Remembers, call by call, what each session did and how often: what a call looks back on is what these rules let run. */
export function createReplay(rules: Rules, owner: string, read: (body: AuditEvent) => RecordedCall) {
  const { policies } = rules;
  const histories = new Map<string, History>();
  const counted = new Map<string, number[]>();

  return (body: AuditEvent): Replayed => {
    const { agent, call, surroundings, at } = read(body);
    const history = histories.get(surroundings.session) ?? createHistory();
    histories.set(surroundings.session, history);
    const facts: Facts = {
      agent,
      call,
      gathered: { now: at, surroundings, earlier: history.earlier(), counts: NOTHING_COUNTED },
    };
    const { rates } = policies.applicable(facts);
    const counters = rates.length === 0 ? [] : countersOf(rates, facts);
    for (const { key, within } of counters) {
      const times = counted.get(key) ?? [];
      const first = times.findIndex((time) => time > at - within);
      counted.set(key, first === -1 ? [] : first === 0 ? times : times.slice(first));
    }
    const counts = new Map(counters.map(({ key }) => [key, counted.get(key)!.length]));
    const judged: Facts = counters.length === 0 ? facts : { ...facts, gathered: { ...facts.gathered, counts } };
    const decision = decide(policies, judged, owner);
    if (decision.effect !== 'block') {
      const id = String(body.call_id);
      history.begin(id, [call]);
      history.keep(id);
      for (const { key } of counters) counted.get(key)!.push(at);
    }
    return { facts: judged, decision };
  };
}

const NOTHING_COUNTED: ReadonlyMap<string, number> = new Map();
