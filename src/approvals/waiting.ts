/** Waits for approvals to be decided, in whatever process: one look at the store's change counter for all that wait. */
import type { Store } from '../store/store.ts';
import type { ApprovalState } from './approval.ts';

const POLL_MS = 50;

export interface Waiting {
  /** Resolves with the state once it is no longer open. Rejects only when `signal` aborts, with its reason. */
  readonly decided: (id: string, signal: AbortSignal) => Promise<ApprovalState>;
  /** this process itself has changed something: its own commits don't count as a change */
  readonly look: () => void;
}

export function createWaiting(store: Store): Waiting {
  const waiting = new Map<string, Set<(state: ApprovalState) => void>>();
  let timer: NodeJS.Timeout | null = null;
  let version = -1;
  let reading = false;

  const poll = () => {
    let now = -1;
    try {
      now = store.dataVersion();
    } catch {
      // Locked: nothing is known, and everything goes on waiting.
      return;
    }
    if (now === version || reading) return;
    reading = true;
    void read(now).finally(() => {
      reading = false;
    });
  };

  const read = async (seen: number) => {
    try {
      const ids = [...waiting.keys()];
      const states = await store.read((tx) =>
        ids.map(
          (id) =>
            [
              id,
              tx.get<{ state: ApprovalState }>('SELECT state FROM approvals WHERE id = ?', id)?.state ?? 'denied',
            ] as const,
        ),
      );
      version = seen;
      for (const [id, state] of states) if (state !== 'open') for (const tell of waiting.get(id) ?? []) tell(state);
    } catch {
      // The next look tries again.
    }
  };

  return {
    look: () => {
      version = -1;
    },
    decided: (id, signal) =>
      new Promise((resolve, reject) => {
        const done = () => {
          signal.removeEventListener('abort', abort);
          tellers.delete(tell);
          if (tellers.size === 0) waiting.delete(id);
          if (waiting.size > 0 || timer === null) return;
          clearInterval(timer);
          timer = null;
        };
        const tell = (state: ApprovalState) => {
          done();
          resolve(state);
        };
        const abort = () => {
          done();
          reject(signal.reason);
        };
        const tellers = waiting.get(id) ?? new Set();
        waiting.set(id, tellers);
        tellers.add(tell);
        version = -1;
        timer ??= setInterval(poll, POLL_MS);
        if (signal.aborted) abort();
        else signal.addEventListener('abort', abort, { once: true });
      }),
  };
}
