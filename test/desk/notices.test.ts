import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ASK_BEFORE_DELETING, deleteIssue, folder, holdingGate, open, say } from '../support/approvals.ts';
import { haveDesktop, startDesktop } from '../support/desktop.ts';
import { eventually, readEvents, textOf } from '../support/gate.ts';

describe.runIf(haveDesktop)('on a real desktop', () => {
  async function onDesktop(options: Parameters<typeof holdingGate>[0] = {}) {
    const where = folder();
    const desktop = await startDesktop(where);
    const gate = await holdingGate({ where, ...options, env: { ...desktop.env, ...options.env } });
    return { gate, desktop, where };
  }

  test('a notification appears with the whole request; Approve is clicked, and the call runs once', async () => {
    const { gate, desktop } = await onDesktop();
    const held = gate.client.callTool(deleteIssue());
    await eventually(() => desktop.shown().includes('test-client: Linear · Delete issue?'));
    expect(desktop.shown()).toContain(
      '{"id":"ENG-12"}\ndelete_issue on linear\nRequire human approval before deleting a Linear issue',
    );
    expect(gate.ran()).toEqual([]);
    await desktop.press('Approve');
    expect(textOf(await held)).toBe('{"id":"ENG-12"}');
    expect(gate.ran()).toHaveLength(1);
    expect(readEvents(gate.state, 'approval.approved')[0]).toMatchObject({ 'toolgate.channel': 'desktop' });
    await eventually(async () => (await desktop.count()) === 0);
  });

  test('Deny is clicked: it does not run', async () => {
    const { gate, desktop } = await onDesktop();
    const held = gate.client.callTool(deleteIssue());
    await eventually(async () => (await desktop.count()) === 1);
    await desktop.press('Deny');
    expect(textOf(await held)).toContain('it was denied by');
    expect(gate.ran()).toEqual([]);
  });

  test('a click on the body opens the console, signed in, and decides nothing; nor does its dismissal', async () => {
    const where = folder();
    const opened = join(where.folder, 'opened');
    // The user's browser, as a desktop would know it.
    const browser = where.write('browser.sh', `#!/bin/sh\necho "$1" >> ${opened}\n`);
    chmodSync(browser, 0o755);
    mkdirSync(join(where.folder, '.local/share/applications'), { recursive: true });
    mkdirSync(join(where.folder, '.config'), { recursive: true });
    where.write(
      '.local/share/applications/mine.desktop',
      `[Desktop Entry]\nType=Application\nName=Mine\nExec=${browser} %u\nMimeType=x-scheme-handler/http;\n`,
    );
    where.write('.config/mimeapps.list', '[Default Applications]\nx-scheme-handler/http=mine.desktop\n');
    const desktop = await startDesktop(where);
    const gate = await holdingGate({ where, env: desktop.env });
    const held = gate.client.callTool(deleteIssue());
    await eventually(async () => (await desktop.count()) === 1);
    await desktop.click();
    const url = await eventually(() => existsSync(opened) && readFileSync(opened, 'utf8').trim());
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/approvals\/\w{26}#login=[\w-]{32}$/);
    const other = gate.client.callTool(deleteIssue('ENG-13'));
    await eventually(async () => (await desktop.count()) === 1 && desktop.shown().includes('ENG-13'));
    await desktop.dismiss();
    await eventually(async () => (await desktop.count()) === 0);
    const asked = await open(gate, 2);
    expect(asked.map(({ votes }) => votes)).toEqual([[], []]);
    expect(gate.ran()).toEqual([]);
    for (const { code } of asked) await say(gate, 'deny', code);
    await Promise.all([held, other]);
  });

  test('an answer that does not count is said, and asked again', async () => {
    const { gate, desktop } = await onDesktop();
    const held = gate.client.callTool(deleteIssue());
    await eventually(async () => (await desktop.count()) === 1);
    const [asked] = await open(gate);
    // A reason is wanted by now, which no button can give.
    writeFileSync(join(gate.config, 'policies.yaml'), `${ASK_BEFORE_DELETING}    approval: { reason: required }\n`);
    await eventually(async () => (await open(gate))[0].requirements[0].reasonRequired);
    await desktop.press('Approve');
    await eventually(() => /Not counted: approve\|the policy .* wants a reason/.test(desktop.shown()));
    await eventually(() => desktop.shown().includes('Open it to see all of it, and to answer.'));
    expect((await open(gate))[0].votes).toEqual([]);
    expect(gate.ran()).toEqual([]);
    await say(gate, 'deny', asked.code);
    await held;
  });

  test('decided elsewhere, it leaves the screen', async () => {
    const { gate, desktop } = await onDesktop();
    const held = gate.client.callTool(deleteIssue());
    await eventually(async () => (await desktop.count()) === 1);
    await say(gate, 'approve', (await open(gate))[0].code);
    await held;
    await eventually(async () => (await desktop.count()) === 0);
  });

  test.each([
    ['a masked value', { id: 'ENG-12', cookie: 'evil@example.com' }],
    ['a long body', { id: 'ENG-12', body: 'x'.repeat(5000) }],
    ['what can not be seen', { id: 'ENG-12\u202e' }],
  ])('%s: nothing to press but open', async (_, args) => {
    const { gate, desktop } = await onDesktop();
    const held = gate.client.callTool({ name: 'linear__delete_issue', arguments: args });
    await eventually(async () => (await desktop.count()) === 1);
    expect(desktop.shown()).toContain('Open it to see all of it, and to answer.');
    expect(desktop.shown()).not.toContain('evil@example.com');
    expect(desktop.shown()).not.toContain('\u202e');
    // With one action only, the menu has nothing that starts so.
    await desktop.press('Approve');
    const [asked] = await open(gate);
    expect(asked.votes).toEqual([]);
    await say(gate, 'deny', asked.code);
    await held;
  });

  test('many at once are one notice', async () => {
    const { gate, desktop } = await onDesktop();
    const held = Array.from({ length: 5 }, (_, n) => gate.client.callTool(deleteIssue(`ENG-${n}`)));
    await eventually(() => /\d calls wait for you/.test(desktop.shown()));
    await eventually(async () => (await desktop.count()) === 1);
    for (const { code } of await open(gate, 5)) await say(gate, 'deny', code);
    await Promise.all(held);
    await eventually(async () => (await desktop.count()) === 0);
  });

  test('a notify-send that an agent put first on PATH is not asked', async () => {
    const where = folder();
    const bin = join(where.folder, 'bin');
    mkdirSync(bin);
    const called = join(where.folder, 'called');
    chmodSync(where.write('bin/notify-send', `#!/bin/sh\necho called >> ${called}\necho approve\n`), 0o755);
    const desktop = await startDesktop(where);
    const gate = await holdingGate({ where, env: { ...desktop.env, PATH: `${bin}:${process.env['PATH']}` } });
    const held = gate.client.callTool(deleteIssue());
    await eventually(async () => (await desktop.count()) === 1);
    expect(existsSync(called) ? readFileSync(called, 'utf8') : '').toBe('');
    expect(gate.ran()).toEqual([]);
    await desktop.press('Deny');
    await held;
  });
});

test('without any desktop nothing is lost: the call waits, and is answered elsewhere', async () => {
  const gate = await holdingGate({ env: { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent/bus' } });
  const held = gate.client.callTool(deleteIssue());
  await say(gate, 'approve', (await open(gate))[0].code);
  expect((await held).isError).toBeFalsy();
});
