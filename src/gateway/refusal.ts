/** What an agent is told when its call does not run: which policy, what to do instead, and nothing about what else exists. */
import type { Decision } from '../call.ts';
import type { GatewayError } from '../errors.ts';
import type { Judged } from '../flow.ts';

/** Our own key in `_meta`; upstreams can't set it. */
const META_KEY = 'toolgate/decision';

export interface Refusal {
  readonly text: string;
  readonly meta: Readonly<Record<string, unknown>>;
}

export function refusalOf(judged: Judged, why: string): Refusal {
  const { decision } = judged;
  return { text: `${sentence(judged)}${why === '' ? '' : ` ${why}`}`, meta: metaOf(decision, judged.callId) };
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

function sentence({ decision, calls }: Judged): string {
  const call = calls[0];
  const { deciding } = decision;
  const what =
    call === undefined
      ? 'this call'
      : `${call.integrations[0]?.title ?? 'unknown'} · ${call.tools[0]?.title ?? call.calledName}`;
  const own = deciding.place === null ? `the rule ${deciding.policy}` : `the policy "${deciding.policy}"`;
  const did = decision.effect === 'require approval' ? 'asks a person first' : 'blocks it';
  const note = deciding.message === null ? '' : ` ${deciding.message}`;
  const advice =
    decision.effect === 'block'
      ? ' Do not try it again or by another way; tell the user what you wanted to do and why.'
      : '';
  return `toolgate: ${what} was not run: ${own} ${did}.${note}${advice}`;
}

function metaOf(decision: Decision, callId: string): Readonly<Record<string, unknown>> {
  return { [META_KEY]: { decision: decision.effect, policy: decision.deciding.policy, call_id: callId } };
}
