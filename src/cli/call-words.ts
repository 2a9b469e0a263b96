/** A call in words: the alerts that are raised of it. */
import type { AlertRaised, Call } from '../call.ts';
import type { Judged } from '../flow.ts';
import { maskedArguments } from '../mask.ts';
import type { NewAlert } from '../notify/alerts.ts';
import { redact } from '../redact.ts';

/** The alerts that a decision raises, in words. */
export function callAlerts(judged: Judged): NewAlert[] {
  return judged.decision.alerts.map((alert) => callAlert(judged, alert));
}

function callAlert(judged: Judged, alert: AlertRaised): NewAlert {
  const call = judged.calls[alert.call ?? 0]!;
  const what = `${titleOf(call)} · ${call.tools[0]?.title ?? call.calledName}`;
  const did = judged.decision.effect === 'allow' ? 'called' : 'tried to call';
  return {
    severity: alert.severity,
    kind: 'call',
    policy: alert.policy,
    agent: judged.agent.name,
    title: `${judged.agent.name} ${did} ${what}`,
    detail: {
      Agent: `${judged.agent.name} (${judged.agent.strength})`,
      Tool: `${what} (${call.calledName} on ${call.server ?? 'the shell'})`,
      Operation: call.operation ?? 'unknown',
      Decision: judged.decision.effect,
      Policy: alert.policy,
      Arguments: shorten(JSON.stringify(redact(maskedArguments(call, judged.decision.redact.args)))),
    },
    callId: judged.callId,
    channels: alert.channels,
  };
}

export function titleOf(call: Call): string {
  if (call.tools.length === 0 && call.integrations.length > 1) return 'any integration';
  return call.integrations[0]?.title ?? 'no integration';
}

/** Cut in the middle, where neither end is lost. */
export function shorten(text: string): string {
  return text.length <= 600 ? text : `${text.slice(0, 400)} … ${text.slice(-150)}`;
}
