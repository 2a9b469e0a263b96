/** `toolgate doctor`: says in words what works here and what doesn't, and how to mend it. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { votersHere } from '../approvals/keys.ts';
import { personBehind, personsOf, reviewerName, unreachable, voterOfUser } from '../approvals/reviewers.ts';
import { inForceMeanwhile, type LoadedRules, rulesFault } from '../config/rules.ts';
import { deskFacts } from '../desk/facts.ts';
import { isLocked } from '../desk/lock.ts';
import { messageOf } from '../errors.ts';
import { type Desktop, findTrusted, probeDesktop, showNotification } from '../notify/desktop.ts';
import type { HookAgent } from '../shell/payload.ts';
import { WHEN_IT_HANGS } from '../shell/registration.ts';
import { findOpener } from './browser.ts';
import { addressOf, answers } from './console.ts';
import { guardsHere, mendOf, nameOfAgent, WHY } from './guards.ts';
import { type House, type HouseFlags, openHouse, ownerOf } from './house.ts';
import { counted, print, printJson } from './output.ts';
import { isTerminal, underAgent } from './person.ts';
import { serversOff } from './servers.ts';
import { slackWebhook } from './slack-webhook.ts';

interface Finding {
  readonly about: string;
  readonly state: 'ok' | 'note' | 'fault';
  readonly says: string;
}

const NOTIFY_MS = 15_000;

/** Exit 1 if anything is broken. With `notify` a notification is shown, to see whether it arrives. */
export async function doctor(flags: HouseFlags & { json?: boolean; notify?: boolean }): Promise<number> {
  const house = await openHouse(flags);
  try {
    const loaded = await house.rules.load().catch((error) => messageOf(error));
    const desktop = await probeDesktop();
    const findings = [
      ...(await storeFindings(house)),
      ...rulesFindings(house, loaded),
      ...desktopFindings(desktop, loaded),
      ...(flags.notify ? [await tryNotification(desktop)] : []),
      browserFinding(),
      ...slackFindings(house),
      ...(await deskFindings(house)),
      ...(await reviewerFindings(house, loaded)),
      ...terminalFindings(),
      ...guardFindings(),
    ];
    if (flags.json) printJson(findings);
    else print(findings.map(({ about, state, says }) => `${MARK[state]} ${about.padEnd(11)} ${says}`).join('\n'));
    return findings.some(({ state }) => state === 'fault') ? 1 : 0;
  } finally {
    await house.close();
  }
}

const MARK = { ok: '✓', note: '·', fault: '✗' } as const;

const ok = (about: string, says: string): Finding => ({ about, state: 'ok', says });
const note = (about: string, says: string): Finding => ({ about, state: 'note', says });
const fault = (about: string, says: string): Finding => ({ about, state: 'fault', says });

/** Of each client that is installed: whether it asks before it runs commands, and what if the hook can't answer. */
function guardFindings(): Finding[] {
  return guardsHere().map((guard) => {
    const name = nameOfAgent(guard.agent);
    if (guard.state === 'missing')
      return note('hooks', `${name} runs its own commands without asking: ${mendOf(guard)} prints what to paste`);
    if (guard.state !== 'guarded')
      return fault('hooks', `${name} does not ask before it runs commands: ${guard.file}: ${WHY[guard.state]}`);
    const hangs = WHEN_IT_HANGS[guard.agent as HookAgent];
    return guard.lacks === null
      ? ok('hooks', `${name} asks before it runs commands; ${hangs}`)
      : note(
          'hooks',
          `${name} asks, but "${guard.lacks}" is missing in ${guard.file}: a hook that fails lets the command run`,
        );
  });
}

async function storeFindings(house: House): Promise<Finding[]> {
  const { state } = house.folders;
  const unwritable = await house.store.write(() => null).catch((error) => messageOf(error));
  if (unwritable !== null) return [fault('store', `every call is refused: ${unwritable}`)];
  const mode = statSync(state).mode & 0o077;
  return mode !== 0 && process.platform !== 'win32'
    ? [fault('store', `others may look into ${state}: run chmod 700 on it`)]
    : [ok('store', `${state} can be written, and only by you`)];
}

function rulesFindings(house: House, loaded: LoadedRules | string): Finding[] {
  if (typeof loaded === 'string') return [fault('rules', loaded)];
  if (loaded.rules === null)
    return [fault('rules', `there are none, so every call is refused: ${rulesFault(loaded).split('\n')[0]}`)];
  const off = serversOff(house.folders.config).map((why) => note('servers', `${why} (as seen from this shell)`));
  return [
    loaded.stale
      ? fault('rules', `the files have errors; ${inForceMeanwhile(loaded)}: "toolgate policy check" shows them`)
      : ok('rules', `in force, ${counted(loaded.rules.policies.file.policies.length, 'policy', 'policies')}`),
    ...off,
  ];
}

function desktopFindings(desktop: Desktop, loaded: LoadedRules | string): Finding[] {
  const findings: Finding[] = [];
  const wanted = typeof loaded === 'string' || loaded.rules?.policies.file.channels.desktop !== false;
  const stranger = strangerOnPath('notify-send');
  if (stranger !== null)
    findings.push(
      fault(
        'desktop',
        `${stranger} stands on your PATH as notify-send and can be written by others than root; toolgate never asks it, but who put it there?`,
      ),
    );
  if (!wanted) findings.push(note('desktop', 'policies.yaml says desktop: false, so held calls are not shown'));
  else if (desktop.kind === 'none') findings.push(note('desktop', `a held call can't be shown: ${desktop.why}`));
  else if (desktop.kind === 'node-notifier')
    findings.push(
      ok(
        'desktop',
        'a held call is shown by the system, and a click on it opens the console; it has no buttons here. Nothing appears while notifications are not permitted or a focus mode is on',
      ),
    );
  else if (desktop.capabilities === null)
    findings.push(
      note(
        'desktop',
        'notify-send is there; whether a desktop answers could not be asked (neither gdbus nor dbus-send is installed)',
      ),
    );
  else if (desktop.capabilities.includes('actions'))
    findings.push(
      ok(
        'desktop',
        'a held call is shown, with Approve and Deny where all of it fits; a click on it opens the console',
      ),
    );
  else findings.push(note('desktop', 'a held call is shown, but this desktop has no buttons: answer in the console'));
  return findings;
}

/** A program of that name on PATH that isn't root's alone; null if there is none. */
function strangerOnPath(name: string): string | null {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter).filter((each) => each !== '')) {
    try {
      accessSync(join(folder, name), constants.X_OK);
    } catch {
      continue;
    }
    return findTrusted(name, [folder]) === null ? join(folder, name) : null;
  }
  return null;
}

async function tryNotification(desktop: Desktop): Promise<Finding> {
  const shown = showNotification(desktop, {
    title: 'toolgate',
    body: 'This is how a held call appears. Click it, or dismiss it.',
    buttons: false,
  });
  const reaction = await Promise.race([
    shown.reaction,
    new Promise<null>((resolve) => setTimeout(() => resolve(null), NOTIFY_MS).unref()),
  ]);
  shown.close();
  if (reaction === null)
    return note('desktop', `a notification was sent, and nobody reacted within ${NOTIFY_MS / 1000} s: did it appear?`);
  if (reaction.kind === 'failed') return fault('desktop', reaction.why);
  return ok(
    'desktop',
    reaction.kind === 'open' ? 'the notification was clicked: it works' : 'the notification was shown and dismissed',
  );
}

function browserFinding(): Finding {
  const opener = findOpener();
  return opener === null
    ? note('browser', 'none can be opened from here: "toolgate console" prints the address')
    : ok('browser', `"toolgate console" opens it by ${opener[0]}`);
}

function slackFindings(house: House): Finding[] {
  const webhook = slackWebhook(house);
  if (webhook === null) return [note('slack', 'policies.yaml names no Slack channel')];
  if ('why' in webhook)
    return [note('slack', `${webhook.why} in this shell; it must be set where the agent starts toolgate`)];
  if (!URL.canParse(webhook.url))
    return [note('slack', 'the webhook is no address in this shell; it must be one where the agent starts toolgate')];
  return [
    ok(
      'slack',
      `alerts and held calls go to a webhook at ${new URL(webhook.url).hostname}; a webhook only tells, so they are answered in the console`,
    ),
  ];
}

async function deskFindings(house: House): Promise<Finding[]> {
  if (!isLocked(house.folders.state))
    return [note('desk', 'none runs; a gate starts it when a call is held or an alert is raised')];
  const facts = await house.store.read(deskFacts);
  if (facts === null) return [note('desk', 'it is just starting')];
  return (await answers(facts))
    ? [ok('desk', `it runs, and the console answers at ${addressOf(facts)}`)]
    : [
        fault(
          'desk',
          `it runs (process ${facts.pid}), but nothing answers at ${addressOf(facts)}: run "toolgate desk --stop"; the next call starts it anew`,
        ),
      ];
}

/** For every policy that asks: whether enough of its reviewers can answer here. */
async function reviewerFindings(house: House, loaded: LoadedRules | string): Promise<Finding[]> {
  if (typeof loaded === 'string' || loaded.rules === null) return [];
  const { file } = loaded.rules.policies;
  const fallback = file.defaults.reviewers ?? [ownerOf(house)];
  const voters = await house.store.read((tx) => votersHere(tx, house.owner)).catch(() => [voterOfUser(house.owner)]);
  const asking = file.policies.filter(({ action }) => action === 'require approval');
  if (asking.length === 0) return [note('reviewers', 'no policy asks a person')];
  const nobody = asking.flatMap(({ name, approval }) => {
    const requirement = {
      policy: name,
      reviewers: approval?.reviewers ?? fallback,
      approvals: approval?.approvals ?? 1,
    };
    return unreachable([requirement], file.reviewers, voters) ?? [];
  });
  if (nobody.length > 0)
    return nobody.map((why) =>
      fault(
        'reviewers',
        `${why}: such calls are denied at once; "toolgate reviewers register <id>" gives a person a key`,
      ),
    );
  const asked = [
    ...new Map(
      asking.flatMap(({ approval }) =>
        personsOf(approval?.reviewers ?? fallback, file.reviewers).map((person) => [person.id, person] as const),
      ),
    ).values(),
  ];
  const able = asked.filter((person) => voters.some((voter) => personBehind(voter, [person]) !== null));
  const unable = asked.filter((person) => !able.includes(person)).map(({ id }) => reviewerName(id));
  return [
    ok(
      'reviewers',
      `${able.map(({ id }) => reviewerName(id)).join(', ')} can answer here; console, desktop and command line answer as ${house.owner}`,
    ),
    ...(unable.length === 0
      ? []
      : [
          note(
            'reviewers',
            `${unable.join(', ')} can't answer on this account: "toolgate reviewers register <id>" gives a key`,
          ),
        ]),
  ];
}

function terminalFindings(): Finding[] {
  const sign = underAgent();
  if (sign === null && !isTerminal())
    return [note('terminal', 'this is none, so "toolgate approve" needs --reviewer-key here')];
  return sign === null
    ? [ok('terminal', '"toolgate approve" and "toolgate deny" answer from this terminal')]
    : [note('terminal', `"toolgate approve" refuses here: ${sign}`)];
}
