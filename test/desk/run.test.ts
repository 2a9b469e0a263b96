import { afterEach, describe, expect, test, vi } from 'vitest';
import type { AlertChannel } from '../../src/call.ts';
import { isLocked, takeLock } from '../../src/desk/lock.ts';
import { runDesk } from '../../src/desk/run.ts';
import { insertAlerts, listAlerts, type Severity } from '../../src/notify/alerts.ts';
import type { Claimed } from '../../src/notify/deliver.ts';
import type { Attempt } from '../../src/notify/slack.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { eventually } from '../support/gate.ts';
import { scratch } from '../support/scratch.ts';

afterEach(() => void vi.useRealTimers());

const channels: AlertChannel[] = ['slack'];
const write = (store: Store, title: string, severity: Severity = 'medium') =>
  store.write((tx) =>
    insertAlerts(
      tx,
      [{ severity, kind: 'call', policy: 'p', agent: 'a', title, detail: {}, callId: null }],
      channels,
      Date.now(),
    ),
  );

function desk(idleMs?: number) {
  const where = scratch();
  const store = openStore(where.state);
  const stop = new AbortController();
  const sent: string[] = [];
  let answer: () => Attempt = () => ({ kind: 'sent' });
  const send = async ({ alert }: Claimed) => {
    const attempt = answer();
    if (attempt.kind === 'sent') sent.push(alert.title);
    return attempt;
  };
  const ended = () =>
    runDesk({
      store,
      stateFolder: where.state,
      send,
      open: async () => ({ port: 0, changed: () => {}, inUse: () => false, close: async () => {} }),
      approvals: { sweep: () => {}, isOverdue: () => false },
      log: () => {},
      signal: stop.signal,
      ...(idleMs !== undefined && { idleMs }),
    });
  const answering = (next: () => Attempt) => {
    answer = next;
  };
  return { where, store, stop, sent, ended, answering };
}

describe('the desk', () => {
  test('delivers what was written before and while it runs, the severest first, each once', async () => {
    const { store, stop, sent, ended } = desk();
    await write(store, 'low', 'low');
    await write(store, 'high', 'high');
    await write(store, 'medium');
    const end = ended();
    await eventually(() => sent.length === 3);
    const other = openStore(store.folder);
    await write(other, 'later');
    other.close();
    await eventually(() => sent.length === 4);
    stop.abort();
    expect(await end).toBe('ended');
    expect(sent).toEqual(['high', 'medium', 'low', 'later']);
    expect(
      (await store.read((tx) => listAlerts(tx, 10))).every(({ deliveries }) => deliveries[0]!.state === 'sent'),
    ).toBe(true);
    store.close();
  });

  test('is one: a second finds the lock held; when the first ends, the lock is free', async () => {
    const { where, store, stop, ended } = desk();
    const end = ended();
    await eventually(() => isLocked(where.state));
    expect(takeLock(where.state)).toBeNull();
    stop.abort();
    await end;
    expect(isLocked(where.state)).toBe(false);
    store.close();
  });

  test('ends by itself when it is idle, not while something waits', async () => {
    const { store, sent, ended, answering } = desk(300);
    answering(() => ({ kind: 'later', why: 'down', waitMs: null }));
    await write(store, 'a');
    const end = ended();
    let over = false;
    void end.then(() => {
      over = true;
    });
    await eventually(async () => (await store.read((tx) => listAlerts(tx, 1)))[0]!.deliveries[0]!.attempts >= 2);
    expect(over).toBe(false);
    answering(() => ({ kind: 'sent' }));
    expect(await end).toBe('ended');
    expect(sent).toEqual(['a']);
    store.close();
  });

  test('ends when its store is taken away', async () => {
    const { rmSync } = await import('node:fs');
    const { where, store, ended } = desk();
    const end = ended();
    await eventually(() => isLocked(where.state));
    rmSync(where.state, { recursive: true });
    expect(await end).toBe('ended');
    store.close();
  });

  test.each([
    ['back', -3_600_000],
    ['forward', 3_600_000],
  ])('sends each alert once, and soon, though the clock is set an hour %s', async (_, jump) => {
    const { store, stop, sent, ended, answering } = desk();
    answering(() => ({ kind: 'later', why: 'down', waitMs: null }));
    await write(store, 'a');
    const end = ended();
    await eventually(async () => (await store.read((tx) => listAlerts(tx, 1)))[0]!.deliveries[0]!.attempts === 1);
    answering(() => ({ kind: 'sent' }));
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + jump });
    const started = performance.now();
    while (sent.length === 0 && performance.now() - started < 5000)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(sent).toEqual(['a']);
    vi.useRealTimers();
    await eventually(async () => (await store.read((tx) => listAlerts(tx, 1)))[0]!.deliveries[0]!.state === 'sent');
    expect(sent).toEqual(['a']);
    stop.abort();
    await end;
    store.close();
  });
});
