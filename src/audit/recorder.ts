/**
 * Writes events at the right moment: at once where something is about to happen, together within 50 ms where it only
 * reads or is already over. One write is under way at a time and takes all that waits. As soon as what waits has
 * become old, because the store is slow or can't be written, reads too wait for their record.
 */
import { monotonicNow } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Store, Transaction } from '../store/store.ts';
import { appendEvents, type PreparedEvent, prepareEvent } from './chain.ts';
import type { AuditEvent } from './events.ts';

const DELAY_MS = 50;
/** A delayed event that is older than this is overdue. */
const OVERDUE_MS = 100;
const BATCH = 256;

export interface Recorder {
  /** Committed when it resolves, together with what `also` writes. Throws `store_unavailable`. */
  readonly now: (events: readonly AuditEvent[], also?: (tx: Transaction) => void) => Promise<void>;
  /**
   * Committed within 50 ms; if earlier ones are overdue, committed when it resolves, or it throws. The event is made
   * when it is written, away from the call that it is about: what it is made from must not change. If it can't be made,
   * `orElse` is written: nothing that was done is left out, and nothing stays in the way of what comes after.
   */
  readonly soon: (event: () => AuditEvent, orElse: (why: string) => AuditEvent) => Promise<void> | void;
  /** Writes what is waiting. */
  readonly flush: () => Promise<void>;
  /** Forgets what is waiting: it did not come to pass. */
  readonly forget: () => void;
}

interface Item {
  readonly events: () => readonly PreparedEvent[];
  readonly also: ((tx: Transaction) => void) | null;
  /** null for a delayed event: nobody waits, and it is kept until it is written */
  readonly waiter: PromiseWithResolvers<void> | null;
}

/** Prepared at the first write, and the same at the next, should that one fail. */
function preparedOnce(event: () => AuditEvent, orElse: (why: string) => AuditEvent): () => readonly PreparedEvent[] {
  let prepared: readonly PreparedEvent[] | null = null;
  return () => {
    prepared ??= [surely(event, orElse)];
    return prepared;
  };
}

function surely(event: () => AuditEvent, orElse: (why: string) => AuditEvent): PreparedEvent {
  try {
    return prepareEvent(event());
  } catch (error) {
    return prepareEvent(orElse(messageOf(error)));
  }
}

export function createRecorder(store: Store): Recorder {
  let queue: Item[] = [];
  let writing = false;
  let timer: NodeJS.Timeout | null = null;
  let oldestAt: number | null = null;

  const enqueue = (item: Item): void => {
    queue.push(item);
    if (item.waiter === null) oldestAt ??= monotonicNow();
    if (item.waiter !== null || queue.length >= BATCH) start();
    else timer ??= setTimeout(start, DELAY_MS);
  };

  const start = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (!writing && queue.length > 0) void write();
  };

  const write = async (): Promise<void> => {
    writing = true;
    const items = queue;
    queue = [];
    try {
      const events = items.flatMap((item) => item.events());
      await store.write((tx) => {
        appendEvents(tx, events);
        for (const { also } of items) also?.(tx);
      });
      oldestAt = queue.some(({ waiter }) => waiter === null) ? monotonicNow() : null;
      for (const { waiter } of items) waiter?.resolve();
    } catch (error) {
      // Delayed events stay, in their order; those who wait are told, and what they asked for does not run.
      queue = [...items.filter(({ waiter }) => waiter === null), ...queue];
      for (const { waiter } of items) waiter?.reject(error);
    }
    writing = false;
    if (queue.some(({ waiter }) => waiter !== null)) void write();
    else if (queue.length > 0) timer ??= setTimeout(start, DELAY_MS);
  };

  const waitFor = (events: Item['events'], also: Item['also']): Promise<void> => {
    const waiter = Promise.withResolvers<void>();
    enqueue({ events, also, waiter });
    return waiter.promise;
  };
  const now: Recorder['now'] = (events, also) => {
    const prepared = events.map(prepareEvent);
    return waitFor(() => prepared, also ?? null);
  };

  return {
    now,
    soon: (event, orElse) => {
      const events = preparedOnce(event, orElse);
      if (oldestAt !== null && monotonicNow() - oldestAt > OVERDUE_MS) return waitFor(events, null);
      enqueue({ events, also: null, waiter: null });
    },
    // Nothing to write is no reason to open a store, which might have been taken away.
    flush: async () => {
      if (writing || queue.length > 0) await now([]);
    },
    forget: () => {
      queue = queue.filter(({ waiter }) => waiter !== null);
      oldestAt = null;
    },
  };
}
