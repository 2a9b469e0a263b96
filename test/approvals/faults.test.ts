/** What the machine may do to a call that waits: load, a locked store, a clock that is set, a copy of the disk. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createBook } from '../../src/approvals/book.ts';
import { openStore } from '../../src/store/store.ts';
import {
  ASK_BEFORE_DELETING,
  approvals,
  deleteIssue,
  folder,
  type HoldingGate,
  holding,
  holdingGate,
  open,
  reviewerKey,
  say,
} from '../support/approvals.ts';
import { connectGate, eventually, readEvents, run, textOf } from '../support/gate.ts';
import { have } from '../support/need.ts';
import type { Scratch } from '../support/scratch.ts';
import { fakeSlack } from '../support/slack.ts';
import { TIMED } from '../support/timed.ts';

/** So many connections on one store, each with the same server. */
async function gates(where: Scratch, count: number): Promise<HoldingGate[]> {
  const first = await holdingGate({ where });
  const others = await Promise.all(Array.from({ length: count - 1 }, () => connectGate(where)));
  await Promise.all(others.map(({ client }) => client.listTools()));
  return [first, ...others.map((gate) => ({ ...holding(gate), ran: first.ran }))];
}

/** Pings every gate until `until` is over: a loop that stands still shows in the worst, a slow one in the share of slow ones. */
async function expectQuick(all: readonly HoldingGate[], until: Promise<unknown>): Promise<void> {
  let over = false;
  void until.then(() => {
    over = true;
  });
  const took: number[] = [];
  while (!over) {
    for (const { client } of all) {
      const started = performance.now();
      await client.ping();
      took.push(performance.now() - started);
    }
    await sleep(20);
  }
  // Eleven processes share two processors with other tests: a few late ones are the machine's.
  expect(took.filter((ms) => ms >= 100).length / took.length).toBeLessThan(0.2);
  expect(Math.max(...took)).toBeLessThan(1500);
}

/** Waits until all of them are; fails with the answer of the first that isn't. */
async function allHeld(where: Scratch, held: readonly Promise<any>[]): Promise<void> {
  const early = Promise.race(held).then((result) => {
    throw new Error(`it was not held: ${textOf(result)}`);
  });
  await Promise.race([open(where, held.length), early]);
}

/** Answers in this process, as a desk would: no start of a process for each. */
async function answerAll(where: Scratch, verdictOf: (id: string) => 'approve' | 'deny'): Promise<void> {
  const { writeEvents } = await import('../../src/audit/chain.ts');
  const { liveApprovals } = await import('../../src/approvals/book.ts');
  const store = openStore(where.state);
  const book = createBook(writeEvents, { isWaiting: () => true, isRunning: () => true });
  for (const { id, requirements, subject } of await store.read(liveApprovals)) {
    const issue = (subject.arguments as { id: string }).id;
    const voter = `os:${requirements[0]!.reviewers[0]!.slice(1)}`;
    await store.write((tx) =>
      book.answer(
        tx,
        id,
        { voter, verdict: verdictOf(issue), channel: 'console', reason: null },
        { requirements, reviewers: {} },
        Date.now(),
      ),
    );
  }
  store.close();
}

test('50 calls that are held at once have each their own answer, and the gates stay quick', {
  ...TIMED,
  timeout: 120_000,
}, async () => {
  const where = folder();
  const all = await gates(where, 10);
  const held = all.flatMap(({ client }, gate) =>
    Array.from({ length: 5 }, (_, n) =>
      client.callTool(deleteIssue(`ENG-${gate}-${n}`), undefined, { timeout: 100_000 }),
    ),
  );
  await allHeld(where, held);
  // The 51st, of a connection that has none open.
  const extra = await connectGate(where);
  await extra.client.listTools();
  expect(textOf(await extra.client.callTool(deleteIssue('ENG-51')))).toContain('too many pending: 50 calls');
  // A while with all of them held, then the answers.
  const answering = sleep(1500).then(() =>
    answerAll(where, (issue) => (issue.endsWith('0') || issue.endsWith('3') ? 'approve' : 'deny')),
  );
  await expectQuick(all, Promise.all([sleep(4000), answering, ...held]));
  const results = await Promise.all(held);
  results.forEach((result, index) => {
    const [gate, n] = [Math.floor(index / 5), index % 5];
    const approved = n === 0 || n === 3;
    expect(result.isError ?? false, `ENG-${gate}-${n}`).toBe(!approved);
    if (approved) expect(textOf(result)).toBe(`{"id":"ENG-${gate}-${n}"}`);
  });
  const ran = all[0]!.ran().map(({ arguments: args }) => args.id);
  expect(new Set(ran).size).toBe(20);
  expect(ran).toHaveLength(20);
});

test('the store is locked for ten seconds: held calls go on waiting, the gates stay quick, and all proceed', {
  ...TIMED,
  timeout: 120_000,
}, async () => {
  const where = folder();
  const all = await gates(where, 10);
  const told: number[] = [];
  const started = performance.now();
  const held = all.flatMap(({ client }, gate) =>
    Array.from({ length: 5 }, (_, n) =>
      client.callTool(deleteIssue(`ENG-${gate}-${n}`), undefined, {
        timeout: 100_000,
        onprogress: () => told.push(performance.now() - started),
      }),
    ),
  );
  await allHeld(where, held);
  const other = new DatabaseSync(join(where.state, 'toolgate.db'));
  other.exec('BEGIN EXCLUSIVE');
  await expectQuick(all, sleep(10_500));
  other.exec('ROLLBACK');
  other.close();
  // At once, and again after ten seconds, though the store could not be written.
  expect(told.filter((ms) => ms < 5000)).toHaveLength(50);
  expect(told.filter((ms) => ms > 9000).length).toBeGreaterThanOrEqual(50);
  await answerAll(where, () => 'approve');
  expect((await Promise.all(held)).filter(({ isError }) => isError)).toEqual([]);
  expect(all[0]!.ran()).toHaveLength(50);
});

test('an approval is spent on the disk before its call is forwarded: a copy of the store knows it', async () => {
  const where = folder();
  const gate = await holdingGate({ where, script: { on: { delete_issue: { hang: true } } } });
  const held = gate.client.callTool(deleteIssue(), undefined, { timeout: 5000 });
  const [asked] = await open(gate);
  await say(gate, 'approve', asked.code);
  await eventually(() => gate.ran().length === 1);
  // The upstream has it: whatever becomes of this machine from now on, the approval must be spent.
  const copy = join(where.folder, 'copy');
  mkdirSync(copy);
  // While somebody reads, the log is not emptied between the copies of the two files: a power cut takes both at once.
  const reader = new DatabaseSync(join(where.state, 'toolgate.db'));
  reader.exec('BEGIN; SELECT count(*) FROM approvals');
  for (const name of readdirSync(where.state).filter(
    (each) => each.startsWith('toolgate.db') && !each.endsWith('-shm'),
  ))
    copyFileSync(join(where.state, name), join(copy, name));
  reader.close();
  const store = openStore(copy);
  const book = createBook(() => {}, { isWaiting: () => false, isRunning: () => true });
  expect(await store.read((tx) => tx.get('SELECT state, request FROM approvals'))).toEqual({
    state: 'used',
    request: null,
  });
  expect(await store.write((tx) => book.use(tx, asked.id, 'another', Date.now()))).toBeNull();
  store.close();
  await held.catch(() => {});
});

const FAKETIME = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';

describe.runIf(have(existsSync(FAKETIME), 'libfaketime'))('the wall clock is set', () => {
  async function withClock() {
    const where = folder();
    const slack = await fakeSlack();
    const file = where.write('clock', '+0\n');
    const env = {
      LD_PRELOAD: FAKETIME,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      DONT_FAKE_MONOTONIC: '1',
      SLACK_WEBHOOK_URL: slack.url,
    };
    const policies = `${ASK_BEFORE_DELETING.replace('policies:', 'channels: { slack: { webhook: "${env:SLACK_WEBHOOK_URL}" } }\npolicies:')}  - { name: Tell, if: { tool: Create issue }, action: alert }\n`;
    const gate = await holdingGate({ where, env, policies, args: ['--hold', '6s'] });
    return { gate, slack, env, set: (offset: string) => writeFileSync(file, `${offset}\n`) };
  }

  test.each(['+1h', '-1h'])(
    'by %s while a call waits: it ends unapproved, in time, and no alert is lost',
    TIMED,
    async (offset) => {
      const { gate, slack, set, env } = await withClock();
      const started = performance.now();
      const held = gate.client.callTool(deleteIssue());
      await eventually(() => readEvents(gate.state, 'approval.requested').length === 1);
      await eventually(() => slack.received.length === 1);
      set(offset);
      const result = await held;
      expect(performance.now() - started).toBeLessThan(8000);
      expect(result.isError).toBe(true);
      expect(textOf(result)).toContain('nobody answered');
      await gate.client.callTool({ name: 'linear__create_issue', arguments: {} });
      await eventually(() => slack.received.length === 2);
      // What has expired can't be approved any more, by any clock.
      const [ended] = JSON.parse((await run(gate, ['approvals', '--all', '--json'], { env })).out);
      expect(ended).toMatchObject({ state: 'expired' });
      set('+0');
      expect((await say(gate, 'approve', ended.code)).code).toBe(1);
      expect(gate.ran().filter(({ name }) => name === 'delete_issue')).toEqual([]);
    },
  );

  test.each(['+1h', '-1h'])('by %s after an approval that nobody used: it has lapsed', async (offset) => {
    const { gate, set, env } = await withClock();
    await expect(gate.client.callTool(deleteIssue(), undefined, { timeout: 1500 })).rejects.toThrow();
    const [asked] = await eventually(async () => JSON.parse((await run(gate, ['approvals', '--json'], { env })).out));
    const key = await reviewerKey(gate);
    expect((await run(gate, ['approve', asked.code, '--reviewer-key', key], { env })).code).toBe(0);
    set(offset);
    const again = await gate.client.callTool(deleteIssue());
    expect(textOf(again)).toContain('pending');
    const all = JSON.parse((await run(gate, ['approvals', '--all', '--json'], { env })).out);
    expect(all.map(({ state }: { state: string }) => state).sort()).toEqual(['lapsed', 'open']);
    expect(gate.ran()).toEqual([]);
  });
});

test('a flood of held calls and of huge requests leaves a bounded store, and a high alert comes through', {
  ...TIMED,
  timeout: 60_000,
}, async () => {
  const slack = await fakeSlack();
  const where = folder();
  const policies = `${ASK_BEFORE_DELETING.replace('policies:', 'channels: { slack: { webhook: "${env:SLACK_WEBHOOK_URL}" } }\npolicies:')}  - { name: Low, if: { tool: Create issue }, action: alert, alert: { severity: low } }
  - { name: High, if: { tool: Get issue }, action: alert, alert: { severity: high } }
`;
  const gate = await holdingGate({ where, policies, env: { SLACK_WEBHOOK_URL: slack.url } });
  const held = Array.from({ length: 5 }, (_, n) => gate.client.callTool(deleteIssue(`ENG-${n}`)));
  await open(gate, 5);
  const huge = 'x'.repeat(5 * 1024 * 1024);
  for (let n = 0; n < 10; n++) expect((await gate.client.callTool(deleteIssue(`${n}${huge}`))).isError).toBe(true);
  for (let n = 0; n < 300; n++) expect((await gate.client.callTool(deleteIssue(`more-${n}`))).isError).toBe(true);
  await Promise.all(
    Array.from({ length: 300 }, (_, n) => gate.client.callTool({ name: 'linear__create_issue', arguments: { n } })),
  );
  const started = performance.now();
  await gate.client.callTool({ name: 'linear__get_issue', arguments: {} });
  await eventually(() => slack.received.some((message) => JSON.stringify(message).includes('Policy: High')));
  expect(performance.now() - started).toBeLessThan(5000);
  const bytes = readdirSync(where.state).reduce((sum, name) => sum + statSync(join(where.state, name)).size, 0);
  expect(bytes).toBeLessThan(12 * 1024 * 1024);
  expect(await approvals(gate)).toHaveLength(5);
  await answerAll(where, () => 'deny');
  await Promise.all(held);
});
