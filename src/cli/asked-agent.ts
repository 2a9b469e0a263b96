/** The agent that somebody asks about, as it would be judged now: its status from the file, or the review. */
import { fixedStatus, type Identity, identify } from '../agents/identify.ts';
import { agentNamed } from '../agents/names.ts';
import { findAgent } from '../agents/registry.ts';
import type { Agent, IdentityStrength, ReviewStatus } from '../call.ts';
import type { CompiledPolicies } from '../policy/compile.ts';
import type { House } from './house.ts';

/** Only a claim, unless it is said otherwise. */
export async function askedAgent(
  house: House,
  policies: CompiledPolicies,
  name: string | null,
  asIf: { readonly identity?: IdentityStrength | undefined; readonly status?: ReviewStatus | undefined } = {},
): Promise<Agent> {
  const row = await house.store.read((tx) => findAgent(tx, agentNamed(name ?? '').id));
  const identity: Identity = identify({ flag: name, keyMatches: asIf.identity === 'registered', clientInfo: null });
  const { mixedScripts: _, ...known } = identity;
  const status = asIf.status ?? fixedStatus(policies.file.agents, identity) ?? row?.status ?? 'Unreviewed';
  return { ...known, strength: asIf.identity ?? identity.strength, status };
}
