/** A command that an agent's hook asks about, through the corridor: judged, recorded, held for a person if a policy wants. */

import { identify } from '../agents/identify.ts';
import { rulesFault } from '../config/rules.ts';
import { GatewayError } from '../errors.ts';
import { flow, type Ports } from '../flow.ts';
import { brokenOf, refusalOf } from '../gateway/refusal.ts';
import { deny, type HookAnswer, noDecision } from '../shell/answer.ts';
import type { InContext } from '../shell/gather.ts';
import { decideLine } from '../shell/judging.ts';
import { HOOK_AGENTS, type HookAgent, type HookAsks, type HookEvent } from '../shell/payload.ts';
import { requestOf } from './hook-asks.ts';
import { goesThroughGate, hookCalls, openHookHouse } from './hook-calls.ts';
import { type House, type HouseFlags, ownerOf } from './house.ts';
import { createJudge } from './judge.ts';
import { meet } from './meet.ts';
import { historyOf } from './session-history.ts';
import { surroundingsHere } from './surroundings.ts';

/** What a hook was asked. */
export interface HookAsked {
  readonly agent: HookAgent;
  readonly event: HookEvent;
  readonly asks: HookAsks;
  /** a shell line as it was read with toolgate's own catalog; null if it is still to be read */
  readonly read: InContext | null;
  readonly holdMs: number;
}

/** Takes the command of a hook through the corridor. Throws where it can't be judged. */
export async function throughCorridor(asked: HookAsked, flags: HouseFlags): Promise<HookAnswer> {
  const house = await openHookHouse(asked.asks, flags);
  try {
    return await judged(house, asked);
  } finally {
    await house.close();
  }
}

async function judged(house: House, { agent, event, asks, read, holdMs }: HookAsked): Promise<HookAnswer> {
  const loaded = await house.rules.load();
  if (loaded.rules === null)
    throw new GatewayError('policy_invalid', `there are no rules to judge it by\n${rulesFault(loaded)}`);
  const surroundings = surroundingsHere(event.session, house.owner, event.workspace ?? process.cwd());
  const digestKey = await house.digestKey();
  // Whoever is told to end while it judges still answers, and one that holds the command leaves its question in order.
  const gone = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => gone.abort());
  let waking: Promise<void> | null = null;
  const wakeDesk = () => {
    waking ??= import('./desk-process.ts').then((desk) => desk.wakeDesk(house));
  };
  const judge = createJudge(
    house,
    () => surroundings,
    digestKey,
    wakeDesk,
    await historyOf(house, event.session, loaded.rules),
  );

  // The form may be another agent's than the one that the hook was installed for: both names match policies.
  const clientInfo = event.form === agent ? null : { name: HOOK_AGENTS[event.form] };
  const identity = identify({ flag: HOOK_AGENTS[agent], keyMatches: false, clientInfo });
  const whoAsks = async () => {
    const met = await meet(house, { ...identity, knownBy: 'hook' }, surroundings);
    if (met.alerted) wakeDesk();
    return met.agent;
  };
  const rulesNow = () => house.rules.current()!.rules!;
  const callsUnder = await hookCalls(house, event, asks, read);
  const { calls, around } = callsUnder(rulesNow());
  const decide: Ports<null, null>['decide'] = (who, calls, gathered) => {
    const { policies, hash } = rulesNow();
    return {
      decision: decideLine(policies, calls, { agent: who, gathered }, ownerOf(house)).decision,
      rulesHash: hash,
    };
  };
  if (calls.length === 0) return noDecision(event.form);
  try {
    if (await goesThroughGate(house, event, asks)) {
      // What is blocked is blocked here already; the rest is the gate's.
      const who = await whoAsks();
      const gathered = await judge.count('', who, calls, judge.gather());
      if (decide(who, calls, gathered).decision.effect !== 'block') return noDecision(event.form);
    }
    const outcome = await flow<null, null>(null, {
      ...judge,
      identify: whoAsks,
      classify: () => calls,
      decide,
      // Nothing runs before the answer, and that waits until all is written.
      recordDecision: (_, decided) => judge.recordDecision(null, decided, event.toolUse, 'after flush'),
      hold: async (_, decided) => {
        const { holdLine } = await import('./hook-hold.ts');
        return holdLine(
          house,
          decided,
          {
            toolUse: event.toolUse,
            method: asks.kind === 'mcp' ? 'tools/call' : 'shell',
            request: requestOf(event, asks),
            launch: around(),
            patienceMs: holdMs,
            signal: gone.signal,
            judgeAgain: async (callId) => {
              await house.rules.latest();
              const [who, again] = [await whoAsks(), callsUnder(rulesNow()).calls];
              const gathered = await judge.count(callId, who, again, judge.gather());
              return { agent: who, calls: again, ...decide(who, again, gathered) };
            },
          },
          digestKey,
        );
      },
      forward: async () => ({
        result: null,
        completion: { status: 'released', durationMs: 0, bytes: null, error: null },
      }),
    });
    switch (outcome.kind) {
      case 'forwarded':
        // This process ends with its answer: what isn't written by now never is.
        await house.recorder.flush().catch((error) => {
          // Now it is refused: nothing must say later that it was released.
          house.recorder.forget();
          throw error;
        });
        return noDecision(event.form);
      case 'refused':
        return deny(event, refusalOf(outcome.judged, outcome.why).text);
      case 'broken':
        return deny(event, brokenOf(outcome.judged, outcome.error).text);
    }
  } finally {
    await waking;
  }
}
