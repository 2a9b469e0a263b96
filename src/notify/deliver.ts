/** Takes open deliveries one by one, the severest first; each is claimed before it is sent and settled after. */

import type { AlertChannel } from '../call.ts';
import type { Transaction } from '../store/store.ts';
import type { AlertRow, DeliveryRow } from './alerts.ts';
import type { Attempt } from './slack.ts';

/** Waits between attempts; after the last the delivery has failed, about a day later. */
const WAITS_MS: Record<AlertChannel, readonly number[]> = {
  slack: [
    2000, 5000, 15_000, 60_000, 300_000, 900_000, 3_600_000, 3_600_000, 3_600_000, 3_600_000, 7_200_000, 14_400_000,
    28_800_000,
  ],
  desktop: [2000, 10_000, 60_000],
};

export interface Claimed {
  readonly alert: AlertRow;
  readonly delivery: DeliveryRow;
  /** it was being sent when an earlier desk ended: it may have arrived already */
  readonly repeated: boolean;
}

const REPEATED = 'the desk ended while it was being sent';

/** Only one desk runs: what is still being sent when it starts was left by a dead one. */
export function reopenLeftovers(tx: Transaction): number {
  return tx.run(
    "UPDATE deliveries SET state = 'pending', next_at = 0, claimed_by = NULL, error = ? WHERE state = 'sending'",
    REPEATED,
  );
}

/** What waits for its next attempt is tried at once: after a start, and when the wall clock was set. */
export function dueNow(tx: Transaction): void {
  tx.run("UPDATE deliveries SET next_at = 0 WHERE state = 'pending'");
}

/** Claims the next delivery that is due; null if there is none. */
export function claimNext(tx: Transaction, desk: string, now: number): Claimed | null {
  const delivery = tx.get<DeliveryRow>(
    `SELECT d.* FROM deliveries d JOIN alerts a ON a.id = d.alert_id
     WHERE d.state = 'pending' AND d.next_at <= ?
     ORDER BY CASE a.severity WHEN 'high' THEN 0 WHEN 'medium' THEN 1 ELSE 2 END, d.next_at, d.alert_id LIMIT 1`,
    now,
  );
  if (delivery === undefined) return null;
  const claimed = tx.run(
    "UPDATE deliveries SET state = 'sending', claimed_by = ?, attempts = attempts + 1 WHERE alert_id = ? AND channel = ? AND state = 'pending'",
    desk,
    delivery.alert_id,
    delivery.channel,
  );
  if (claimed !== 1) return null;
  const alert = tx.get<AlertRow>('SELECT * FROM alerts WHERE id = ?', delivery.alert_id)!;
  return { alert, delivery: { ...delivery, attempts: delivery.attempts + 1 }, repeated: delivery.error === REPEATED };
}

/** Writes what came of an attempt; says whether the delivery has now failed for good. */
export function settleDelivery(
  tx: Transaction,
  { delivery }: Claimed,
  attempt: Attempt,
  now: number,
): 'sent' | 'later' | 'failed' {
  const set = (state: string, nextAt: number, error: string | null) =>
    tx.run(
      'UPDATE deliveries SET state = ?, next_at = ?, claimed_by = NULL, error = ?, done_at = ? WHERE alert_id = ? AND channel = ?',
      state,
      nextAt,
      error,
      state === 'pending' ? null : now,
      delivery.alert_id,
      delivery.channel,
    );
  if (attempt.kind === 'sent') {
    set('sent', now, null);
    return 'sent';
  }
  const wait = WAITS_MS[delivery.channel][delivery.attempts - 1];
  if (attempt.kind === 'never' || wait === undefined) {
    set('failed', now, attempt.why);
    return 'failed';
  }
  set('pending', now + Math.max(wait, attempt.waitMs ?? 0), attempt.why);
  return 'later';
}

/** When the next open delivery is due; null if none is open. */
export function nextDue(tx: Transaction): number | null {
  return (
    tx.get<{ next_at: number | null }>("SELECT min(next_at) AS next_at FROM deliveries WHERE state = 'pending'")
      ?.next_at ?? null
  );
}
