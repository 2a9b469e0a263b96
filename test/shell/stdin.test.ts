/** However an agent gives its payload, and whatever it gives: an answer, or a refusal. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type House, house, payload } from '../support/hooks.ts';
import { DIST } from '../support/servers.ts';

const POLICIES = 'policies: [{ name: "No pushes", if: { tool: push }, action: block }]\n';

function start(where: House, stdin: 'pipe' | 'ignore' | number, ...flags: string[]): ChildProcess {
  const child = spawn(
    process.execPath,
    [DIST, '--config', where.config, '--state', where.state, 'hook', 'claude-code', ...flags],
    { env: { PATH: process.env['PATH']!, HOME: where.folder }, stdio: [stdin, 'pipe', 'pipe'] },
  );
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

function ended(child: ChildProcess): Promise<{ code: number | null; err: string }> {
  let err = '';
  child.stderr!.on('data', (piece) => {
    err += piece;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, err })));
}

const push = (where: House, more: object = {}) =>
  JSON.stringify({ ...payload('claude-code', 'git push origin main', where.repository), ...more });

describe('a payload', () => {
  test.each([
    ['at once', (text: string) => [text]],
    ['with a line end', (text: string) => [`${text}\n`]],
    ['in pieces', (text: string) => [text.slice(0, 20), text.slice(20, -1), text.slice(-1)]],
  ])('%s is answered though its stdin stays open', async (_, pieces) => {
    const where = house(POLICIES);
    const child = start(where, 'pipe');
    const answer = ended(child);
    for (const piece of pieces(push(where))) await new Promise((done) => child.stdin!.write(piece, done));
    expect(await answer).toMatchObject({ code: 2, err: expect.stringContaining('No pushes') });
  });

  test('larger than a pipe is read whole', async () => {
    const where = house(POLICIES);
    const child = start(where, 'pipe');
    const answer = ended(child);
    child.stdin!.write(push(where, { transcript: `${'}'.repeat(300_000)}${'é'.repeat(300_000)}` }));
    expect(await answer).toMatchObject({ code: 2, err: expect.stringContaining('No pushes') });
  });

  test('that fills the pipe to its last byte is read whole', async () => {
    const where = house(POLICIES);
    const child = start(where, 'pipe');
    const answer = ended(child);
    const rest = 128 * 1024 - push(where, { filler: '' }).length;
    child.stdin!.write(push(where, { filler: 'x'.repeat(rest) }));
    expect(await answer).toMatchObject({ code: 2, err: expect.stringContaining('No pushes') });
  });

  test('in a file is read', async () => {
    const where = house(POLICIES);
    const path = join(where.folder, 'payload.json');
    writeFileSync(path, push(where));
    const file = openSync(path, 'r');
    onTestFinished(() => closeSync(file));
    expect(await ended(start(where, file))).toMatchObject({ code: 2, err: expect.stringContaining('No pushes') });
  });

  test.each([
    ['none', ''],
    ['none but spaces', ' \n'],
    ['half of one', '{"session_id":"s",'],
    ['two', '{"a":1}{"b":2}'],
    ['no JSON', 'git push'],
    ['no object', '[]'],
  ])('%s is a refusal', async (_, text) => {
    const where = house(POLICIES);
    const child = start(where, 'pipe');
    const answer = ended(child);
    child.stdin!.end(text);
    expect(await answer).toMatchObject({ code: 2, err: expect.stringContaining('must not run') });
  });

  test('that nobody can give is a refusal', async () => {
    const where = house(POLICIES);
    expect(await ended(start(where, 'ignore'))).toMatchObject({ code: 2 });
  });

  test('that never comes is a refusal in time', async () => {
    const where = house(POLICIES);
    expect(await ended(start(where, 'pipe', '--hold', '1s'))).toMatchObject({
      code: 2,
      err: expect.stringContaining('took too long'),
    });
  }, 60_000);
});
