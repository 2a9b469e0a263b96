/** The corridor's ports that both doors share: deciding by the rules in force, and writing it down. */
import { completedEvent, decidedEvent } from '../audit/call-events.ts';
import type { AuditEvent } from '../audit/events.ts';
import type { Agent, Call, Counter, Gathered, Surroundings } from '../call.ts';
import { monotonicNow } from '../clock.ts';
import { rulesFault } from '../config/rules.ts';
import { GatewayError } from '../errors.ts';
import type { Judged, Ports, Reservation } from '../flow.ts';
import { newId } from '../ids.ts';
import { insertAlerts } from '../notify/alerts.ts';
import type { CompiledPolicies } from '../policy/compile.ts';
import { decide } from '../policy/decide.ts';
import { countersOf } from '../policy/rates.ts';
import { strictestOf } from '../policy/strictest.ts';
import { countIn, countsIn, uncountIn } from '../store/counters.ts';
import type { Transaction } from '../store/store.ts';
import { callAlerts } from './call-words.ts';
import { createHistory, type History } from './history.ts';
import { channelsOf, type House, ownerOf } from './house.ts';

type Shared = 'count' | 'decide' | 'reserve' | 'recordOutcome' | 'newCallId' | 'clock';

export interface Judge extends Pick<Ports<unknown, unknown>, Shared> {
  /** all but the counts, for which `count` asks the store only where a policy with a rate may apply */
  readonly gather: () => Gathered;
  /** whether it would run now, without asking anybody and without a record */
  readonly allows: (agent: Agent, call: Call) => Promise<boolean>;
  /**
   * Of a call that is allowed or blocked; one that must be approved is recorded where it is held. What may run is recorded
   * before this resolves, or, if `runs` is `after flush`, by the caller's next flush.
   */
  readonly recordDecision: (
    method: string | null,
    judged: Judged,
    toolUse?: string | null,
    runs?: 'at once' | 'after flush',
  ) => Promise<void> | void;
}

/** `onAlert` is told that a delivery is waiting; `history` is what the session did so far. */
export function createJudge(
  house: House,
  surroundings: () => Surroundings,
  digestKey: string,
  onAlert: () => void,
  history: History = createHistory(),
): Judge {
  const rulesInForce = () => {
    const loaded = house.rules.current();
    if (loaded?.rules == null)
      throw new GatewayError(
        'policy_invalid',
        `there are no rules to judge it by\n${loaded === null ? '' : rulesFault(loaded)}`,
      );
    return loaded.rules;
  };
  const gather = (): Gathered => ({
    now: Date.now(),
    surroundings: surroundings(),
    earlier: history.earlier(),
    counts: NOTHING_COUNTED,
  });
  const count: Judge['count'] = (callId, agent, calls, gathered) => {
    const counters = countersFor(rulesInForce().policies, agent, calls, gathered);
    if (counters.length === 0) {
      const earlier = history.earlier(callId);
      return earlier === gathered.earlier ? gathered : { ...gathered, earlier };
    }
    return house.store
      .read((tx) => countsIn(tx, counters, gathered.now, callId))
      .then((counts) => ({ ...gathered, earlier: history.earlier(callId), counts }));
  };
  return {
    gather,
    count,
    decide: (agent, calls, gathered) => {
      const { policies, hash } = rulesInForce();
      const decisions = calls.map((call) => decide(policies, { agent, call, gathered }, ownerOf(house)));
      return { decision: decisions.length === 1 ? decisions[0]! : strictestOf(decisions, calls), rulesHash: hash };
    },
    allows: async (agent, call) => {
      const gathered = await count('', agent, [call], gather());
      return decide(rulesInForce().policies, { agent, call, gathered }, ownerOf(house)).effect === 'allow';
    },
    reserve: (judged) => {
      const { agent, calls, callId, gathered, decision } = judged;
      if (decision.effect === 'block') return NOTHING_RESERVED;
      const remembered: Reservation = {
        keep: () => history.keep(callId),
        release: () => history.forget(callId),
      };
      // Counted, decided and reserved in one turn of the loop: nothing can have come in between.
      if (gathered.counts.size === 0) {
        history.begin(callId, calls);
        return remembered;
      }
      const { policies } = rulesInForce();
      const lookBack = calls.some((call) => policies.applicable({ agent, call, gathered }).lookBack);
      if (lookBack && history.earlier(callId) !== gathered.earlier) return null;
      history.begin(callId, calls);
      const counters = countersFor(policies, agent, calls, gathered);
      return house.store
        .write((tx) => takeIn(tx, counters, judged))
        .then(
          (taken): Reservation | null => {
            if (taken)
              return {
                keep: remembered.keep,
                release: () => {
                  remembered.release();
                  // What can't be given back runs out with its window.
                  house.store.write((tx) => uncountIn(tx, counters, callId, gathered.now)).catch(() => {});
                },
              };
            remembered.release();
            return null;
          },
          (error) => {
            remembered.release();
            throw error;
          },
        );
    },
    recordDecision: (method, judged, toolUse = null, runs = 'at once') => {
      const sessionId = judged.gathered.surroundings.session;
      const event = () => decidedEvent(judged, { sessionId, method, toolUse, digestKey });
      const { alerts, effect } = judged.decision;
      const onlyReads = judged.calls.every(({ possible }) => possible.length === 1 && possible[0] === 'Read');
      if (effect === 'allow' && (onlyReads || runs === 'after flush') && alerts.length === 0)
        return house.recorder.soon(event, (why) => bareEvent(judged, why));
      if (alerts.length === 0) return house.recorder.now([event()]);
      const channels = channelsOf(house);
      return house.recorder
        .now([event()], (tx) => insertAlerts(tx, callAlerts(judged), channels, judged.gathered.now))
        .then(() => {
          if (channels.length > 0) onAlert();
        });
    },
    recordOutcome: (judged, completion) => {
      const now = Date.now();
      return house.recorder.soon(
        () => completedEvent(judged, completion, now),
        (why) => ({ type: 'call.completed', ts: now, call_id: judged.callId, 'toolgate.error': why }),
      );
    },
    newCallId: newId,
    clock: monotonicNow,
  };
}

/** What is left to say of a call whose event can't be made. */
function bareEvent({ callId, gathered, agent, decision }: Judged, why: string): AuditEvent {
  return {
    type: 'call.decided',
    ts: gathered.now,
    call_id: callId,
    'gen_ai.agent.id': agent.id,
    'toolgate.policy.decision': decision.effect,
    'toolgate.error': why,
  };
}

const NOTHING_COUNTED: ReadonlyMap<string, number> = new Map();
const NOTHING_RESERVED: Reservation = { keep: () => {}, release: () => {} };

function countersFor(
  policies: CompiledPolicies,
  agent: Agent,
  calls: readonly Call[],
  gathered: Gathered,
): readonly Counter[] {
  return calls.flatMap((call) => {
    const facts = { agent, call, gathered };
    const { rates } = policies.applicable(facts);
    return rates.length === 0 ? [] : countersOf(rates, facts);
  });
}

/** False if others have counted meanwhile, so that a rate answers otherwise than when it was judged. */
function takeIn(tx: Transaction, counters: readonly Counter[], { callId, gathered }: Judged): boolean {
  const counts = countsIn(tx, counters, gathered.now, callId);
  const isOver = (count: number | undefined, { over }: Counter) => (count ?? 0) + 1 > over;
  const same = counters.every((counter) => {
    const { key } = counter;
    return gathered.counts.has(key) && isOver(counts.get(key), counter) === isOver(gathered.counts.get(key), counter);
  });
  if (same) countIn(tx, counters, callId, gathered.now);
  return same;
}
