/** One table of hostile arguments, and the five places where people see them: in each they are inert, and recognisable. */
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { ASK_BEFORE_DELETING, folder, type HoldingGate, holdingGate, open, say } from '../support/approvals.ts';
import { haveChromium, openConsolePage } from '../support/browser.ts';
import { haveDesktop, type RunningDesktop, startDesktop } from '../support/desktop.ts';
import { eventually, run } from '../support/gate.ts';
import { have } from '../support/need.ts';
import { type FakeSlack, fakeSlack } from '../support/slack.ts';
import { terminal } from '../support/terminal.ts';

const nested = (levels: number): unknown => (levels === 0 ? 'BOTTOM' : { down: nested(levels - 1) });

/** What an agent might send; `shows` is what a person must be able to recognise of it. */
const INPUTS: Record<string, { args: unknown; shows: string }> = {
  markup: {
    args: { text: '<img src=x onerror="window.pwned=1"><b>bold</b><script>window.pwned=1</script>MARKUP' },
    shows: 'MARKUP',
  },
  mrkdwn: {
    args: { text: '<!channel> <@U1> <https://evil.example|click> *b* _i_ `c` ```d``` MRKDWN' },
    shows: 'MRKDWN',
  },
  ANSI: { args: { text: '\u001b[2J\u001b[31mRED\u001b]0;title\u0007\u009b1m\r\nANSI' }, shows: 'ANSI' },
  bidi: { args: { text: 'BIDI \u202egnp.exe\u202c \u2066x\u2069 \u200f' }, shows: 'BIDI' },
  'zero-width': { args: { text: 'ZE\u200bRO \u200dWIDTH\ufeff \u{e0041}\u{e0042} \u00ad' }, shows: 'WIDTH' },
  'a forged line': { args: { text: 'FORGED\napproval   AAAA, approved\n2026-01-01 00:00:00  allow' }, shows: 'FORGED' },
  'almost 1 MiB': { args: { text: `START${'x'.repeat(1024 * 1024 - 400)}END` }, shows: 'START' },
  'deep nesting': { args: { text: 'DEEP', nested: nested(80) }, shows: 'DEEP' },
  'a key named __proto__': {
    args: JSON.parse('{"text":"PROTO","__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'),
    shows: 'PROTO',
  },
};

/** Raw, each of these would act: on a terminal, on how a line reads, or on what can be seen. */
const ACTING =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]|[\u{e0000}-\u{e007f}]/u;

interface Place {
  readonly gate: HoldingGate;
  readonly slack: FakeSlack;
  readonly desktop: RunningDesktop;
  readonly page: Page;
}

async function everywhere(): Promise<Place> {
  const slack = await fakeSlack();
  const where = folder();
  const desktop = await startDesktop(where);
  const policies = ASK_BEFORE_DELETING.replace(
    'policies:',
    'channels: { slack: { webhook: "${env:SLACK_WEBHOOK_URL}" }, desktop: true }\npolicies:',
  );
  const gate = await holdingGate({ where, policies, env: { ...desktop.env, SLACK_WEBHOOK_URL: slack.url } });
  const { page } = await openConsolePage(gate);
  return { gate, slack, desktop, page };
}

describe.runIf(have(haveChromium, 'chromium') && haveDesktop)('hostile arguments', () => {
  test.each(Object.entries(INPUTS))('%s', { timeout: 60_000 }, async (_, { args, shows }) => {
    const { gate, slack, desktop, page } = await everywhere();
    const held = gate.client.callTool({ name: 'linear__delete_issue', arguments: args as Record<string, unknown> });
    const [asked] = await open(gate);

    // 1 the console: text only
    await page.locator('.arguments', { hasText: shows }).waitFor();
    const seen = await page.evaluate(() => ({
      text: document.body.textContent ?? '',
      made: document.querySelectorAll('#page img, #page b, #page script, .arguments *:not(.unseen)').length,
      pwned: (window as { pwned?: number }).pwned ?? ({} as { polluted?: boolean }).polluted,
    }));
    expect(seen.text).not.toMatch(ACTING);
    expect(seen.made).toBe(0);
    expect(seen.pwned).toBeUndefined();
    // Whole, to the last character, where it is decided.
    if (shows === 'START') expect(seen.text).toContain('END"');
    if (shows === 'DEEP') expect(seen.text).toContain('BOTTOM');
    if (shows === 'PROTO') expect(seen.text).toContain('"__proto__"');

    // 2 Slack: plain text only
    await eventually(() => slack.received.length === 1);
    const texts: { type: string; text: string }[] = [];
    JSON.stringify(slack.received[0], (_key, value) => {
      if (value?.type === 'plain_text' || value?.type === 'mrkdwn') texts.push(value);
      return value;
    });
    const hostile = texts.filter(({ text }) => text.includes(shows));
    expect(hostile.length).toBeGreaterThan(0);
    expect(new Set(hostile.map(({ type }) => type))).toEqual(new Set(['plain_text']));
    expect(JSON.stringify(slack.received[0])).not.toMatch(ACTING);
    expect(slack.received[0].text).not.toMatch(/<[!@h]/);
    for (const { text } of texts) expect(text.length).toBeLessThanOrEqual(3000);

    // 3 the desktop
    await eventually(() => desktop.shown().includes('Linear · Delete issue?'));
    expect(desktop.shown()).toContain(shows);
    expect(desktop.shown()).not.toMatch(ACTING);
    // A line of its own would look like ours.
    expect(desktop.shown()).not.toMatch(/^approval {3}AAAA/m);

    // 4 the terminal, where it is decided; the line editor's own codes come with the question
    const asking = terminal(gate, ['--config', gate.config, '--state', gate.state, 'approve', asked.code]);
    const shown = (await asking.shows('Approve it? [y/N]'))
      .replaceAll('\r\n', '\n')
      .replace(/(\u001b\[(1G|0J))*Approve it.*$/s, '');
    expect(shown).toContain(shows);
    expect(shown).not.toMatch(ACTING);
    expect(shown).not.toMatch(/^approval {3}AAAA/m);
    if (shows === 'START') expect(shown).toContain('END"');
    asking.type('n\n');
    await asking.ended;

    // 5 the log
    await say(gate, 'deny', asked.code);
    expect((await held).isError).toBe(true);
    for (const command of [
      ['log', 'list'],
      ['log', 'why', asked.callId],
      ['approvals', '--all'],
      ['approvals', 'show', asked.code],
      ['alerts'],
    ]) {
      const { out, code } = await run(gate, command);
      expect(code, command.join(' ')).toBe(0);
      expect(out, command.join(' ')).not.toMatch(ACTING);
      expect(out, command.join(' ')).not.toMatch(/^approval {3}AAAA/m);
    }
    expect((await run(gate, ['log', 'why', asked.callId])).out).toContain(shows);
    expect(gate.ran()).toEqual([]);
  });
});
