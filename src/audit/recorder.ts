/**
 * Writes events at the right moment: at once where something is about to happen, together within 50 ms where it only
 * reads or is already over. If such a delayed write fails, nothing more may run until one succeeds.
 */
import type { Store, Transaction } from '../store/store.ts';
import { appendEvents } from './chain.ts';
import type { AuditEvent } from './events.ts';

const DELAY_MS = 50;
const BATCH = 256;

export interface Recorder {
  /** Committed when it resolves, together with what `also` writes. Throws `store_unavailable`. */
  readonly now: (events: readonly AuditEvent[], also?: (tx: Transaction) => void) => Promise<void>;
  /** Committed within 50 ms. Throws only if an earlier delayed write failed and the store still can't be written. */
  readonly soon: (event: AuditEvent) => Promise<void> | void;
  /** Writes what is waiting. */
  readonly flush: () => Promise<void>;
}

export function createRecorder(store: Store): Recorder {
  let waiting: AuditEvent[] = [];
  let timer: NodeJS.Timeout | null = null;
  let failed = false;
  let writing: Promise<void> = Promise.resolve();

  const flush = (also?: (tx: Transaction) => void, more: readonly AuditEvent[] = []): Promise<void> => {
    // One write at a time keeps the order of events; each takes all that waits when its turn comes.
    const write = writing.then(async () => {
      const events = [...waiting, ...more];
      if (events.length === 0 && also === undefined) return;
      waiting = [];
      if (timer !== null) clearTimeout(timer);
      timer = null;
      try {
        await store.write((tx) => {
          appendEvents(tx, events);
          also?.(tx);
        });
        failed = false;
      } catch (error) {
        waiting = [...events.slice(0, events.length - more.length), ...waiting];
        failed = waiting.length > 0;
        throw error;
      }
    });
    writing = write.catch(() => {});
    return write;
  };

  return {
    now: (events, also) => flush(also, events),
    soon: (event) => {
      if (failed) return flush(undefined, [event]);
      waiting.push(event);
      if (waiting.length >= BATCH) {
        flush().catch(() => {});
      } else {
        timer ??= setTimeout(() => {
          flush().catch(() => {});
        }, DELAY_MS);
      }
    },
    flush: () => flush(),
  };
}
