/** Meets an agent: writes it into the inventory, judges its discovery, and says who it is from then on. */
import { fixedStatus, type Identity } from '../agents/identify.ts';
import { agentNamed } from '../agents/names.ts';
import {
  type AgentRow,
  clearDisallowedRaised,
  findAgent,
  markDisallowedRaised,
  newAgentsSince,
  raiseFlood,
  seeAgent,
} from '../agents/registry.ts';
import { writeEvents } from '../audit/chain.ts';
import type { Agent, ReviewStatus, Surroundings } from '../call.ts';
import type { Rules } from '../config/rules.ts';
import { insertAlerts, type NewAlert } from '../notify/alerts.ts';
import { decideDiscovery } from '../policy/decide.ts';
import type { Transaction } from '../store/store.ts';
import { channelsOf, type House } from './house.ts';

export interface Met {
  readonly agent: Agent;
  /** alerts were written: the desk has something to deliver */
  readonly alerted: boolean;
}

/** So many new names within an hour are somebody's game: the rest is told in one line. */
const NEW_AGENTS_AN_HOUR = 20;
const HOUR_MS = 3_600_000;

/** What the owner says of an agent, in the file or by command. Disallowed counts for every name that it claims. */
function statusOf(
  tx: Transaction,
  fixed: ReviewStatus | null,
  identity: Identity,
  row: AgentRow | undefined,
): ReviewStatus {
  const said = [row?.status, ...identity.claims.map((claim) => findAgent(tx, agentNamed(claim).id)?.status)];
  return fixed === 'Disallowed' || said.includes('Disallowed') ? 'Disallowed' : (fixed ?? row?.status ?? 'Unreviewed');
}

/** So long an agent that was seen needs not be written down again: a hook of it comes with every command. */
const SEEN_MS = 10_000;

function isSeen(row: AgentRow, { strength, knownBy }: Identity, now: number): boolean {
  return (
    row.first_seen !== null &&
    row.last_seen !== null &&
    Math.abs(now - row.last_seen) < SEEN_MS &&
    row.strength === strength &&
    row.known_by === knownBy &&
    row.disallowed_raised === 0
  );
}

/** An agent that was met before, with the review status that it has now. */
export function metBefore(tx: Transaction, rules: Rules, known: Omit<Agent, 'status'>): Agent {
  const identity: Identity = { ...known, mixedScripts: false };
  return {
    ...known,
    status: statusOf(tx, fixedStatus(rules.policies.file.agents, identity), identity, findAgent(tx, known.id)),
  };
}

/** "An agent is discovered" is judged once per agent, and again when it becomes Disallowed. */
export async function meet(house: House, identity: Identity, surroundings: Surroundings): Promise<Met> {
  const { rules } = await house.rules.load();
  const now = Date.now();
  const { mixedScripts, ...known } = identity;
  const fixed = rules === null ? null : fixedStatus(rules.policies.file.agents, identity);
  const status = await house.store.read((tx) => {
    const row = findAgent(tx, identity.id);
    const status = statusOf(tx, fixed, identity, row);
    return row !== undefined && isSeen(row, identity, now) && status !== 'Disallowed' ? status : null;
  });
  if (status !== null) return { agent: { ...known, status }, alerted: false };
  return house.store.write((tx) => {
    if (findAgent(tx, identity.id) === undefined && newAgentsSince(tx, now - HOUR_MS) >= NEW_AGENTS_AN_HOUR) {
      if (raiseFlood(tx, now, HOUR_MS))
        writeEvents(tx, [
          {
            type: 'agent.discovered',
            ts: now,
            'gen_ai.agent.name': `(more than ${NEW_AGENTS_AN_HOUR} new agents within an hour; the rest is not listed)`,
          },
        ]);
      return { agent: { ...known, status: fixed ?? 'Unreviewed' }, alerted: false };
    }
    const { isNew, row } = seeAgent(tx, identity, now);
    const status = statusOf(tx, fixed, identity, row);
    const agent: Agent = { ...known, status };
    const disallowed = status === 'Disallowed' ? markDisallowedRaised(tx, identity.id) : false;
    if (status !== 'Disallowed') clearDisallowedRaised(tx, identity.id);
    if (!isNew && !disallowed) return { agent, alerted: false };
    const { reasons, alerts } =
      rules === null
        ? { reasons: [], alerts: [] }
        : decideDiscovery(rules.policies, { agent, gathered: { now, surroundings, earlier: [], counts: new Map() } });
    writeEvents(tx, [
      {
        type: isNew ? 'agent.discovered' : 'agent.review_changed',
        ts: now,
        'gen_ai.agent.id': agent.id,
        'gen_ai.agent.name': agent.name,
        'toolgate.agent.strength': agent.strength,
        'toolgate.agent.status': agent.status,
        'toolgate.agent.known_by': agent.knownBy,
        ...(mixedScripts && { 'toolgate.agent.mixed_scripts': true }),
        'toolgate.policy.reasons': reasons.map(({ policy, action, mode, place, answer }) => ({
          policy,
          action,
          mode,
          place,
          answer,
        })),
        ...(alerts.length > 0 && { 'toolgate.alerts': alerts.map(({ policy }) => policy) }),
        ...(rules !== null && { 'toolgate.rules': rules.hash }),
      },
    ]);
    const channels = channelsOf(house);
    insertAlerts(
      tx,
      alerts.map(
        (alert): NewAlert => ({
          severity: alert.severity,
          kind: 'agent',
          policy: alert.policy,
          agent: agent.name,
          title: isNew ? `New agent: ${agent.name} (${agent.status})` : `${agent.name} is now ${agent.status}`,
          detail: {
            Agent: agent.name,
            'Review status': agent.status,
            Identity: `${agent.strength}, by ${agent.knownBy}`,
            Policy: alert.policy,
          },
          callId: null,
          channels: alert.channels,
        }),
      ),
      channels,
      now,
    );
    return { agent, alerted: alerts.length > 0 && channels.length > 0 };
  });
}
