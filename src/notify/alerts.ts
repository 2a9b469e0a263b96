/** Alerts as rows: written in the transaction of the event they belong to, delivered by the desk, once per channel. */
import type { AlertChannel } from '../call.ts';
import { newId } from '../ids.ts';
import { redact } from '../redact.ts';
import type { Transaction } from '../store/store.ts';

export type Severity = 'low' | 'medium' | 'high';

/** What is told to people. */
export interface NewAlert {
  readonly severity: Severity;
  /** `call`, `agent`, `rules`, `approval` */
  readonly kind: string;
  readonly policy: string | null;
  readonly agent: string | null;
  /** one line */
  readonly title: string;
  /** named values, in the order to show them */
  readonly detail: Readonly<Record<string, string>>;
  readonly callId: string | null;
  /** the question that it tells of */
  readonly approvalId?: string;
  /** which of the channels get it; without it all do */
  readonly channels?: readonly AlertChannel[] | null;
}

export interface AlertRow {
  readonly id: string;
  readonly created_at: number;
  readonly severity: Severity;
  readonly kind: string;
  readonly policy: string | null;
  readonly agent: string | null;
  readonly title: string;
  /** JSON of `detail` */
  readonly detail: string;
  readonly call_id: string | null;
  readonly approval_id: string | null;
}

export type DeliveryState = 'pending' | 'sending' | 'sent' | 'failed';

export interface DeliveryRow {
  readonly alert_id: string;
  readonly channel: AlertChannel;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly next_at: number;
  readonly claimed_by: string | null;
  readonly done_at: number | null;
  readonly error: string | null;
}

/** Writes alerts, redacted, with one open delivery for each of `channels` that the alert is for. */
export function insertAlerts(
  tx: Transaction,
  alerts: readonly NewAlert[],
  channels: readonly AlertChannel[],
  now: number,
): void {
  for (const alert of alerts) {
    const id = newId(now);
    const shown = redact({ title: alert.title, detail: alert.detail }) as { title: string; detail: unknown };
    tx.run(
      'INSERT INTO alerts (id, created_at, severity, kind, policy, agent, title, detail, call_id, approval_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      id,
      now,
      alert.severity,
      alert.kind,
      alert.policy,
      alert.agent,
      shown.title,
      JSON.stringify(shown.detail),
      alert.callId,
      alert.approvalId ?? null,
    );
    for (const channel of channels.filter((each) => alert.channels?.includes(each) ?? true))
      tx.run(
        "INSERT INTO deliveries (alert_id, channel, state, next_at) VALUES (?, ?, 'pending', ?)",
        id,
        channel,
        now,
      );
  }
}

export interface AlertWithDeliveries extends AlertRow {
  readonly deliveries: readonly DeliveryRow[];
}

/** The newest alerts, each with how far its delivery is. */
export function listAlerts(tx: Transaction, limit: number): AlertWithDeliveries[] {
  return tx.all<AlertRow>('SELECT * FROM alerts ORDER BY id DESC LIMIT ?', limit).map((alert) => ({
    ...alert,
    deliveries: tx.all<DeliveryRow>('SELECT * FROM deliveries WHERE alert_id = ? ORDER BY channel', alert.id),
  }));
}

/** How many deliveries are not done yet. */
export function openDeliveries(tx: Transaction): number {
  return tx.get<{ n: number }>("SELECT count(*) AS n FROM deliveries WHERE state IN ('pending', 'sending')")!.n;
}
