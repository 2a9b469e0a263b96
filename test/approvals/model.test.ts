import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Approval, ApprovalState } from '../../src/approvals/approval.ts';
import { endedApprovals, liveApprovals } from '../../src/approvals/book.ts';
import { verifyChain } from '../../src/audit/chain.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { scratch } from '../support/scratch.ts';

const WORKER = fileURLToPath(new URL('../fixtures/approvals-worker.ts', import.meta.url));

/** The table of states: what may become of each. */
const MOVES: Record<ApprovalState, readonly ApprovalState[]> = {
  open: ['approved', 'denied', 'expired'],
  approved: ['used', 'denied', 'lapsed'],
  used: [],
  denied: [],
  expired: [],
  lapsed: [],
};

class Worker {
  #child: ChildProcessWithoutNullStreams;
  #replies: ((value: any) => void)[] = [];
  readonly #start: () => ChildProcessWithoutNullStreams;

  constructor(folder: string, ran: string) {
    this.#start = () => {
      const child = spawn(process.execPath, ['--no-warnings', WORKER, folder, ran]);
      child.stdin.on('error', () => {});
      createInterface({ input: child.stdout }).on('line', (line) => this.#replies.shift()?.(JSON.parse(line)));
      return child;
    };
    this.#child = this.#start();
  }

  ask(op: object): Promise<any> {
    return new Promise((resolve) => {
      this.#replies.push(resolve);
      this.#child.stdin.write(`${JSON.stringify(op)}\n`);
    });
  }

  /** Killed the moment it has been asked: nobody knows how far it got. */
  async killDuring(op: object): Promise<void> {
    this.#child.stdin.write(`${JSON.stringify(op)}\n`);
    await new Promise((resolve) => setImmediate(resolve));
    await this.kill();
    this.#child = this.#start();
  }

  async kill(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.kill('SIGKILL');
    this.#replies = [];
    await ended;
  }
}

interface Real {
  readonly workers: readonly Worker[];
  readonly store: Store;
  readonly ran: string;
  now: number;
  calls: number;
  /** every approval as it was after the last step */
  known: Map<string, Approval>;
  /** what a gate holds: approval and call, by gate */
  waiting: { gate: number; id: string; callId: string }[];
}

type Step =
  | { kind: 'ask'; gate: number; args: number }
  | { kind: 'answer'; by: number; which: number; voter: string; verdict: 'approve' | 'deny' }
  | { kind: 'race'; which: number }
  | { kind: 'use'; gate: number; which: number }
  | { kind: 'use twice'; which: number }
  | { kind: 'leave'; which: number }
  | { kind: 'rules'; which: number; effect: 'end' | 'allow' }
  | { kind: 'clock'; ms: number }
  | { kind: 'kill'; gate: number; which: number };

const gate = fc.integer({ min: 0, max: 1 });
const which = fc.nat({ max: 7 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('ask' as const), gate, args: fc.nat({ max: 2 }) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('answer' as const),
      by: gate,
      which,
      voter: fc.constantFrom('os:alice', 'os:bob', 'key:alice', 'os:eve'),
      verdict: fc.constantFrom('approve' as const, 'approve' as const, 'deny' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('race' as const), which }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('use' as const), gate, which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('use twice' as const), which }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('leave' as const), which }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('rules' as const),
      which,
      effect: fc.constantFrom('end' as const, 'allow' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('clock' as const),
      ms: fc.constantFrom(1000, 200_000, 400_000, 700_000, 3_600_000, -30_000, -3_600_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('kill' as const), gate, which }) },
);

const pick = (real: Real, index: number): Approval | undefined =>
  [...real.known.values()][index % Math.max(1, real.known.size)];

/** Two approvals are wanted for the third kind of call. */
const wanted = (digest: string) => (digest.endsWith('2') ? 2 : 1);

async function take(real: Real, step: Step): Promise<void> {
  const { workers, now } = real;
  switch (step.kind) {
    case 'ask': {
      const digest = `${step.gate}-${step.args}`;
      const callId = `call${real.calls++}`;
      const reply = await workers[step.gate]!.ask({
        op: 'ask',
        digest,
        session: `s${step.gate}`,
        callId,
        approvals: wanted(digest),
        now,
      });
      if (reply.kind === 'open') real.waiting.push({ gate: step.gate, id: reply.id, callId });
      // An approval that waited for this very call is spent by it.
      if (reply.kind === 'approved') {
        expect(real.known.get(reply.id)).toMatchObject({ digest, state: 'approved' });
        expect(real.waiting.some(({ id }) => id === reply.id)).toBe(false);
        await workers[step.gate]!.ask({ op: 'use', id: reply.id, now });
      }
      return;
    }
    case 'answer': {
      const approval = pick(real, step.which);
      if (approval === undefined) return;
      const reply = await workers[step.by]!.ask({
        op: 'answer',
        id: approval.id,
        voter: step.voter,
        verdict: step.verdict,
        approvals: wanted(approval.digest),
        now,
      });
      if (step.voter === 'os:eve') expect(reply.kind).not.toBe('answered');
      return;
    }
    case 'race': {
      const approval = pick(real, step.which);
      if (approval === undefined) return;
      const ask = (by: number, voter: string, verdict: string) =>
        workers[by]!.ask({ op: 'answer', id: approval.id, voter, verdict, approvals: 1, now });
      const replies = await Promise.all([ask(0, 'os:alice', 'approve'), ask(1, 'os:bob', 'deny')]);
      // Exactly one wins while it is open; none after.
      expect(replies.filter(({ kind }) => kind === 'answered').length).toBeLessThanOrEqual(1);
      return;
    }
    case 'use': {
      const approval = pick(real, step.which);
      if (approval !== undefined) await workers[step.gate]!.ask({ op: 'use', id: approval.id, now });
      return;
    }
    case 'use twice': {
      const approval = pick(real, step.which);
      if (approval === undefined) return;
      const replies = await Promise.all(workers.map((worker) => worker.ask({ op: 'use', id: approval.id, now })));
      expect(replies.filter(({ used }) => used).length).toBeLessThanOrEqual(1);
      return;
    }
    case 'leave': {
      const left = real.waiting.splice(step.which % Math.max(1, real.waiting.length), 1)[0];
      if (left !== undefined) await workers[left.gate]!.ask({ op: 'leave', ...left });
      return;
    }
    case 'rules': {
      const approval = pick(real, step.which);
      if (approval !== undefined) await workers[0]!.ask({ op: step.effect, id: approval.id, now });
      return;
    }
    case 'clock':
      real.now += step.ms;
      return;
    case 'kill': {
      const approval = pick(real, step.which);
      await workers[step.gate]!.killDuring({ op: 'use', id: approval?.id ?? 'none', now });
      real.waiting = real.waiting.filter((each) => each.gate !== step.gate);
      return;
    }
  }
}

/** What must be true after every step, whatever was done and whoever was killed. */
async function check(real: Real, last: Step): Promise<void> {
  const all = await real.store.read((tx) => [...liveApprovals(tx), ...endedApprovals(tx, 1000)]);
  const ran = existsSync(real.ran)
    ? readFileSync(real.ran, 'utf8')
        .split('\n')
        .filter((id) => id !== '')
    : [];
  expect(new Set(ran).size).toBe(ran.length);
  for (const approval of all) {
    const before = real.known.get(approval.id);
    const { id, state, votes } = approval;
    const moved = before !== undefined && before.state !== state;
    if (before === undefined) expect(state).toBe('open');
    // Two moves in one step: only where the step does both.
    const reach =
      before === undefined
        ? []
        : [before.state, ...MOVES[before.state], ...MOVES[before.state].flatMap((next) => MOVES[next])];
    if (moved) expect(reach).toContain(state);
    // Nothing ran that was not approved, by people or by rules that allow it; and what is used can't run again.
    if (ran.includes(id)) expect(state).toBe('used');
    if (state === 'used' || state === 'approved') {
      const approvers = new Set(
        votes.filter(({ verdict }) => verdict === 'approve').map(({ voter }) => voter.replace(/^\w+:/, '')),
      );
      const byRules = approval.runBy !== null && approvers.size < wanted(approval.digest);
      if (!byRules) expect(votes.some(({ verdict }) => verdict === 'deny')).toBe(false);
      expect(votes.some(({ voter }) => voter === 'os:eve')).toBe(false);
    }
    // Used only in its time, by a clock that was not set back before it.
    if (moved && state === 'used') {
      expect(real.now).toBeLessThanOrEqual(approval.runBy!);
      expect(real.now).toBeGreaterThanOrEqual(approval.decidedAt! - 60_000);
    }
    if (moved && state === 'approved' && last.kind !== 'rules') expect(real.now).toBeLessThanOrEqual(approval.decideBy);
    // The request is kept while it may run, and no longer.
    expect(approval.request === null, state).toBe(state !== 'open' && state !== 'approved');
    if (before?.request != null && approval.request !== null) expect(approval.request).toBe(before.request);
  }
  expect(all.filter(({ state, session }) => state === 'open' && session === 's0').length).toBeLessThanOrEqual(5);
  real.known = new Map(all.sort((a, b) => (a.id < b.id ? -1 : 1)).map((approval) => [approval.id, approval]));
}

test('two gates, clocks that jump, kill -9 at any moment: the table of states holds, and nothing runs twice or unapproved', {
  timeout: 240_000,
}, async () => {
  const root = scratch();
  let round = 0;
  const seen = { used: 0, moves: new Set<string>() };
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
      const folder = join(root.folder, `round${round++}`);
      mkdirSync(folder);
      const store = openStore(folder);
      await store.write(() => null);
      const ran = join(folder, 'ran');
      const real: Real = {
        workers: [new Worker(folder, ran), new Worker(folder, ran)],
        store,
        ran,
        now: 1_800_000_000_000,
        calls: 0,
        known: new Map(),
        waiting: [],
      };
      try {
        for (const each of steps) {
          const before = real.known;
          await take(real, each);
          await check(real, each);
          for (const [id, { state }] of real.known) {
            const from = before.get(id)?.state ?? 'new';
            if (from !== state) seen.moves.add(`${from} → ${state}`);
            if (from !== state && state === 'used') seen.used++;
          }
        }
        expect((await store.read(verifyChain)).broken).toBeNull();
      } finally {
        await Promise.all(real.workers.map((worker) => worker.kill()));
        store.close();
      }
    }),
    { numRuns: 40 },
  );
  // The walk went everywhere: a model that never moves proves nothing.
  expect(seen.used).toBeGreaterThan(5);
  expect([...seen.moves].sort()).toEqual(
    expect.arrayContaining([
      'approved → lapsed',
      'approved → used',
      'new → open',
      'open → approved',
      'open → denied',
      'open → expired',
    ]),
  );
});
