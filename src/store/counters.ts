/** Counters that all processes share: each counts the calls of a window of time that ends now. */
import type { Counter } from '../call.ts';
import type { Transaction } from './store.ts';

/** How many calls each counter holds, one of them left out if it is there. */
export function countsIn(
  tx: Transaction,
  counters: readonly Counter[],
  now: number,
  exceptCallId: string,
): Map<string, number> {
  return new Map(
    counters.map(({ key, over, within }) => [
      key,
      tx.get<{ n: number }>(
        'SELECT count(*) AS n FROM (SELECT 1 FROM counted WHERE counter = ? AND at > ? AND call_id <> ? LIMIT ?)',
        key,
        now - within,
        exceptCallId,
        over + 1,
      )!.n,
    ]),
  );
}

/** Counts a call in each of the counters, and forgets what is older than their windows. */
export function countIn(tx: Transaction, counters: readonly Counter[], callId: string, now: number): void {
  for (const { key, within } of counters) {
    tx.run('DELETE FROM counted WHERE counter = ? AND at <= ?', key, now - within);
    tx.run(
      'INSERT OR IGNORE INTO counted (counter, at, call_id, until) VALUES (?, ?, ?, ?)',
      key,
      now,
      callId,
      now + within,
    );
  }
}

/** Takes a call out of the counters again. `at`: when it was counted. */
export function uncountIn(tx: Transaction, counters: readonly Counter[], callId: string, at: number): void {
  for (const { key } of counters)
    tx.run('DELETE FROM counted WHERE counter = ? AND at = ? AND call_id = ?', key, at, callId);
}

/** Forgets what no policy counts any more. */
export function sweepCounters(tx: Transaction, now: number): void {
  tx.run('DELETE FROM counted WHERE until <= ?', now);
}
