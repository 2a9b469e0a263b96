/** Notices that an agent's client, which asked toolgate before it ran commands, does so no more; and tells it. */
import { homedir } from 'node:os';
import { writeEvents } from '../audit/chain.ts';
import { type Guard, type GuardState, guardsOf } from '../clients/hooks.ts';
import { insertAlerts } from '../notify/alerts.ts';
import { HOOK_AGENTS, type HookAgent } from '../shell/payload.ts';
import { WHEN_IT_HANGS } from '../shell/registration.ts';
import { getMeta, setMeta } from '../store/meta.ts';
import { channelsOf, type House } from './house.ts';

const EVERY_MS = 60_000;
const KEY = 'guarded agents';

/** The clients of this user, as seen from the folder that an agent works in. */
export function guardsHere(project = process.cwd()): Guard[] {
  return guardsOf(homedir(), [project]);
}

export function nameOfAgent(agent: string): string {
  return Object.hasOwn(HOOK_AGENTS, agent) ? HOOK_AGENTS[agent as HookAgent] : agent;
}

/** Looks at once and every minute, until it is stopped. `onAlert`: there is something to deliver. */
export function watchGuards(house: House, onAlert: () => void, onFault: (error: unknown) => void): () => void {
  const look = () => void checkGuards(house).then((told) => told && onAlert(), onFault);
  look();
  const timer = setInterval(look, EVERY_MS).unref();
  return () => clearInterval(timer);
}

/** True if something was told. Several gates look: what changed is told by the first. */
export async function checkGuards(house: House, guards: readonly Guard[] = guardsHere()): Promise<boolean> {
  const channels = channelsOf(house);
  const now = Date.now();
  const known = await house.store.read((tx) => getMeta(tx, KEY));
  if (guards.every(({ agent, state }) => isKnown(known, agent) === (state === 'guarded'))) return false;
  return house.store.write((tx) => {
    const before = getMeta(tx, KEY);
    const lost = guards.filter(({ agent, state }) => isKnown(before, agent) && state !== 'guarded');
    const won = guards.filter(({ agent, state }) => !isKnown(before, agent) && state === 'guarded');
    if (lost.length + won.length === 0) return false;
    setMeta(tx, KEY, JSON.stringify(guards.filter(({ state }) => state === 'guarded').map(({ agent }) => agent)));
    writeEvents(tx, [...lost.map((guard) => eventOf(guard, now)), ...won.map((guard) => eventOf(guard, now))]);
    const alerts = lost.map((guard) => ({
      severity: 'high' as const,
      kind: 'agent',
      policy: null,
      agent: nameOfAgent(guard.agent),
      title: `${nameOfAgent(guard.agent)} no longer asks toolgate before it runs commands`,
      detail: { Agent: nameOfAgent(guard.agent), File: guard.file, Why: WHY[guard.state], Mend: mendOf(guard) },
      callId: null,
    }));
    insertAlerts(tx, alerts, channels, now);
    return lost.length > 0 && channels.length > 0;
  });
}

function isKnown(text: string | null, agent: string): boolean {
  return text !== null && (JSON.parse(text) as string[]).includes(agent);
}

function eventOf({ agent, state, file }: Guard, now: number) {
  return {
    type: state === 'guarded' ? ('agent.guarded' as const) : ('agent.unguarded' as const),
    ts: now,
    'gen_ai.agent.name': nameOfAgent(agent),
    'toolgate.file': file,
    ...(state !== 'guarded' && { 'toolgate.error': WHY[state] }),
  };
}

/** What is wrong with it, in words. */
export const WHY: Record<GuardState, string> = {
  guarded: 'it asks toolgate before it runs commands',
  missing: 'no hook of toolgate is registered there',
  off: 'it switches all hooks off',
  stale: 'the program that is registered there is gone',
};

export function mendOf({ agent }: Guard): string {
  return `toolgate hook --print ${agent}`;
}

/** What a client does, and what if its hook can't answer, in one line. */
export function guardWords({ agent, state, file }: Guard): string {
  const hangs = state === 'guarded' ? `; ${WHEN_IT_HANGS[agent as HookAgent]}` : ` (${file})`;
  return `${WHY[state]}${hangs}`;
}
