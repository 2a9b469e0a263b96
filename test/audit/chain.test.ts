import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { bound, prepareEvent, verifyChain, writeEvents } from '../../src/audit/chain.ts';
import { createRecorder } from '../../src/audit/recorder.ts';
import { openStore } from '../../src/store/store.ts';
import { run } from '../support/gate.ts';
import { scratch } from '../support/scratch.ts';

const event = (n: number) => ({ type: 'gateway.started' as const, ts: 1_700_000_000_000 + n, n });

async function filled(count = 20) {
  const where = scratch();
  const store = openStore(where.state);
  await store.write((tx) =>
    writeEvents(
      tx,
      Array.from({ length: count }, (_, n) => event(n)),
    ),
  );
  return { where, store, raw: () => new DatabaseSync(join(where.state, 'toolgate.db'), { timeout: 5000 }) };
}

describe('the chain of events', () => {
  test('is proved to its end', async () => {
    const { store, where } = await filled();
    expect(await store.read(verifyChain)).toMatchObject({ events: 20, broken: null, provedTo: { seq: 20 } });
    store.close();
    expect(await run(where, ['log', 'verify'])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^20 events, proved up to event 20/),
    });
  });

  test.each([
    [
      'an event is changed',
      'UPDATE events SET body = replace(body, \'"n":6\', \'"n":7\') WHERE seq = 7',
      7,
      'was changed',
    ],
    ['an event is taken out', 'DELETE FROM events WHERE seq = 7', 7, 'it is missing'],
    ['the end is cut off', 'DELETE FROM events WHERE seq > 15', 16, 'the end of the log was cut off'],
    ['a column is changed', "UPDATE events SET type = 'alert.sent' WHERE seq = 7", 7, 'its columns differ'],
    ['a time is changed', 'UPDATE events SET ts = 1 WHERE seq = 7', 7, 'its columns differ'],
    [
      'an event is put in',
      'INSERT INTO events SELECT 21, ts, type, call_id, body, hash FROM events WHERE seq = 20',
      21,
      'was changed',
    ],
    ['the first is taken out', 'DELETE FROM events WHERE seq = 1', 1, 'it is missing'],
  ])('shows where %s', async (_, sql, seq, why) => {
    const { store, where, raw } = await filled();
    store.close();
    const database = raw();
    database.exec(sql);
    database.close();
    const result = await run(where, ['log', 'verify', '--json']);
    expect(result.code).toBe(1);
    expect(JSON.parse(result.out).broken).toMatchObject({ seq, why: expect.stringContaining(why) });
    expect(JSON.parse(result.out).provedTo?.seq ?? 0).toBe(seq - 1);
  });

  test('stays one chain while several processes write to it at once', async () => {
    const where = scratch();
    openStore(where.state).close();
    const writer = `import('${join(import.meta.dirname, '../../src/audit/recorder.ts')}').then(async ({ createRecorder }) => {
      const { openStore } = await import('${join(import.meta.dirname, '../../src/store/store.ts')}');
      const store = openStore(process.argv[1]);
      const recorder = createRecorder(store);
      for (let n = 0; n < 150; n++) await recorder.now([{ type: 'gateway.started', ts: Date.now(), n }]);
      store.close();
    });`;
    const codes = await Promise.all(
      Array.from(
        { length: 4 },
        () =>
          new Promise((resolve) =>
            spawn(process.execPath, ['-e', writer, where.state], { stdio: 'inherit' }).once('exit', resolve),
          ),
      ),
    );
    expect(codes).toEqual([0, 0, 0, 0]);
    const store = openStore(where.state);
    expect(await store.read(verifyChain)).toMatchObject({ events: 600, broken: null });
    store.close();
  });

  test('holds no secret', async () => {
    const text = prepareEvent({
      type: 'call.decided',
      ts: 1,
      args: {
        token: 'abc123',
        'API Key': 'k',
        url: 'https://u:p4ss@x/y',
        text: 'ghp_0123456789abcdefghijABCDEFGHIJ012345 xoxb-1234567890-abc',
        n: [{ password: 'p' }],
        fine: 'monkey',
      },
    }).text;
    expect(text).not.toMatch(/abc123|p4ss|ghp_|xoxb-|"p"|"k"/);
    expect(text).toContain('monkey');
    expect(text).toMatch(/\[redacted:github-token:[0-9a-f]{6}\]/);
  });

  test('holds no part of a secret that stands where a long text is cut, nor one inside JSON text', () => {
    const token = 'ghp_0123456789abcdefghijABCDEFGHIJ012345';
    for (let from = 500; from < 560; from++)
      expect(bound(`${'x '.repeat(4500)}${token} ${'y '.repeat(from - token.length)}`)).not.toMatch(
        /abcdefghijABCDEFGHIJ/,
      );
    const text = prepareEvent({
      type: 'call.decided',
      ts: 1,
      args: {
        a: 'redis://:hunter2hunter2@host/1',
        b: 'Authorization: Bearer abcdefghijklmnop',
        c: '{"password":"hunter2hunter2","x":1}',
      },
    }).text;
    expect(text).not.toMatch(/hunter2|abcdefghijklmnop/);
    expect(text).toContain('host/1');
  });

  test('leaves words that only stand where a token could', () => {
    for (const text of ['Basic information, please', 'the bearer certificate', 'basic authentication is off'])
      expect(prepareEvent({ type: 'call.decided', ts: 1, args: { text } }).text).toContain(text);
    for (const text of ['Bearer abcdefgh1jkl', 'authorization: basic abcdefghijkl'])
      expect(prepareEvent({ type: 'call.decided', ts: 1, args: { text } }).text).toContain('[redacted:authorization:');
  });

  test('bounds what it holds, and neither end is lost', () => {
    expect(bound('short')).toBe('short');
    expect(bound(`A${'x'.repeat(100_000)}Z`)).toMatch(/^Ax+…\[100002 characters, sha256 [0-9a-f]{64}\]…x+Z$/);
    const many = prepareEvent({
      type: 'call.decided',
      ts: 1,
      args: Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`key${n}`, 'value of usual length'])),
    });
    expect(many.text.length).toBeLessThan(64 * 1024);
    const same = { a: [1, { b: 'x' }] };
    expect(bound(same)).toBe(same);
  });
});

describe('the recorder', () => {
  test('keeps the order in which it was told, whatever is written at once and whatever later', async () => {
    const where = scratch();
    const store = openStore(where.state);
    const recorder = createRecorder(store);
    for (let n = 0; n < 10; n++) {
      recorder.soon(
        () => event(n * 2),
        () => event(0),
      );
      if (n % 3 === 0) await recorder.now([event(n * 2 + 1)]);
    }
    await recorder.flush();
    const seen = await store.read((tx) => tx.all<{ ts: number }>('SELECT ts FROM events ORDER BY seq'));
    expect(seen.map(({ ts }) => ts)).toEqual([...seen.map(({ ts }) => ts)].sort());
    expect(seen).toHaveLength(14);
    store.close();
  });
});
