/** What is written down: one event for everything that matters, each type with a stable short code. */
export const EVENT_CODES = {
  'call.decided': 'T1001',
  'call.completed': 'T1002',
  'command.unjudged': 'T1003',
  'agent.discovered': 'T2001',
  'agent.review_changed': 'T2002',
  'agent.registered': 'T2003',
  'agent.unguarded': 'T2004',
  'agent.guarded': 'T2005',
  'tool.discovered': 'T3001',
  'tool.definition_changed': 'T3002',
  'tool.review_changed': 'T3003',
  'tool.withheld': 'T3004',
  'rules.loaded': 'T4001',
  'rules.changed': 'T4002',
  'rules.reload_failed': 'T4003',
  'rules.proposed': 'T4004',
  'rules.accepted': 'T4005',
  'approval.requested': 'T5001',
  'approval.voted': 'T5002',
  'approval.approved': 'T5003',
  'approval.denied': 'T5004',
  'approval.expired': 'T5005',
  'approval.used': 'T5006',
  'approval.lapsed': 'T5007',
  'reviewer.registered': 'T5008',
  'approval.remembered': 'T5009',
  'approval.revoked': 'T5010',
  'alert.sent': 'T6001',
  'alert.failed': 'T6002',
  'gateway.started': 'T7001',
  'gateway.stopped': 'T7002',
  'upstream.failed': 'T7003',
} as const;

export type EventType = keyof typeof EVENT_CODES;

/** One event before it is written. Keys follow OpenTelemetry's `mcp.*` and `gen_ai.*` where they exist. */
export interface AuditEvent {
  readonly type: EventType;
  /** milliseconds since the epoch */
  readonly ts: number;
  readonly call_id?: string;
  readonly [key: string]: unknown;
}

/** One event as it stands in the chain. */
export interface StoredEvent {
  readonly seq: number;
  readonly body: AuditEvent & { readonly id: string; readonly code: string; readonly v: number };
  readonly hash: string;
}
