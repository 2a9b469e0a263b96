/** A real browser: Debian's chromium, driven by playwright-core. */
import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { eventually, run } from './gate.ts';
import type { Scratch } from './scratch.ts';

const CHROMIUM = '/usr/bin/chromium';
export const haveChromium = existsSync(CHROMIUM);

export async function openBrowser(options: Parameters<Browser['newContext']>[0] = {}): Promise<BrowserContext> {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  onTestFinished(() => browser.close());
  return browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
}

/** The address that `toolgate console` prints, with its one-time secret. */
export async function signInUrl(where: Scratch, path = '/approvals'): Promise<string> {
  const { out, err, code } = await run(where, ['console', '--no-browser', '--page', path]);
  if (code !== 0) throw new Error(err);
  return out.trim();
}

/** A page that is signed in and live. What its console complains of is kept in `faults`. */
export async function openConsolePage(
  where: Scratch,
  options: { path?: string; context?: BrowserContext } = {},
): Promise<{ page: Page; faults: string[] }> {
  const context = options.context ?? (await openBrowser());
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  await page.goto(await signInUrl(where, options.path));
  await eventually(async () => (await page.locator('#link').getAttribute('data-state')) === 'on');
  return { page, faults };
}
