/** What an agent is told when its call does not run: which policy, what to do instead, and nothing about what else exists. */
import type { GatewayError } from '../errors.ts';
import type { Judged, Refused } from '../flow.ts';

/** Our own key in `_meta`; upstreams can't set it. */
const META_KEY = 'toolgate/decision';

export interface Refusal {
  readonly text: string;
  readonly meta: Readonly<Record<string, unknown>>;
}

export function refusalOf(judged: Judged, why: Refused): Refusal {
  const { decision, callId } = judged;
  const meta = { decision: decision.effect, policy: decision.deciding.policy, call_id: callId };
  return {
    text: `toolgate: ${sentence(judged, why)}`,
    meta: {
      [META_KEY]:
        why.kind === 'pending'
          ? { ...meta, approval: why.code, decide_by: new Date(why.decideBy).toISOString() }
          : meta,
    },
  };
}

/** Something is broken: it did not run, or it ran and its answer can't be given. */
export function brokenOf(judged: Judged | null, error: GatewayError): Refusal {
  const ran = judged !== null && (error.code === 'timeout' || error.code === 'result_too_large');
  const start =
    judged === null
      ? 'toolgate could not judge this call, so it was not run'
      : ran
        ? "The call was sent, but its answer can't be given"
        : 'The call could not be completed';
  return {
    text: `${start}: ${error.message}`,
    meta: { [META_KEY]: { error: error.code, ...(judged !== null && { call_id: judged.callId }) } },
  };
}

function sentence(judged: Judged, why: Refused): string {
  const { deciding } = judged.decision;
  const what = whatOf(judged);
  const rule = deciding.place === null ? `the rule ${deciding.policy}` : `the policy "${deciding.policy}"`;
  // What the owner wants to be told comes last, once, after what has happened.
  const told = (text: string, message = deciding.message) => `${text}${message === null ? '' : ` ${message}`}`;
  const asks = `${what} was not run: ${rule} asks a person first`;
  const again =
    judged.calls[0]?.via === 'cli' ? 'run exactly the same command again' : 'call again with the same arguments';
  switch (why.kind) {
    case 'blocked':
      return `${told(`${what} was not run: ${rule} blocks it.`)} Do not try it again or by another way; tell the user what you wanted to do and why.`;
    case 'pending':
      return told(
        `pending ${why.code}: ${asks}, and waits for the answer. Ask the user to answer in toolgate ("toolgate approvals" lists it), then ${again}. It can be answered until ${clock(why.decideBy)}.`,
      );
    case 'denied':
      return told(
        `${asks}, and it was denied by ${why.by}${why.reason === null ? '.' : `, who says: ${JSON.stringify(why.reason)}`} Do not try it again or by another way.`,
      );
    case 'blocked now':
      return `${told(`${what} was not run: while it waited for a person, the policy "${why.policy}" came to block it.`, why.message)} Do not try it again or by another way.`;
    case 'expired':
      return told(
        `${asks}, and nobody answered ${why.code} in time. Tell the user; call again only if they want you to.`,
      );
    case 'not asked':
      return told(`${asks}, and nobody could be asked, so it is denied: ${why.why}. Tell the user.`);
    case 'changed':
      return `${what} was not run: it was approved, but ${why.why}. Call again, and it will be asked anew.`;
    case 'failed':
      return `${asks}, and while it waited something broke: ${why.why}`;
    case 'cancelled':
      return `${what} was not run: the call was cancelled while it waited for a person.`;
  }
}

function whatOf({ calls }: Judged): string {
  const call = calls[0];
  if (call === undefined) return 'this call';
  if (call.via === 'cli') return `this command (${calls.map(({ calledName }) => calledName).join(', ')})`;
  return `${call.integrations[0]?.title ?? 'unknown'} · ${call.tools[0]?.title ?? call.calledName}`;
}

/** The time of day for the user beside the agent. */
function clock(ms: number): string {
  const time = new Date(ms);
  return `${String(time.getHours()).padStart(2, '0')}:${String(time.getMinutes()).padStart(2, '0')}`;
}
