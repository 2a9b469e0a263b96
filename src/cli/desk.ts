/** `toolgate desk [--stop]`: runs or stops the desk by hand; gates start it when they need it. */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { findApproval, liveApprovals } from '../approvals/book.ts';
import { listGrants } from '../approvals/grants.ts';
import { voterOfUser } from '../approvals/reviewers.ts';
import { deskFacts } from '../desk/facts.ts';
import { isLocked } from '../desk/lock.ts';
import { createNotices } from '../desk/notices.ts';
import { DEFAULT_PORT } from '../desk/port.ts';
import { askDeskToStop, type DeskRooms, runDesk } from '../desk/run.ts';
import { openConsole } from '../desk/server.ts';
import type { Claimed } from '../notify/deliver.ts';
import { showOnDesktop } from '../notify/desktop.ts';
import { type Attempt, type SlackQuestion, sendToSlack } from '../notify/slack.ts';
import { answerApproval } from './answer.ts';
import { outcomeWords } from './approvals.ts';
import { openInBrowser } from './browser.ts';
import { addressOf, signInUrl } from './console.ts';
import { noteBlindDesk } from './desk-process.ts';
import { type House, type HouseFlags, openHouse, VERSION } from './house.ts';
import { complain } from './output.ts';
import { accept } from './policy-accept.ts';
import { tellOfRules } from './rules-news.ts';
import { slackWebhook } from './slack-webhook.ts';

const STOP_MS = 10_000;

export async function desk(flags: HouseFlags & { stop?: boolean; port?: number; started?: boolean }): Promise<number> {
  const house = await openHouse(flags);
  try {
    // Started for a store that has been taken away meanwhile: there is nothing to do, and nothing is made anew.
    if (flags.started && !existsSync(house.folders.state)) return 0;
    if (flags.stop) return await stopDesk(house);
    const stop = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort());
    await house.rules.load();
    const unwatch = house.rules.watch((loaded) => tellOfRules(house, loaded), complain);
    const end = await runDesk({
      store: house.store,
      stateFolder: house.folders.state,
      send: (claimed) => send(house, claimed),
      open: (deskId) => openRooms(house, deskId, flags.port ?? DEFAULT_PORT),
      approvals: house.approvals,
      log: complain,
      signal: stop.signal,
    });
    unwatch();
    if (end === 'busy') complain('a desk already runs for this store');
    return 0;
  } finally {
    await house.close();
  }
}

/** The console, and what else people see while the desk runs. */
async function openRooms(house: House, instance: string, port: number): Promise<DeskRooms> {
  const voter = voterOfUser(house.owner);
  const pages = await openConsole({
    store: house.store,
    version: VERSION,
    instance,
    port,
    voter,
    assets: consoleAssets(),
    isWaiting: house.isWaiting,
    answer: (id, verdict, reason, remember) =>
      answerApproval(house, id, { voter, verdict, channel: 'console', reason, remember }),
    grants: (tx) => {
      const rules = house.rules.current()?.rules ?? null;
      return rules === null ? [] : listGrants(tx, rules.hash, house.configId, Date.now());
    },
    proposed: () => house.rules.current()?.proposed ?? null,
    acceptRules: (hash) => accept(house, hash, voter, 'console'),
    revoke: (id) => house.store.write((tx) => house.approvals.revoke(tx, id, house.owner, Date.now())),
    log: complain,
  });
  const facts = { id: instance, pid: process.pid, startedAt: Date.now(), port: pages.port };
  const notices = createNotices({
    voter,
    wanted: () => house.rules.current()?.rules?.policies.file.channels.desktop !== false,
    open: async () => (await house.store.read(liveApprovals)).filter(({ state }) => state === 'open'),
    answer: async (id, verdict) => {
      const answered = await answerApproval(house, id, {
        voter,
        verdict,
        channel: 'desktop',
        reason: null,
      });
      pages.changed();
      if (answered === null || answered.kind === 'answered') return null;
      return answered.kind === 'refused' ? answered.why : outcomeWords(house, answered.approval);
    },
    openPage: async (id) => {
      const url = await signInUrl(house, facts, id === null ? '/approvals' : `/approvals/${id}`);
      if (!(await openInBrowser(url))) complain('the console could not be opened: run "toolgate console"');
    },
    log: complain,
  });
  return {
    port: pages.port,
    changed: () => {
      pages.changed();
      notices.changed();
    },
    inUse: () => pages.pages() > 0,
    close: async () => {
      notices.close();
      await pages.close();
    },
  };
}

/** Beside the built program, or where the sources keep them. */
function consoleAssets(): URL {
  const built = new URL('./console/', import.meta.url);
  return existsSync(built) ? built : new URL('../desk/console/', import.meta.url);
}

/** Exit 0 once none runs. */
export async function stopDesk(house: House, say: (text: string) => void = complain): Promise<number> {
  if (!isLocked(house.folders.state)) {
    say('no desk runs');
    return 0;
  }
  await house.store.write(askDeskToStop);
  const deadline = Date.now() + STOP_MS;
  while (Date.now() < deadline) {
    if (!isLocked(house.folders.state)) {
      say('the desk has stopped; a gate whose call waits starts it again');
      return 0;
    }
    await sleep(100);
  }
  say('the desk did not stop within 10 s');
  return 3;
}

async function send(house: House, claimed: Claimed): Promise<Attempt> {
  if (claimed.delivery.channel === 'desktop') return showOnDesktop(claimed.alert);
  const webhook = slackWebhook(house);
  if (webhook === null) return { kind: 'never', why: 'policies.yaml names no Slack channel any more' };
  if ('url' in webhook)
    return sendToSlack(webhook.url, claimed.alert, claimed.repeated, await questionOf(house, claimed));
  await noteBlindDesk(house);
  return {
    kind: 'later',
    why: `${webhook.why}; set it where the agent starts toolgate, then: toolgate desk --stop`,
    waitMs: null,
  };
}

/** Where a held call is answered, and its outcome if it is over. Null for other alerts. */
async function questionOf(house: House, { alert }: Claimed): Promise<SlackQuestion | null> {
  const { approval_id: id } = alert;
  if (id === null) return null;
  const { approval, desk: facts } = await house.store.read((tx) => ({
    approval: findApproval(tx, id),
    desk: deskFacts(tx),
  }));
  if (approval === null || facts === null) return null;
  return {
    url: `${addressOf(facts)}/approvals/${id}`,
    code: approval.code,
    outcome: approval.state === 'open' ? null : outcomeWords(house, approval),
  };
}
