/** The line of one process's writes, in front of a lock that is free or not. */
import { setImmediate as nextTick } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createLine } from '../../src/store/line.ts';
import { eventually } from '../support/gate.ts';

class Busy extends Error {}

/** A line in front of a lock; `tried` names every work at each of its tries. */
function lineAtLock(free: boolean, waitMs?: number) {
  const lock = { free };
  const tried: string[] = [];
  const line = createLine((error) => error instanceof Busy, waitMs);
  const take = (name: string, result: () => unknown = () => name) =>
    line(() => {
      tried.push(name);
      if (!lock.free) throw new Busy('locked');
      return result();
    });
  return { lock, tried, take };
}

describe('the line of writes', () => {
  test('the first has its turn at once, in the same step', () => {
    const { tried, take } = lineAtLock(true);
    void take('a');
    expect(tried).toEqual(['a']);
  });

  test('at a lock only the first asks, and all come in the order in which they stood', async () => {
    const { lock, tried, take } = lineAtLock(false);
    const all = Promise.all(['a', 'b', 'c'].map((name) => take(name)));
    await eventually(() => tried.length >= 10);
    expect(new Set(tried)).toEqual(new Set(['a']));
    lock.free = true;
    expect(await all).toEqual(['a', 'b', 'c']);
    expect(tried.slice(tried.lastIndexOf('a'))).toEqual(['a', 'b', 'c']);
  });

  test('whose time is over is given up with all whose time is over by then; who came later still waits', async () => {
    const { lock, tried, take } = lineAtLock(false, 300);
    let late: Promise<unknown> | null = null;
    const early = ['a', 'b'].map((name) => take(name));
    await eventually(() => tried.length >= 5);
    late = take('late');
    expect((await Promise.allSettled(early)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(tried).not.toContain('b');
    lock.free = true;
    expect(await late).toBe('late');
  });

  test('what fails by itself hinders nobody', async () => {
    const { take } = lineAtLock(true);
    const fault = new Error('no space left');
    const results = await Promise.allSettled([
      take('a', () => {
        throw fault;
      }),
      take('b'),
    ]);
    expect(results).toMatchObject([
      { status: 'rejected', reason: fault },
      { status: 'fulfilled', value: 'b' },
    ]);
  });

  test('a long line lets the loop go on in between', async () => {
    const { lock, take } = lineAtLock(false);
    let done = 0;
    const slow = () => {
      const until = performance.now() + 2;
      while (performance.now() < until);
      done++;
    };
    const all = Promise.all(Array.from({ length: 50 }, (_, n) => take(`${n}`, slow)));
    lock.free = true;
    while (done === 0) await nextTick();
    expect(done).toBeLessThan(50);
    await all;
    expect(done).toBe(50);
  });
});
