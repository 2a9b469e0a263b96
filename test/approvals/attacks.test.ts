/** What attackers of this code have found, each once. */
import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readCode } from '../../src/approvals/approval.ts';
import { findByCode } from '../../src/approvals/book.ts';
import { noticeOf } from '../../src/desk/notices.ts';
import { ownerOfPeer } from '../../src/desk/peer.ts';
import { openStore } from '../../src/store/store.ts';
import {
  ASK_BEFORE_DELETING,
  approvals,
  deleteIssue,
  folder,
  holdingGate,
  open,
  reviewerKey,
  say,
} from '../support/approvals.ts';
import { haveChromium, openBrowser, openConsolePage } from '../support/browser.ts';
import { connectGate, eventually, readEvents, run, textOf } from '../support/gate.ts';
import { have } from '../support/need.ts';
import type { Scratch } from '../support/scratch.ts';

const rewrite = (where: Scratch, text: string) => writeFileSync(join(where.config, 'policies.yaml'), text);
const BLOCK_LINEAR = 'version: 1\npolicies:\n  - { name: No Linear, if: { integration: Linear }, action: block }\n';

async function approvalOf(where: Scratch, code: string) {
  const store = openStore(where.state);
  const found = await store.read((tx) => findByCode(tx, readCode(code)));
  store.close();
  return found!;
}

test('numbers that a double can not hold are shown as they would run', async () => {
  const gate = await holdingGate();
  const args = { id: 'ENG-12', account: JSON.rawJSON('9007199254740993'), amount: JSON.rawJSON('1e400') };
  const held = gate.client.callTool({ name: 'linear__delete_issue', arguments: args });
  const [asked] = await open(gate);
  const notice = noticeOf(await approvalOf(gate, asked.code), { voter: 'os:root' });
  expect(notice.body).toContain('"account":9007199254740993,"amount":1e400');
  expect((await run(gate, ['approvals', '--json'])).out).toContain('9007199254740993');
  expect((await run(gate, ['approvals', 'show', asked.code])).out).toContain('9007199254740993');
  await say(gate, 'approve', asked.code);
  await held;
  expect(readFileSync(join(gate.folder, 'linear-stdin'), 'utf8')).toContain(
    '"account":9007199254740993,"amount":1e400',
  );
});

test('rules that were tightened while the store was locked are in force once it is free', {
  timeout: 40_000,
}, async () => {
  const gate = await holdingGate();
  const locked = new DatabaseSync(join(gate.state, 'toolgate.db'));
  locked.exec('BEGIN IMMEDIATE');
  rewrite(gate, BLOCK_LINEAR);
  // Longer than a write is tried for.
  await sleep(6500);
  locked.exec('ROLLBACK');
  locked.close();
  await eventually(async () => (await gate.client.callTool({ name: 'linear__create_issue', arguments: {} })).isError);
  await eventually(() => readEvents(gate.state, 'rules.changed').length === 1);
  expect((await gate.client.callTool({ name: 'linear__create_issue', arguments: {} })).isError).toBe(true);
});

test('an agent that became disallowed in this moment is judged so when an approved call is used', async () => {
  const gate = await holdingGate({ args: ['--hold', '1s'] });
  await gate.client.callTool(deleteIssue());
  const [asked] = await open(gate);
  await say(gate, 'approve', asked.code);
  rewrite(
    gate,
    `${ASK_BEFORE_DELETING.replace('version: 1', 'version: 1\nagents: { test-client: Disallowed }')}  - { name: No strangers, if: { agent review status: Disallowed }, action: block }\n`,
  );
  const result = await gate.client.callTool(deleteIssue());
  expect(textOf(result)).toMatch(/"No strangers" (blocks|came to block) it/);
  expect(gate.ran()).toEqual([]);
});

test('the request of a call that is over is nowhere on the disk', async () => {
  const gate = await holdingGate();
  const held = gate.client.callTool({
    name: 'linear__delete_issue',
    arguments: { id: 'ENG-12', password: 'S3cretHunter2Zebra' },
  });
  const [asked] = await open(gate);
  const onDisk = () =>
    readdirSync(gate.state).filter((name) =>
      readFileSync(join(gate.state, name), 'latin1').includes('S3cretHunter2Zebra'),
    );
  expect(onDisk().length).toBeGreaterThan(0);
  await say(gate, 'approve', asked.code);
  expect((await held).isError).toBeFalsy();
  await eventually(() => onDisk().length === 0);
  expect(gate.ran()[0]!.arguments.password).toBe('S3cretHunter2Zebra');
});

test('a secret is masked in the reasons too', async () => {
  const gate = await holdingGate({
    policies:
      'version: 1\npolicies:\n  - { name: Passwords, if: { args: { password: { exists: true } } }, action: require approval }\n',
  });
  const held = gate.client.callTool({
    name: 'linear__delete_issue',
    arguments: { id: 'ENG-12', password: 'hunter2-zebra' },
  });
  const [asked] = await open(gate);
  expect((await run(gate, ['approvals', '--json'])).out).not.toContain('hunter2-zebra');
  await say(gate, 'deny', asked.code);
  await held;
  expect((await run(gate, ['approvals', '--all', '--json'])).out).not.toContain('hunter2-zebra');
  expect((await run(gate, ['log', 'list', '--json'])).out).not.toContain('hunter2-zebra');
});

test('connections that have ended leave no questions that would keep others from asking', {
  timeout: 60_000,
}, async () => {
  const where = folder();
  await holdingGate({ where });
  for (let n = 0; n < 3; n++) {
    const gate = await connectGate(where);
    await gate.client.listTools();
    for (let each = 0; each < 5; each++) void gate.client.callTool(deleteIssue(`ENG-${n}-${each}`)).catch(() => {});
    await open(where, 5);
    await gate.client.close();
    await eventually(async () => (await approvals(where)).length === 0);
  }
});

describe('rules that change while people answer', () => {
  const people = 'reviewers:\n  alice: { os: alice }\n  bob: { os: bob }\n';
  const asks = (approval: string) =>
    `version: 1\n${people}policies:\n  - { name: Ask, if: { integration: Linear, operation: Delete }, action: require approval, approval: ${approval} }\n`;

  async function asked(approval: string) {
    const where = folder();
    for (const id of ['alice', 'bob']) await reviewerKey(where, id);
    const gate = await holdingGate({ where, policies: asks(approval) });
    const held = gate.client.callTool(deleteIssue());
    const [found] = await open(gate);
    return { gate, held, code: found.code };
  }

  test('one answer is enough by now: it runs', async () => {
    const { gate, held, code } = await asked('{ reviewers: [alice, bob], approvals: 2 }');
    await say(gate, 'approve', code, { as: 'alice' });
    rewrite(gate, asks('{ reviewers: [alice, bob], approvals: 1 }'));
    expect((await held).isError).toBeFalsy();
    expect(gate.ran()).toHaveLength(1);
  });

  test('a reason is wanted by now: who has answered may add it', async () => {
    const { gate, held, code } = await asked('{ reviewers: [alice, bob], approvals: 2 }');
    await say(gate, 'approve', code, { as: 'alice' });
    rewrite(gate, asks('{ reviewers: [alice, bob], approvals: 2, reason: required }'));
    await eventually(async () => (await open(gate))[0].requirements[0].reasonRequired);
    expect((await say(gate, 'approve', code, { as: 'bob', reason: 'fine' })).code).toBe(0);
    expect((await open(gate))[0].requirements[0].approvedBy).toEqual(['bob']);
    expect((await say(gate, 'approve', code, { as: 'alice', reason: 'so it is' })).code).toBe(0);
    expect((await held).isError).toBeFalsy();
  });
});

test('a desk of another config folder resolves reviewers by the rules that asked', async () => {
  const people = (alice: string) =>
    `version: 1\nreviewers: { alice: ${alice} }\npolicies:\n  - { name: Ask, if: { integration: Linear, operation: Delete }, action: require approval, approval: { reviewers: [alice] } }\n`;
  const where = folder();
  const key = await reviewerKey(where, 'alice');
  const gate = await holdingGate({ where, policies: people('{ os: alice }') });
  const held = gate.client.callTool(deleteIssue());
  const [asked] = await open(gate);
  // Another configuration on the same store, which knows alice only on Slack, and blocks what was asked.
  const config = join(where.folder, 'other');
  mkdirSync(config);
  writeFileSync(join(config, 'servers.json'), readFileSync(join(where.config, 'servers.json')));
  writeFileSync(
    join(config, 'policies.yaml'),
    `${people('{ slack: T1/U1 }')}  - { name: No, if: { integration: Linear }, action: block }\n`,
  );
  const answer = await run({ ...where, config }, ['approve', asked.code, '--reviewer-key', key]);
  expect(answer).toMatchObject({ code: 0 });
  expect((await held).isError).toBeFalsy();
});

test('the use of an approval is told of the call that used it, after the decision', async () => {
  const gate = await holdingGate({ args: ['--hold', '1s'] });
  await gate.client.callTool(deleteIssue());
  const [asked] = await open(gate);
  await say(gate, 'approve', asked.code);
  await gate.client.callTool(deleteIssue());
  const calls = readEvents(gate.state, 'call.decided').map(({ call_id }) => call_id);
  expect(readEvents(gate.state, 'approval.requested')[0]!['call_id']).toBe(calls[0]);
  expect(readEvents(gate.state, 'approval.used')[0]!['call_id']).toBe(calls[1]);
  expect((await approvals(gate, '--all'))[0].callId).toBe(calls[1]);
  const types = gate.events().map(({ type }) => type);
  expect(types.indexOf('call.decided')).toBeLessThan(types.indexOf('approval.requested'));
});

test('a hold for longer than a timer can be holds', async () => {
  const gate = await holdingGate({ args: ['--hold', '60d'] });
  const held = gate.client.callTool(deleteIssue());
  const [asked] = await open(gate);
  expect(asked.nobodyWaiting).toBe(false);
  await say(gate, 'approve', asked.code);
  expect((await held).isError).toBeFalsy();
});

test('a stop that was asked for in a time that is yet to come stops no later desk', async () => {
  const where = folder();
  const gate = await holdingGate({ where });
  const database = new DatabaseSync(join(where.state, 'toolgate.db'));
  database.exec(`INSERT INTO meta (key, value) VALUES ('desk_stop', '${Date.now() + 3_600_000}')`);
  database.close();
  const held = gate.client.callTool(deleteIssue());
  const [asked] = await open(gate);
  await eventually(async () => JSON.parse((await run(where, ['status', '--json'])).out).desk?.answers);
  await say(gate, 'approve', asked.code);
  expect((await held).isError).toBeFalsy();
});

test.runIf(process.getuid?.() === 0)(
  'a connection from another address with the same port is told from ours',
  async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    const accepted: Socket[] = [];
    server.on('connection', (socket) => accepted.push(socket));
    const mine = connect({ host: '127.0.0.1', port });
    await eventually(() => accepted.length === 1);
    const own = mine.localPort!;
    const node = join(tmpdir(), `toolgate-peer-${process.pid}`);
    copyFileSync(process.execPath, node);
    chmodSync(node, 0o755);
    onTestFinished(() => rmSync(node, { force: true }));
    for (const address of ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.8']) {
      const before = accepted.length;
      const script = `require('net').connect({ host: '127.0.0.1', port: ${port}, localAddress: '${address}', localPort: ${own} })`;
      const other = spawn(node, ['-e', script], { uid: 65534, gid: 65534, cwd: '/', env: {} });
      await eventually(() => accepted.length > before);
      expect(ownerOfPeer(accepted.at(-1)!), address).toBe(65534);
      expect(ownerOfPeer(accepted[0]!)).toBe(0);
      other.kill('SIGKILL');
    }
    mine.destroy();
  },
);

describe.runIf(have(haveChromium, 'chromium'))('in a browser', () => {
  test('clicking all the time approves nothing', async () => {
    const gate = await holdingGate();
    const context = await openBrowser();
    const { page } = await openConsolePage(gate, { context });
    const held = gate.client.callTool(deleteIssue());
    const box = await (async () => {
      const button = page.locator('button[data-decides=approve]');
      await button.waitFor();
      return (await button.boundingBox())!;
    })();
    // A page that another has opened under the pointer of somebody who is clicking.
    await page.reload();
    for (let n = 0; n < 25; n++) {
      await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
      await sleep(120);
    }
    expect(gate.ran()).toEqual([]);
    expect((await open(gate))[0].votes).toEqual([]);
    await say(gate, 'deny', (await open(gate))[0].code);
    await held;
  });

  test('Enter decides nothing', async () => {
    const gate = await holdingGate();
    const { page } = await openConsolePage(gate);
    const held = gate.client.callTool(deleteIssue());
    const approve = page.getByRole('button', { name: 'Approve once' });
    await eventually(() => approve.isEnabled());
    await approve.focus();
    await page.keyboard.press('Enter');
    await page.getByLabel('Reason').focus();
    await page.keyboard.type('ok\n');
    expect((await open(gate))[0].votes).toEqual([]);
    await approve.click();
    expect((await held).isError).toBeFalsy();
  });

  test('an answer that comes late for one request is not shown for another', async () => {
    const gate = await holdingGate();
    const { page } = await openConsolePage(gate);
    const held = [gate.client.callTool(deleteIssue('ENG-A')), gate.client.callTool(deleteIssue('ENG-B'))];
    const asked = await open(gate, 2);
    const [a, b] = ['ENG-A', 'ENG-B'].map((id) => asked.find(({ subject }) => subject.arguments.id === id));
    await page.locator('.row', { hasText: 'ENG-B' }).waitFor();
    await page.route(`**/api/approvals/${a.id}`, async (route) => {
      await sleep(1500);
      await route.continue();
    });
    await page.locator('.row', { hasText: 'ENG-A' }).click();
    await page.locator('.row', { hasText: 'ENG-B' }).click();
    await page.locator('.arguments', { hasText: 'ENG-B' }).waitFor();
    await sleep(2000);
    expect(await page.locator('.arguments').textContent()).toContain('ENG-B');
    expect(page.url()).toContain(b.id);
    for (const { code } of asked) await say(gate, 'deny', code);
    await Promise.all(held);
  });
});
