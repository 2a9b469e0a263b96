/** Who is connected: what the connection shows of itself, and the agent that it is met as. */
import { type Credentials, identify } from '../agents/identify.ts';
import { agentNamed } from '../agents/names.ts';
import { keyMatches } from '../agents/registry.ts';
import type { Agent, Surroundings } from '../call.ts';
import type { House } from './house.ts';
import { meet } from './meet.ts';

/** Null if a key was given that isn't the registered one. */
export async function readCredentials(
  house: House,
  flag: string | null,
  warn: (text: string) => void,
): Promise<Credentials | null> {
  const key = process.env['TOOLGATE_AGENT_KEY'];
  if (flag === null && key !== undefined && key !== '') warn('TOOLGATE_AGENT_KEY is ignored: it needs --agent NAME');
  if (flag === null || key === undefined || key === '') return { flag, keyMatches: false, clientInfo: null };
  const matches = await house.store.read((tx) => keyMatches(tx, agentNamed(flag).id, key)).catch(() => false);
  return matches ? { flag, keyMatches: true, clientInfo: null } : null;
}

/** The agent of a connection, met once, and again whenever rules or statuses change. */
export function createVisitor(house: House, credentials: Credentials, surroundings: () => Surroundings) {
  let known = credentials;
  let met: { agent: Agent; version: number } | null = null;
  return {
    introduce: (clientInfo: NonNullable<Credentials['clientInfo']>) => {
      known = { ...known, clientInfo };
      met = null;
    },
    /** what its client calls itself */
    clientName: () => known.clientInfo?.name ?? null,
    forget: () => {
      met = null;
    },
    agent: async (): Promise<{ agent: Agent; alerted: boolean }> => {
      await house.rules.load();
      const version = await house.statuses.version();
      if (met?.version === version) return { agent: met.agent, alerted: false };
      const result = await meet(house, identify(known), surroundings());
      met = { agent: result.agent, version };
      return result;
    },
  };
}
