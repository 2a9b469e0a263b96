/** `toolgate console`: opens the console in the browser, signed in. */
import { setTimeout as sleep } from 'node:timers/promises';
import { mintLogin } from '../approvals/keys.ts';
import { type DeskFacts, deskFacts } from '../desk/facts.ts';
import { isLocked } from '../desk/lock.ts';
import { openInBrowser } from './browser.ts';
import { wakeDesk } from './desk-process.ts';
import { type House, type HouseFlags, openHouse } from './house.ts';
import { complain, print } from './output.ts';
import { underAgent } from './person.ts';

const START_MS = 8000;

export async function console(flags: HouseFlags & { browser?: boolean; page?: string }): Promise<number> {
  const sign = underAgent();
  if (sign !== null) {
    complain(`the console is for a person: ${sign}. Open it from a terminal of your own`);
    return 1;
  }
  const page = flags.page ?? '/approvals';
  if (!/^\/(approvals(\/\w+)?|activity)(\?.*)?$/.test(page)) {
    complain(`the console has no page "${page}": use /approvals, /approvals/<id> or /activity`);
    return 2;
  }
  const house = await openHouse(flags);
  try {
    const desk = await runningDesk(house);
    if (desk === null) {
      complain('the desk could not be started: "toolgate desk" says why');
      return 3;
    }
    const url = await signInUrl(house, desk, page);
    if (flags.browser !== false && (await openInBrowser(url))) {
      complain(`The console is open in your browser, at ${addressOf(desk)}.`);
      return 0;
    }
    print(url);
    complain('Open it in your browser within a minute: it signs one page in, once.');
    return 0;
  } finally {
    await house.close();
  }
}

export function addressOf({ port }: DeskFacts): string {
  return `http://127.0.0.1:${port}`;
}

/** A one-time secret in the fragment, which no server and no log gets to see. */
export async function signInUrl(house: House, desk: DeskFacts, page: string, validMs?: number): Promise<string> {
  const secret = await house.store.write((tx) => mintLogin(tx, Date.now(), validMs));
  return `${addressOf(desk)}${page}#login=${secret}`;
}

/** The desk that runs, started if none does; null if it can't be. */
export async function runningDesk(house: House): Promise<DeskFacts | null> {
  const deadline = performance.now() + START_MS;
  wakeDesk(house);
  while (performance.now() < deadline) {
    const facts = await house.store.read(deskFacts);
    // What the store says may be of a desk that was killed.
    if (facts?.port !== undefined && isLocked(house.folders.state) && (await answers(facts))) return facts;
    await sleep(50);
  }
  return null;
}

/** Whether the desk at that address is the one that the store speaks of. */
export async function answers(facts: DeskFacts): Promise<boolean> {
  try {
    const response = await fetch(`${addressOf(facts)}/api/hello`, { signal: AbortSignal.timeout(1000) });
    return ((await response.json()) as { instance?: string }).instance === facts.id;
  } catch {
    return false;
  }
}
