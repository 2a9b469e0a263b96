/** The desk: delivers alerts, and ends by itself when nothing has been left to do for a while. */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { countOpen } from '../approvals/book.ts';
import { writeEvents } from '../audit/chain.ts';
import { messageOf } from '../errors.ts';
import { newId } from '../ids.ts';
import { openDeliveries } from '../notify/alerts.ts';
import { type Claimed, claimNext, dueNow, nextDue, reopenLeftovers, settleDelivery } from '../notify/deliver.ts';
import type { Attempt } from '../notify/slack.ts';
import type { Store } from '../store/store.ts';
import { type Lock, takeLock } from './lock.ts';

const IDLE_MS = 15 * 60_000;
const POLL_MS = 100;
const CLOCK_JUMP_MS = 5000;
/** A probe for a running desk holds the lock for a moment: that is not a desk. */
const LOCK_TRIES = 20;
const LOCK_WAIT_MS = 50;

export interface DeskPorts {
  readonly store: Store;
  readonly stateFolder: string;
  readonly send: (claimed: Claimed) => Promise<Attempt>;
  readonly log: (message: string) => void;
  readonly signal: AbortSignal;
  readonly idleMs?: number;
}

/** Runs until it is stopped or idle. `busy`: another desk runs already. */
export async function runDesk(ports: DeskPorts): Promise<'ended' | 'busy'> {
  const id = newId();
  for (;;) {
    const lock = await awaitLock(ports);
    if (lock === null) return 'busy';
    try {
      await ports.store.write((tx) => {
        reopenLeftovers(tx);
        dueNow(tx);
        tx.run(
          "INSERT INTO meta (key, value) VALUES ('desk', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
          JSON.stringify({ id, pid: process.pid, startedAt: Date.now() }),
        );
        tx.run("DELETE FROM meta WHERE key = 'desk_stop'");
      });
      await work(id, ports);
    } finally {
      lock.release();
    }
    // Somebody may have written an alert while we still held the lock, and so started no other desk.
    if (ports.signal.aborted || (await ports.store.read(openDeliveries)) === 0 || (await stopAsked(ports)))
      return 'ended';
  }
}

async function awaitLock(ports: DeskPorts): Promise<Lock | null> {
  for (let tries = 0; tries < LOCK_TRIES && !ports.signal.aborted; tries++) {
    const lock = takeLock(ports.stateFolder);
    if (lock !== null) return lock;
    await sleep(LOCK_WAIT_MS);
  }
  return null;
}

async function work(id: string, ports: DeskPorts): Promise<void> {
  const { store, signal } = ports;
  let idleSince = performance.now();
  let version = -1;
  let due: number | null = 0;
  let clock = Date.now() - performance.now();
  while (!signal.aborted) {
    // A store that was taken away has nothing left to deliver.
    if (!existsSync(ports.stateFolder)) return;
    try {
      const offset = Date.now() - performance.now();
      if (Math.abs(offset - clock) > CLOCK_JUMP_MS) {
        // The wall clock was set: what waits for a time of the old one is due now.
        await store.write(dueNow);
        version = -1;
      }
      clock = offset;
      const now = store.dataVersion();
      if (now !== version || (due !== null && due <= Date.now())) {
        version = now;
        if (await stopAsked(ports)) return;
        if (await deliverAll(id, ports)) idleSince = performance.now();
        due = await store.read(nextDue);
      }
      if (due !== null || (await store.read(countOpen)) > 0) idleSince = performance.now();
      if (performance.now() - idleSince > (ports.idleMs ?? IDLE_MS)) return;
    } catch (error) {
      ports.log(messageOf(error));
    }
    await sleep(POLL_MS, undefined, { signal }).catch(() => {});
  }
}

async function deliverAll(id: string, ports: DeskPorts): Promise<boolean> {
  let some = false;
  while (!ports.signal.aborted) {
    const claimed = await ports.store.write((tx) => claimNext(tx, id, Date.now()));
    if (claimed === null) return some;
    some = true;
    const attempt = await ports
      .send(claimed)
      .catch((error): Attempt => ({ kind: 'later', why: messageOf(error), waitMs: null }));
    const now = Date.now();
    await ports.store.write((tx) => {
      const end = settleDelivery(tx, claimed, attempt, now);
      if (end === 'later') return;
      writeEvents(tx, [
        {
          type: end === 'sent' ? 'alert.sent' : 'alert.failed',
          ts: now,
          'toolgate.alert': claimed.alert.id,
          'toolgate.channel': claimed.delivery.channel,
          'toolgate.policy.name': claimed.alert.policy,
          'toolgate.attempts': claimed.delivery.attempts,
          ...(attempt.kind !== 'sent' && { 'toolgate.error': attempt.why }),
        },
      ]);
    });
  }
  return some;
}

async function stopAsked({ store }: DeskPorts): Promise<boolean> {
  return store.read((tx) => tx.get("SELECT 1 FROM meta WHERE key = 'desk_stop'") !== undefined);
}
