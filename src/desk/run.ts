/** The desk: delivers alerts, and ends by itself when nothing has been left to do for a while. */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Book, openApprovals } from '../approvals/book.ts';
import { writeEvents } from '../audit/chain.ts';
import { messageOf } from '../errors.ts';
import { newId } from '../ids.ts';
import { openDeliveries } from '../notify/alerts.ts';
import { type Claimed, claimNext, dueNow, nextDue, reopenLeftovers, settleDelivery } from '../notify/deliver.ts';
import type { Attempt } from '../notify/slack.ts';
import { getMeta, setMeta } from '../store/meta.ts';
import type { Store, Transaction } from '../store/store.ts';
import type { DeskFacts } from './facts.ts';
import { type Lock, takeLock } from './lock.ts';

const IDLE_MS = 15 * 60_000;
const POLL_MS = 100;
const CLOCK_JUMP_MS = 5000;
const SWEEP_MS = 1000;
/** A probe for a running desk holds the lock for a moment: that is not a desk. */
const LOCK_TRIES = 20;
const LOCK_WAIT_MS = 50;

export interface DeskPorts {
  readonly store: Store;
  readonly stateFolder: string;
  readonly send: (claimed: Claimed) => Promise<Attempt>;
  /** opens what people see and answer; called while the lock is held */
  readonly open: (deskId: string) => Promise<DeskRooms>;
  /** ends the approvals whose time is over, and those that no connection can use any more */
  readonly approvals: Pick<Book, 'sweep' | 'isOverdue'>;
  readonly log: (message: string) => void;
  readonly signal: AbortSignal;
  readonly idleMs?: number;
}

/** What a running desk shows to people. */
export interface DeskRooms {
  /** where the console is, for `status` and for links */
  readonly port: number;
  /** the store has changed */
  readonly changed: () => void;
  /** somebody is looking: it must not end */
  readonly inUse: () => boolean;
  readonly close: () => Promise<void>;
}

/** Runs until it is stopped or idle. `busy`: another desk runs already. */
export async function runDesk(ports: DeskPorts): Promise<'ended' | 'busy'> {
  const id = newId();
  const startedAt = Date.now();
  // The store is made here if there is none; from then on a folder that has gone is not made again.
  const earlierStop = await ports.store.read(deskStop);
  for (;;) {
    const lock = await awaitLock(ports);
    if (lock === null) return existsSync(ports.stateFolder) ? 'busy' : 'ended';
    let rooms: DeskRooms | null = null;
    try {
      const opened = await ports.open(id);
      rooms = opened;
      await ports.store.write((tx) => {
        reopenLeftovers(tx);
        dueNow(tx);
        const facts: DeskFacts = { id, pid: process.pid, startedAt, port: opened.port };
        setMeta(tx, 'desk', JSON.stringify(facts));
      });
      await work(id, earlierStop, ports, opened);
    } finally {
      await rooms?.close();
      lock.release();
    }
    // Somebody may have written an alert while we still held the lock, and so started no other desk.
    if (ports.signal.aborted || (await ports.store.read(openDeliveries)) === 0 || (await stopAsked(ports, earlierStop)))
      return 'ended';
  }
}

async function awaitLock(ports: DeskPorts): Promise<Lock | null> {
  for (let tries = 0; tries < LOCK_TRIES && !ports.signal.aborted && existsSync(ports.stateFolder); tries++) {
    const lock = takeLock(ports.stateFolder);
    if (lock !== null) return lock;
    await sleep(LOCK_WAIT_MS);
  }
  return null;
}

async function work(id: string, earlierStop: string | null, ports: DeskPorts, rooms: DeskRooms): Promise<void> {
  const { store, signal } = ports;
  let idleSince = performance.now();
  let version = -1;
  let due: number | null = 0;
  let open: ReturnType<typeof openApprovals> = { count: 0, lastEnded: null };
  let erased: number | null = null;
  let sweepAt = 0;
  let clock = Date.now() - performance.now();
  let delivering: Promise<void> | null = null;
  while (!signal.aborted) {
    // A store that was taken away has nothing left to deliver.
    if (!existsSync(ports.stateFolder)) break;
    try {
      const offset = Date.now() - performance.now();
      const clockWasSet = Math.abs(offset - clock) > CLOCK_JUMP_MS;
      clock = offset;
      // What waits for a time of the old clock is due now.
      if (clockWasSet) {
        await store.write(dueNow);
        sweepAt = 0;
      }
      if (performance.now() >= sweepAt) {
        sweepAt = performance.now() + SWEEP_MS;
        if (await store.read((tx) => ports.approvals.isOverdue(tx, Date.now()))) {
          await store.write((tx) => ports.approvals.sweep(tx, Date.now()));
          version = -1;
        }
      }
      const now = store.dataVersion();
      if (now !== version || (due !== null && due <= Date.now())) {
        version = now;
        rooms.changed();
        if (await stopAsked(ports, earlierStop)) break;
        delivering ??= deliverAll(id, ports)
          .then((some) => {
            // Its own writes don't count as a change: when the next attempt is due must be read.
            if (some) version = -1;
          })
          .catch((error) => ports.log(messageOf(error)))
          .finally(() => {
            delivering = null;
          });
        [due, open] = await store.read((tx) => [nextDue(tx), openApprovals(tx)] as const);
      }
      // The request of what has ended was erased, but for the log.
      if (open.lastEnded !== erased && store.emptyLog()) erased = open.lastEnded;
      if (due !== null || delivering !== null || open.count > 0 || rooms.inUse()) idleSince = performance.now();
      if (performance.now() - idleSince > (ports.idleMs ?? IDLE_MS)) break;
    } catch (error) {
      ports.log(messageOf(error));
    }
    await sleep(POLL_MS, undefined, { signal }).catch(() => {});
  }
  await delivering;
}

/** True if anything was tried. */
async function deliverAll(id: string, ports: DeskPorts): Promise<boolean> {
  let some = false;
  while (!ports.signal.aborted) {
    // Only what is due is worth a write, which others would have to wait for.
    const due = await ports.store.read(nextDue);
    if (due === null || due > Date.now()) return some;
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

/** Whoever was started before the stop was asked for ends, one that still waits for the lock too. No clock is asked. */
async function stopAsked({ store }: DeskPorts, earlier: string | null): Promise<boolean> {
  return (await store.read(deskStop)) !== earlier;
}

function deskStop(tx: Transaction): string | null {
  return getMeta(tx, 'desk_stop');
}

/** Asks the desk that runs, and those that wait to, to end. */
export function askDeskToStop(tx: Transaction): void {
  setMeta(tx, 'desk_stop', newId());
}
