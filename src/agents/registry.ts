/** The inventory of agents: who was seen, since when, and what the owner said of them. */
import type { IdentityStrength, ReviewStatus } from '../call.ts';
import { sha256 } from '../digest.ts';
import { newSecret } from '../ids.ts';
import { getMeta, setMeta } from '../store/meta.ts';
import type { Transaction } from '../store/store.ts';
import type { Identity } from './identify.ts';

export interface AgentRow {
  readonly id: string;
  readonly name: string;
  readonly strength: IdentityStrength;
  readonly known_by: string;
  /** null: registered, not seen yet */
  readonly first_seen: number | null;
  readonly last_seen: number | null;
  /** set by command; null: nothing said */
  readonly status: ReviewStatus | null;
  readonly disallowed_raised: number;
  readonly key_hash: string | null;
}

const STRENGTH_RANK = "CASE strength WHEN 'token' THEN 2 WHEN 'registered' THEN 1 ELSE 0 END";

/** Writes that an agent was seen; says whether it is new. Exactly one of several processes is told so. */
export function seeAgent(tx: Transaction, identity: Identity, now: number): { isNew: boolean; row: AgentRow } {
  const before = findAgent(tx, identity.id);
  tx.run(
    `INSERT INTO agents (id, name, strength, known_by, first_seen, last_seen) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET last_seen = excluded.last_seen, first_seen = coalesce(first_seen, excluded.first_seen),
       strength = CASE WHEN ${STRENGTH_RANK} >= ? THEN strength ELSE excluded.strength END, known_by = excluded.known_by`,
    identity.id,
    identity.name,
    identity.strength,
    identity.knownBy,
    now,
    now,
    identity.strength === 'token' ? 2 : identity.strength === 'registered' ? 1 : 0,
  );
  return { isNew: before === undefined || before.first_seen === null, row: findAgent(tx, identity.id)! };
}

/** Marks that the alert for a disallowed agent was raised; false if it already was. */
export function markDisallowedRaised(tx: Transaction, id: string): boolean {
  return tx.run('UPDATE agents SET disallowed_raised = 1 WHERE id = ? AND disallowed_raised = 0', id) === 1;
}

export function clearDisallowedRaised(tx: Transaction, id: string): void {
  tx.run('UPDATE agents SET disallowed_raised = 0 WHERE id = ? AND disallowed_raised = 1', id);
}

/** How many agents were seen for the first time since then. */
export function newAgentsSince(tx: Transaction, since: number): number {
  return tx.get<{ n: number }>('SELECT count(*) AS n FROM agents WHERE first_seen > ?', since)!.n;
}

/** True once within each period: to say that there are too many. */
export function raiseFlood(tx: Transaction, now: number, periodMs: number): boolean {
  const last = getMeta(tx, 'agent_flood');
  if (last !== null && now - Number(last) < periodMs) return false;
  setMeta(tx, 'agent_flood', String(now));
  return true;
}

export function findAgent(tx: Transaction, id: string): AgentRow | undefined {
  return tx.get<AgentRow>('SELECT * FROM agents WHERE id = ?', id);
}

export function listAgents(tx: Transaction): AgentRow[] {
  return tx.all<AgentRow>('SELECT * FROM agents ORDER BY last_seen DESC, name');
}

/** Sets what the owner says of an agent, seen or not. */
export function setAgentStatus(tx: Transaction, agent: { id: string; name: string }, status: ReviewStatus): void {
  tx.run(
    `INSERT INTO agents (id, name, strength, known_by, status) VALUES (?, ?, 'claimed', 'nothing', ?)
     ON CONFLICT (id) DO UPDATE SET status = excluded.status`,
    agent.id,
    agent.name,
    status,
  );
}

/** Mints a key for an agent; only its hash is kept, so it can be shown once. An earlier key stops working. */
export function registerAgent(tx: Transaction, agent: { id: string; name: string }): string {
  const key = `tgk_${newSecret(24, 'base64url')}`;
  tx.run(
    `INSERT INTO agents (id, name, strength, known_by, key_hash) VALUES (?, ?, 'registered', 'key', ?)
     ON CONFLICT (id) DO UPDATE SET key_hash = excluded.key_hash`,
    agent.id,
    agent.name,
    sha256(key),
  );
  return key;
}

/** Whether a key is the one registered for the agent. */
export function keyMatches(tx: Transaction, id: string, key: string): boolean {
  return findAgent(tx, id)?.key_hash === sha256(key);
}
