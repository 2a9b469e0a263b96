/** Meets an agent: writes it into the inventory, judges its discovery, and says who it is from then on. */
import { fixedStatus, type Identity } from '../agents/identify.ts';
import { clearDisallowedRaised, markDisallowedRaised, seeAgent } from '../agents/registry.ts';
import { appendEvents } from '../audit/chain.ts';
import type { Agent } from '../call.ts';
import { insertAlerts, type NewAlert } from '../notify/alerts.ts';
import { decideDiscovery } from '../policy/decide.ts';
import type { House } from './house.ts';
import { channelsOf } from './house.ts';

export interface Met {
  readonly agent: Agent;
  /** alerts were written: the desk has something to deliver */
  readonly alerted: boolean;
}

/** "An agent is discovered" is judged once per agent, and again when it becomes Disallowed. */
export async function meet(house: House, identity: Identity): Promise<Met> {
  const { rules } = await house.rules.load();
  const now = Date.now();
  const { mixedScripts, ...known } = identity;
  return house.store.write((tx) => {
    const { isNew, row } = seeAgent(tx, identity, now);
    const status =
      (rules === null ? null : fixedStatus(rules.policies.file.agents, identity)) ?? row.status ?? 'Unreviewed';
    const agent: Agent = { ...known, status };
    const disallowed = status === 'Disallowed' ? markDisallowedRaised(tx, identity.id) : false;
    if (status !== 'Disallowed') clearDisallowedRaised(tx, identity.id);
    if (!isNew && !disallowed) return { agent, alerted: false };
    const { reasons, alerts } =
      rules === null ? { reasons: [], alerts: [] } : decideDiscovery(rules.policies, { agent });
    appendEvents(tx, [
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
        }),
      ),
      channels,
      now,
    );
    return { agent, alerted: alerts.length > 0 && channels.length > 0 };
  });
}
