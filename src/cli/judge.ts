/** The corridor's ports that both doors share: deciding by the rules in force, and writing it down. */
import { completedEvent, decidedEvent } from '../audit/call-events.ts';
import type { Agent, Call, Decision, Gathered } from '../call.ts';
import { rulesFault } from '../config/rules.ts';
import { GatewayError } from '../errors.ts';
import type { Completion, Judged } from '../flow.ts';
import { newId } from '../ids.ts';
import { insertAlerts, type NewAlert } from '../notify/alerts.ts';
import { decide } from '../policy/decide.ts';
import { redact } from '../redact.ts';
import { channelsOf, type House, ownerOf } from './house.ts';

export interface Judge {
  readonly decide: (
    agent: Agent,
    calls: readonly Call[],
    gathered: Gathered,
  ) => { decision: Decision; rulesHash: string };
  /** whether it would run now, without asking anybody and without a record */
  readonly allows: (agent: Agent, call: Call) => boolean;
  /** of a call that is allowed or blocked; one that must be approved is recorded where it is held */
  readonly recordDecision: (method: string | null, judged: Judged) => Promise<void> | void;
  readonly recordOutcome: (judged: Judged, completion: Completion) => Promise<void> | void;
  readonly newCallId: (now: number) => string;
  readonly clock: () => number;
}

/** `onAlert` is told that a delivery is waiting. */
export function createJudge(house: House, sessionId: string, digestKey: string, onAlert: () => void): Judge {
  return {
    decide: (agent, calls, gathered) => {
      const loaded = house.rules.current();
      if (loaded?.rules == null)
        throw new GatewayError(
          'policy_invalid',
          `there are no rules to judge it by\n${loaded === null ? '' : rulesFault(loaded)}`,
        );
      const { policies, hash } = loaded.rules;
      const decisions = calls.map((call) => decide(policies, { agent, call, gathered }, ownerOf(house)));
      return { decision: decisions.length === 1 ? decisions[0]! : strictestOf(decisions), rulesHash: hash };
    },
    allows: (agent, call) => {
      const rules = house.rules.current()?.rules ?? null;
      return (
        rules !== null &&
        decide(rules.policies, { agent, call, gathered: { now: Date.now() } }, ownerOf(house)).effect === 'allow'
      );
    },
    recordDecision: (method, judged) => {
      const event = () => decidedEvent(judged, { sessionId, method, digestKey });
      const { alerts, effect } = judged.decision;
      const onlyReads = judged.calls.every(({ possible }) => possible.length === 1 && possible[0] === 'Read');
      if (effect === 'allow' && onlyReads && alerts.length === 0) return house.recorder.soon(event);
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
      return house.recorder.soon(() => completedEvent(judged, completion, now));
    },
    newCallId: newId,
    clock: () => performance.now(),
  };
}

const RANK = { block: 2, 'require approval': 1, allow: 0 } as const;

/** One shell line may be several calls: the strictest decides, and every reason and alert is kept. */
function strictestOf(decisions: readonly Decision[]): Decision {
  const strictest = decisions.reduce((a, b) => (RANK[b.effect] > RANK[a.effect] ? b : a));
  return {
    ...strictest,
    reasons: decisions.flatMap(({ reasons }) => reasons),
    alerts: decisions.flatMap(({ alerts }) => alerts),
    requirements: decisions.flatMap(({ requirements }) => requirements),
  };
}

/** The alerts that a decision raises, in words. */
export function callAlerts(judged: Judged): NewAlert[] {
  return judged.decision.alerts.map((alert) => callAlert(judged, alert));
}

function callAlert(judged: Judged, alert: { policy: string; severity: NewAlert['severity'] }): NewAlert {
  const call = judged.calls[0]!;
  const what = `${titleOf(call)} · ${call.tools[0]?.title ?? call.calledName}`;
  const did = judged.decision.effect === 'allow' ? 'called' : 'tried to call';
  return {
    severity: alert.severity,
    kind: 'call',
    policy: alert.policy,
    agent: judged.agent.name,
    title: `${judged.agent.name} ${did} ${what}`,
    detail: {
      Agent: `${judged.agent.name} (${judged.agent.strength})`,
      Tool: `${what} (${call.calledName} on ${call.server ?? 'the shell'})`,
      Operation: call.operation ?? 'unknown',
      Decision: judged.decision.effect,
      Policy: alert.policy,
      Arguments: shorten(JSON.stringify(redact(call.rawArguments))),
    },
    callId: judged.callId,
  };
}

export function titleOf(call: Call): string {
  return call.integrations[0]?.title ?? 'unknown';
}

/** Cut in the middle, where neither end is lost. */
export function shorten(text: string): string {
  return text.length <= 600 ? text : `${text.slice(0, 400)} … ${text.slice(-150)}`;
}
