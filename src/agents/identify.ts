/** Who asks, and how surely we know. Pure. */
import { type Agent, foldName, type ReviewStatus } from '../call.ts';
import { agentNamed, mixesScripts } from './names.ts';

/** What a connection shows of itself. */
export interface Credentials {
  /** `--agent NAME` */
  readonly flag: string | null;
  /** whether the key that came with it is the one registered for that name */
  readonly keyMatches: boolean;
  /** `clientInfo` of the handshake; null before it */
  readonly clientInfo: { readonly name: string; readonly version?: string } | null;
}

export type Identity = Omit<Agent, 'status'> & { readonly mixedScripts: boolean };

/**
 * In order of trust: a registered name (flag and key), the flag alone, clientInfo. What clientInfo says beside a flag
 * stays a claim that policies match too.
 */
export function identify(credentials: Credentials): Identity {
  const { flag, keyMatches, clientInfo } = credentials;
  const claimed = clientInfo === null || clientInfo.name === '' ? null : agentNamed(clientInfo.name);
  const named = flag === null ? (claimed ?? agentNamed('')) : agentNamed(flag);
  const others = claimed !== null && claimed.id !== named.id ? [claimed.id, claimed.name] : [];
  const raw = clientInfo === null || clientInfo.name === '' ? [] : [clientInfo.name];
  return {
    id: named.id,
    name: named.name,
    aliases: flag !== null && foldName(flag) !== foldName(named.name) ? [flag] : [],
    claims: [...new Set([...others, ...raw])],
    strength: flag !== null && keyMatches ? 'registered' : 'claimed',
    knownBy: flag === null ? (clientInfo === null ? 'nothing' : 'clientInfo') : keyMatches ? 'key' : '--agent',
    mixedScripts: mixesScripts(named.name),
  };
}

/**
 * The status that the owner's file fixes; null if it says nothing of this agent. Disallowed counts for every name that
 * is claimed, Allowed only for the agent's own.
 */
export function fixedStatus(statuses: Readonly<Record<string, ReviewStatus>>, identity: Identity): ReviewStatus | null {
  const own = new Set([identity.id, identity.name, ...identity.aliases].map(foldName));
  const claimed = new Set(identity.claims.map(foldName));
  let result: ReviewStatus | null = null;
  for (const [name, status] of Object.entries(statuses)) {
    const names = [foldName(name), foldName(agentNamed(name).id)];
    if (status === 'Disallowed' && names.some((each) => own.has(each) || claimed.has(each))) return 'Disallowed';
    if (names.some((each) => own.has(each))) result ??= status;
  }
  return result;
}
