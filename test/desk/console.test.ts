import { chmodSync, copyFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { approvals, deleteIssue, holdingGate, open, say } from '../support/approvals.ts';
import { haveChromium, openBrowser, openConsolePage, signInUrl } from '../support/browser.ts';
import { eventually, isAlive, readEvents, run, textOf } from '../support/gate.ts';
import { have } from '../support/need.ts';
import type { Scratch } from '../support/scratch.ts';
import { TIMED } from '../support/timed.ts';

const browser = have(haveChromium, 'chromium');

interface Signed {
  readonly origin: string;
  readonly token: string;
  /** a request as the console's own page sends it, but for what is given */
  readonly send: (path: string, init?: RequestInit) => Promise<Response>;
}

/** Signs in as a page would, without a browser. */
async function signIn(where: Scratch): Promise<Signed> {
  const url = new URL(await signInUrl(where));
  const secret = new URLSearchParams(url.hash.slice(1)).get('login');
  const login = () =>
    fetch(`${url.origin}/api/login`, {
      method: 'POST',
      headers: { origin: url.origin, 'content-type': 'application/json' },
      body: JSON.stringify({ secret }),
    });
  const { token } = (await (await login()).json()) as { token: string };
  expect((await login()).status).toBe(401);
  return {
    origin: url.origin,
    token,
    send: (path, init = {}) =>
      fetch(`${url.origin}${path}`, {
        ...init,
        headers: { origin: url.origin, 'x-toolgate-token': token, ...init.headers },
      }),
  };
}

describe.runIf(browser)('in a real browser', () => {
  test('a held call appears within a second without a reload, and runs once after Approve', TIMED, async () => {
    const gate = await holdingGate();
    const { page, faults } = await openConsolePage(gate);
    await page.getByText('Nothing waits for you.').waitFor();
    const started = performance.now();
    const held = gate.client.callTool(deleteIssue());
    await page.locator('.row', { hasText: 'ENG-12' }).waitFor();
    expect(performance.now() - started).toBeLessThan(1000);
    expect(await page.title()).toBe('(1) toolgate');
    await page.locator('.arguments', { hasText: 'ENG-12' }).waitFor();
    await page.getByText('Require human approval before deleting a Linear issue').waitFor();
    expect(gate.ran()).toEqual([]);
    await page.getByRole('button', { name: 'Approve once' }).click();
    expect(textOf(await held)).toBe('{"id":"ENG-12"}');
    expect(gate.ran()).toHaveLength(1);
    await page.locator('#ended-rows .row', { hasText: 'approved, used' }).waitFor();
    expect(readEvents(gate.state, 'approval.approved')[0]).toMatchObject({ 'toolgate.channel': 'console' });
    await page.getByRole('link', { name: 'Activity', exact: true }).click();
    await page.locator('.call', { hasText: 'Delete issue' }).getByText('ok').waitFor();
    expect(faults).toEqual([]);
  });

  test('an approval that may be remembered: chosen, listed, taken back', async () => {
    const gate = await holdingGate({
      policies: `version: 1
policies:
  - name: Ask
    if: { integration: Linear, operation: [Write, Delete] }
    action: require approval
    approval: { remember: 10m }
`,
    });
    const { page, faults } = await openConsolePage(gate);
    const held = gate.client.callTool(deleteIssue());
    await page.locator('.arguments', { hasText: 'ENG-12' }).waitFor();
    await page.getByLabel('Remember for 10m, whatever its arguments').check();
    await page.getByRole('button', { name: 'Approve and remember' }).click();
    expect(textOf(await held)).toBe('{"id":"ENG-12"}');
    const grant = page.locator('#grant-rows .row', { hasText: 'Linear · Delete issue by' });
    await grant.waitFor();
    expect(textOf(await gate.client.callTool(deleteIssue('ENG-13')))).toBe('{"id":"ENG-13"}');
    await grant.getByRole('button', { name: 'Revoke' }).click();
    await grant.waitFor({ state: 'detached' });
    const asked = gate.client.callTool(deleteIssue('ENG-14'));
    await page.locator('.row', { hasText: 'ENG-14' }).waitFor();
    await say(gate, 'deny', (await open(gate))[0].code);
    expect((await asked).isError).toBe(true);
    expect(gate.ran()).toHaveLength(2);
    expect(faults).toEqual([]);
  });

  test('Deny with a reason: not run, and the agent is told', async () => {
    const gate = await holdingGate();
    const held = gate.client.callTool(deleteIssue());
    const { page } = await openConsolePage(gate);
    await page.getByLabel('Reason').fill('ENG-12 is the epic');
    await page.getByRole('button', { name: 'Deny' }).click();
    expect(textOf(await held)).toContain('ENG-12 is the epic');
    expect(gate.ran()).toEqual([]);
  });

  test('no button is live in the first second, and none is pressed by a script', async () => {
    const gate = await holdingGate();
    const { page } = await openConsolePage(gate);
    const held = gate.client.callTool(deleteIssue());
    const approve = page.getByRole('button', { name: 'Approve once' });
    // As fast as a page can be: the moment the button is there, and at every frame until it is live.
    const deadMs = await page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          let seen = 0;
          const look = () => {
            const button = document.querySelector<HTMLButtonElement>('button[data-decides=approve]');
            if (button !== null && seen === 0) seen = performance.now();
            button?.click();
            if (button !== null && !button.disabled) resolve(performance.now() - seen);
            else requestAnimationFrame(look);
          };
          look();
        }),
    );
    expect(deadMs).toBeGreaterThan(950);
    expect(gate.ran()).toEqual([]);
    // A second request moves the page: again nothing is live.
    const other = gate.client.callTool(deleteIssue('ENG-13'));
    await page.locator('.row', { hasText: 'ENG-13' }).waitFor();
    expect(await approve.isDisabled()).toBe(true);
    await approve.click();
    expect((await held).isError).toBeFalsy();
    await say(gate, 'deny', (await open(gate))[0].code);
    await other;
  });

  test('the page counts down, says when nobody waits, and keeps what is being typed', async () => {
    const gate = await holdingGate({ args: ['--hold', '2s'] });
    const held = gate.client.callTool(deleteIssue());
    const { page } = await openConsolePage(gate);
    await page.getByText('decide within 9:').waitFor();
    await page.getByLabel('Reason').fill('half a thought');
    await held;
    await page.getByText('The agent has stopped waiting').waitFor();
    expect(await page.getByLabel('Reason').inputValue()).toBe('half a thought');
  });

  test('filters stand in the address, and a call shows why', async () => {
    const gate = await holdingGate();
    for (const id of ['ENG-1', 'ENG-2']) await gate.client.callTool({ name: 'linear__get_issue', arguments: { id } });
    const held = gate.client.callTool(deleteIssue());
    await say(gate, 'deny', (await open(gate))[0].code);
    await held;
    const { page } = await openConsolePage(gate, { path: '/activity?operation=Delete' });
    await page.locator('.call', { hasText: 'Delete issue' }).waitFor();
    expect(await page.locator('.call').count()).toBe(1);
    await page.getByLabel('Operation').selectOption('Read');
    await page.locator('.call', { hasText: 'Get issue' }).first().waitFor();
    await eventually(async () => (await page.locator('.call').count()) === 2);
    expect(new URL(page.url()).search).toBe('?operation=Read');
    await page.getByLabel('Any text').fill('ENG-2');
    await page.getByLabel('Any text').press('Enter');
    await eventually(async () => (await page.locator('.call').count()) === 1);
    await page.locator('.call-line').click();
    await page.locator('.why', { hasText: '"id": "ENG-2"' }).waitFor();
    // A call that is made meanwhile appears without a reload.
    await gate.client.callTool({ name: 'linear__get_issue', arguments: { id: 'ENG-2', again: true } });
    await eventually(async () => (await page.locator('.call').count()) === 2);
  });

  test('a tab that is opened by a plain link is signed in by one that is', async () => {
    const gate = await holdingGate();
    const context = await openBrowser();
    const { page } = await openConsolePage(gate, { context });
    const second = await context.newPage();
    await second.goto(new URL('/activity', page.url()).href);
    await eventually(async () => (await second.locator('#link').getAttribute('data-state')) === 'on');
    // Another profile isn't.
    const stranger = await (await openBrowser()).newPage();
    await stranger.goto(new URL('/activity', page.url()).href);
    await stranger.getByText('Sign in from your terminal').waitFor();
  });

  test('a port that was taken over by another gets no token, and nothing that it got is of use', async () => {
    const gate = await holdingGate();
    const { page } = await openConsolePage(gate);
    const port = Number(new URL(page.url()).port);
    const { desk } = JSON.parse((await run(gate, ['status', '--json'])).out);
    const token = await page.evaluate(() => sessionStorage.getItem('toolgate token'));
    expect(token).toMatch(/^[\w-]{32}$/);
    expect(await page.context().cookies()).toEqual([]);
    process.kill(desk.pid, 'SIGKILL');
    await eventually(async () => !(await isAlive(desk.pid)));
    const got: string[] = [];
    const squatter = createServer((request, response) => {
      got.push(`${request.method} ${request.url} ${JSON.stringify(request.headers)}`);
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ instance: desk.id, proof: '0'.repeat(64) }));
    });
    await eventually(
      () =>
        new Promise<boolean>((resolve) =>
          squatter.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true)),
        ),
    );
    onTestFinished(() => {
      squatter.closeAllConnections();
      squatter.close();
    });
    await page.getByText('Sign in from your terminal').waitFor();
    expect(got.length).toBeGreaterThan(0);
    expect(got.join('\n')).not.toContain(token);
    // The next desk takes another port, and knows no token of the earlier one.
    const next = await signIn(gate);
    expect(new URL(next.origin).port).not.toBe(String((squatter.address() as AddressInfo).port));
    expect((await next.send('/api/approvals', { headers: { 'x-toolgate-token': token! } })).status).toBe(401);
  });
});

describe('what reaches the desk', () => {
  test('only a signed-in page may read or decide, and GET never decides', async () => {
    const gate = await holdingGate();
    const held = gate.client.callTool(deleteIssue());
    const [asked] = await open(gate);
    const { send, origin } = await signIn(gate);
    const path = `/api/approvals/${asked.id}/approve`;
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])
      expect((await send(path, { method })).status, method).toBeGreaterThanOrEqual(400);
    const post = (headers: Record<string, string>) => send(path, { method: 'POST', body: '{}', headers });
    expect((await post({ 'x-toolgate-token': '' })).status).toBe(401);
    expect((await post({ 'x-toolgate-token': 'x'.repeat(32) })).status).toBe(401);
    expect((await post({ origin: 'https://evil.example' })).status).toBe(403);
    expect((await post({ origin: 'null' })).status).toBe(403);
    expect((await post({ origin: origin.replace(/\d+$/, '1') })).status).toBe(403);
    expect((await post({ 'sec-fetch-site': 'same-site' })).status).toBe(403);
    expect((await fetch(`${origin}${path}`, { method: 'POST', body: '{}' })).status).toBe(403);
    expect((await fetch(`${origin}/api/approvals`)).status).toBe(401);
    expect((await open(gate))[0].votes).toEqual([]);
    expect(gate.ran()).toEqual([]);
    expect((await post({})).status).toBe(200);
    expect((await held).isError).toBeFalsy();
    // Decided: the page is told how it ended.
    const late = await send(`/api/approvals/${asked.id}/deny`, { method: 'POST', body: '{}' });
    expect(late.status).toBe(409);
    expect(await late.json()).toMatchObject({ error: 'it has already been decided', approval: { state: 'used' } });
  });

  test('a name that was made to point here is refused (DNS rebinding)', async () => {
    const gate = await holdingGate();
    const { origin } = await signIn(gate);
    const { request } = await import('node:http');
    const status = (host: string) =>
      new Promise((resolve) =>
        request(`${origin}/`, { headers: { host } }, (response) => {
          response.resume();
          resolve(response.statusCode);
        }).end(),
      );
    expect(await status(new URL(origin).host)).toBe(200);
    expect(await status('evil.example')).toBe(403);
    expect(await status(`evil.example:${new URL(origin).port}`)).toBe(403);
  });

  test('every answer forbids scripts of others, frames, caches and referrers', async () => {
    const gate = await holdingGate();
    const { send } = await signIn(gate);
    for (const path of ['/', '/console.js', '/api/hello', '/api/approvals', '/nothing/there']) {
      const { headers } = await send(path);
      expect(headers.get('content-security-policy'), path).toContain("default-src 'none'; script-src 'self'");
      expect(headers.get('content-security-policy'), path).toContain("frame-ancestors 'none'");
      expect(headers.get('referrer-policy'), path).toBe('no-referrer');
      expect(headers.get('x-content-type-options'), path).toBe('nosniff');
      expect(headers.get('cache-control'), path).toBe('no-store');
      expect(headers.get('access-control-allow-origin'), path).toBeNull();
      expect(headers.get('set-cookie'), path).toBeNull();
    }
  });

  test('it listens on loopback only', async () => {
    const gate = await holdingGate();
    const { origin } = await signIn(gate);
    const { readFileSync } = await import('node:fs');
    const port = Number(new URL(origin).port).toString(16).toUpperCase().padStart(4, '0');
    const listening = [
      ...readFileSync('/proc/net/tcp', 'utf8').split('\n'),
      ...readFileSync('/proc/net/tcp6', 'utf8').split('\n'),
    ]
      .map((line) => line.trim().split(/\s+/))
      .filter(([, local, , state]) => local?.endsWith(`:${port}`) && state === '0A');
    expect(listening.map(([, local]) => local)).toEqual([`0100007F:${port}`]);
  });

  test.runIf(process.getuid?.() === 0)(
    'another user of the machine who saw the secret can not sign in with it',
    async () => {
      const gate = await holdingGate();
      const url = new URL(await signInUrl(gate));
      const secret = new URLSearchParams(url.hash.slice(1)).get('login');
      const body = JSON.stringify({ secret });
      const script = `fetch('${url.origin}/api/login', { method: 'POST', headers: { origin: '${url.origin}' }, body: process.argv[1] }).then(async (r) => console.log(r.status, await r.text()))`;
      const { execFile } = await import('node:child_process');
      const { promisify } = await import('node:util');
      // A Node that nobody's user may read.
      const node = join(tmpdir(), `toolgate-node-${process.pid}`);
      copyFileSync(process.execPath, node);
      chmodSync(node, 0o755);
      onTestFinished(() => rmSync(node, { force: true }));
      const { stdout } = await promisify(execFile)(node, ['-e', script, body], {
        uid: 65534,
        gid: 65534,
        cwd: '/',
        env: {},
      });
      expect(stdout).toContain('403');
      expect(stdout).toContain("this console is another user's");
      // And it was not spent by that.
      const mine = await fetch(`${url.origin}/api/login`, { method: 'POST', headers: { origin: url.origin }, body });
      expect(mine.status).toBe(200);
    },
  );

  test('an agent gets no sign-in', async () => {
    const gate = await holdingGate();
    const refused = await run(gate, ['console', '--no-browser'], { env: { CLAUDECODE: '1' } });
    expect(refused).toMatchObject({ code: 1, out: '', err: expect.stringContaining('the console is for a person') });
  });

  test("who isn't a reviewer may look, and not decide", async () => {
    const gate = await holdingGate({
      policies: `version: 1
reviewers: { alice: { os: alice } }
policies:
  - name: Deleting needs alice
    if: { integration: Linear, tool: Delete issue }
    action: require approval
    approval: { reviewers: [alice] }
`,
    });
    // Alice has a key, so she can be asked.
    await say(gate, 'deny', 'none', { as: 'alice' });
    const held = gate.client.callTool(deleteIssue());
    const [asked] = await open(gate);
    const { send } = await signIn(gate);
    expect(await (await send(`/api/approvals/${asked.id}`)).json()).toMatchObject({ approval: { mayAnswer: false } });
    const answer = await send(`/api/approvals/${asked.id}/approve`, { method: 'POST', body: '{}' });
    expect(answer.status).toBe(409);
    expect(await approvals(gate)).toMatchObject([{ state: 'open', votes: [] }]);
    await say(gate, 'deny', asked.code, { as: 'alice' });
    await held;
  });
});
