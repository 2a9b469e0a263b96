/** Whose turn is it to write? Those of one process stand in line, so that only one of them asks SQLite for its lock. */
import { setImmediate as nextTick, setTimeout as sleep } from 'node:timers/promises';
import { monotonicNow } from '../clock.ts';

/** How long each may wait for its turn and for the lock before it is given up. */
export const WAIT_MS = 5000;
/** So long a burst of turns may keep the event loop. */
const BURST_MS = 10;

interface Waiting {
  /** does its work and tells its caller; throws what is busy */
  readonly turn: () => void;
  readonly giveUp: (error: unknown) => void;
  readonly deadline: number;
}

/**
 * Runs each work to its end, one after the other in the order in which they came, the first at once. What `isBusy` knows is
 * tried again, first of all, until its time is over; then it and all whose time is over by then are rejected with that
 * error. Every other error is its own work's, and the next has its turn.
 */
export function createLine(isBusy: (error: unknown) => boolean, waitMs = WAIT_MS): <T>(work: () => T) => Promise<T> {
  const line: Waiting[] = [];

  const serve = async (): Promise<void> => {
    let tries = 0;
    let since = monotonicNow();
    while (line.length > 0) {
      try {
        line[0]!.turn();
        line.shift();
        tries = 0;
        if (line.length > 0 && monotonicNow() - since > BURST_MS) {
          await nextTick();
          since = monotonicNow();
        }
      } catch (error) {
        const now = monotonicNow();
        while (line.length > 0 && line[0]!.deadline <= now) line.shift()!.giveUp(error);
        if (line.length > 0) await sleep(Math.min(20, 2 + tries++) + Math.random() * 5);
        since = monotonicNow();
      }
    }
  };

  return (work) =>
    new Promise((resolve, reject) => {
      line.push({
        turn: () => {
          try {
            resolve(work());
          } catch (error) {
            if (isBusy(error)) throw error;
            reject(error);
          }
        },
        giveUp: reject,
        deadline: monotonicNow() + waitMs,
      });
      if (line.length === 1) void serve();
    });
}
