/** `toolgate approvals [list | show] | approve <code> | deny <code> | reviewers [list | register <id> | forget <id>]`. */
import { writeFileSync } from 'node:fs';
import { type Approval, readCode, stateWords, type Verdict } from '../approvals/approval.ts';
import { endedApprovals, findByCode, liveApprovals } from '../approvals/book.ts';
import { listGrants, rememberWords } from '../approvals/grants.ts';
import { forgetReviewerKey, mintReviewerKey, reviewersWithKey } from '../approvals/keys.ts';
import { readableRequest } from '../approvals/request.ts';
import {
  ANSWERED_ALREADY,
  type Ask,
  askOf,
  hasReason,
  NOT_ASKED,
  progressOf,
  reviewerName,
  voterName,
} from '../approvals/reviewers.ts';
import { writeEvents } from '../audit/chain.ts';
import { didYouMean, visible, visibleLine } from '../problem.ts';
import { answerApproval } from './answer.ts';
import { type House, type HouseFlags, openHouse, reviewersOf } from './house.ts';
import { complain, print, printJson, table, when } from './output.ts';
import { askLine, confirm, isTerminal, underAgent, whoSpeaks } from './person.ts';

const ENDED_SHOWN = 20;

/** The open ones first; with `--all` those that have ended too. */
export async function approvalsList(flags: HouseFlags & { all?: boolean; json?: boolean }): Promise<number> {
  const house = await openHouse(flags);
  try {
    await sweepOverdue(house);
    const approvals = await house.store.read((tx) => [
      ...liveApprovals(tx),
      ...(flags.all ? endedApprovals(tx, ENDED_SHOWN) : []),
    ]);
    if (flags.json) printJson(approvals.map((approval) => exported(house, approval)));
    else if (approvals.length === 0) complain('nothing waits for a person');
    else
      print(
        table(
          [
            'CODE',
            'STATE',
            'AGENT',
            'WANTS TO',
            'POLICY',
            'APPROVED',
            'ASKED',
            flags.all ? 'UNTIL, OR ENDED' : 'UNTIL',
          ],
          approvals.map((approval) => [
            approval.code,
            `${stateWords(approval)}${isAbandoned(house, approval) ? ', nobody is waiting' : ''}`,
            approval.subject.agent.name,
            `${approval.subject.integration} · ${approval.subject.tool}`,
            approval.requirements.map(({ policy }) => policy).join('; '),
            progressWords(approval),
            when(approval.createdAt),
            when(approval.endedAt ?? (approval.state === 'open' ? approval.decideBy : approval.runBy)),
          ]),
        ),
      );
    return 0;
  } finally {
    await house.close();
  }
}

export async function approvalsShow(code: string, flags: HouseFlags & { json?: boolean }): Promise<number> {
  const house = await openHouse(flags);
  try {
    await sweepOverdue(house);
    const approval = await find(house, code);
    if (approval === null) return 1;
    if (flags.json) printJson(exported(house, approval));
    else print(inWords(approval, house));
    return 0;
  } finally {
    await house.close();
  }
}

export interface AnswerFlags extends HouseFlags {
  readonly reason?: string;
  readonly reviewerKey?: string;
  /** the yes counts for more than this call, as far as the policies offer it */
  readonly remember?: boolean;
  readonly json?: boolean;
}

/** Exit 0: the answer counts; 1: it doesn't, and it is said why; 2: the key can't be read. */
export async function answer(code: string, verdict: Verdict, flags: AnswerFlags): Promise<number> {
  const house = await openHouse(flags);
  try {
    const person = await whoSpeaks(house, flags.reviewerKey);
    if (person.kind === 'nobody') {
      complain(person.why);
      return person.exitCode;
    }
    await sweepOverdue(house);
    const approval = await find(house, code);
    if (approval === null) return 1;
    let reason = flags.reason ?? null;
    if (!person.byKey && approval.state === 'open') {
      // Nobody reads a request in order to hear only then that they are not asked.
      const ask = askOf(person.voter, approval);
      if (!ask.asked || (ask.hasApproved && verdict === 'approve')) {
        complain(ask.asked ? ANSWERED_ALREADY : NOT_ASKED);
        return 1;
      }
      process.stderr.write(`${inWords(approval, house)}\n\n`);
      while (verdict === 'approve' && ask.wantsReason !== null && !hasReason(reason)) {
        reason = await askLine('Reason (the policy wants one):');
        if (reason !== null) continue;
        complain('nothing was decided');
        return 1;
      }
      if (flags.remember === true && ask.offers.length === 0) {
        complain('no policy of this request offers to remember: approve it without --remember');
        return 1;
      }
      const question = flags.remember === true ? `Approve it, and remember ${offerWords(ask)}?` : 'Approve it?';
      if (!(await confirm(verdict === 'approve' ? question : 'Deny it?'))) {
        complain('nothing was decided');
        return 1;
      }
    }
    const answered = await answerApproval(house, approval.id, {
      voter: person.voter,
      verdict,
      channel: 'command line',
      reason,
      remember: flags.remember === true,
    });
    if (answered === null) return notFound(code, []);
    if (flags.json)
      printJson({
        answer: answered.kind,
        ...('why' in answered && { why: answered.why }),
        approval: exported(house, answered.approval),
      });
    switch (answered.kind) {
      case 'answered':
        if (!flags.json) complain(outcomeWords(house, answered.approval));
        return 0;
      case 'too late':
        complain(outcomeWords(house, answered.approval));
        return 1;
      case 'refused':
        complain(answered.why);
        return 1;
    }
  } finally {
    await house.close();
  }
}

/** What may be remembered, each kind once. */
function offerWords({ offers }: Pick<Ask, 'offers'>): string {
  return [...new Set(offers.map(rememberWords))].join('; and ');
}

/** The remembered approvals that still count. */
export async function approvalsRemembered(flags: HouseFlags & { json?: boolean }): Promise<number> {
  const house = await openHouse(flags);
  try {
    const { rules } = await house.rules.load();
    const grants =
      rules === null ? [] : await house.store.read((tx) => listGrants(tx, rules.hash, house.configId, Date.now()));
    if (flags.json) printJson(grants);
    else if (grants.length === 0) complain('no approval is remembered');
    else
      print(
        table(
          ['ID', 'COVERS', 'POLICY', 'BY', 'SINCE', 'UNTIL'],
          grants.map(({ id, covers, policy, grantedBy, createdAt, until }) => [
            id,
            covers,
            policy,
            grantedBy,
            when(createdAt),
            when(until),
          ]),
        ),
      );
    return 0;
  } finally {
    await house.close();
  }
}

/** Takes a remembered approval back: the next such call is asked again. */
export async function approvalsRevoke(id: string, flags: HouseFlags): Promise<number> {
  const house = await openHouse(flags);
  try {
    const revoked = await house.store.write((tx) =>
      house.approvals.revoke(tx, id.toUpperCase(), house.owner, Date.now()),
    );
    if (revoked === null) complain(`there is no remembered approval "${visibleLine(id)}"`);
    return revoked === null ? 1 : 0;
  } finally {
    await house.close();
  }
}

/** Prints a key by which a reviewer answers where there is no terminal. Shown once. */
export async function reviewersRegister(id: string, flags: HouseFlags & { out?: string }): Promise<number> {
  const sign = underAgent();
  if (sign !== null || !isTerminal()) {
    complain(
      sign === null
        ? 'this is no terminal: a key is given only to a person'
        : `a key is given only to a person: ${sign}`,
    );
    return 1;
  }
  const house = await openHouse(flags);
  try {
    await house.rules.load();
    const entries = reviewersOf(house);
    const entry = Object.hasOwn(entries, id) ? entries[id] : undefined;
    if (entry === undefined || entry.members !== undefined) {
      const persons = Object.keys(entries).filter((name) => entries[name]?.members === undefined);
      const guess = didYouMean(id, persons);
      complain(
        entry === undefined
          ? `policies.yaml names no reviewer "${id}"${guess === null ? ': add one under "reviewers:"' : `: did you mean "${guess}"?`}`
          : `"${id}" is a group: register its persons`,
      );
      return 1;
    }
    const key = await house.store.write((tx) => {
      writeEvents(tx, [
        { type: 'reviewer.registered', ts: Date.now(), 'toolgate.reviewer': id, 'toolgate.by': house.owner },
      ]);
      return mintReviewerKey(tx, id, Date.now());
    });
    if (flags.out === undefined) print(key);
    else writeFileSync(flags.out, `${key}\n`, { mode: 0o600 });
    complain(
      `Keep it in a file that only ${id} can read: whoever has it answers as ${id}. An earlier key no longer works.`,
    );
    return 0;
  } finally {
    await house.close();
  }
}

/** Everybody whom policies.yaml names, and how each can answer here. */
export async function reviewersList(flags: HouseFlags & { json?: boolean }): Promise<number> {
  const house = await openHouse(flags);
  try {
    await house.rules.load();
    const entries = reviewersOf(house);
    const keys = await house.store.read(reviewersWithKey);
    const persons = [...new Set([...Object.keys(entries).filter((id) => entries[id]?.members === undefined), ...keys])];
    const rows = persons.map((id) => ({
      id: reviewerName(id),
      os: entries[id]?.os ?? null,
      key: keys.includes(id),
      answersHere: keys.includes(id) || entries[id]?.os === house.owner,
    }));
    if (flags.json) printJson(rows);
    else if (rows.length === 0) complain(`policies.yaml names no reviewers: policies that ask, ask ${house.owner}`);
    else
      print(
        table(
          ['REVIEWER', 'USER', 'KEY', 'CAN ANSWER HERE'],
          rows.map(({ id, os, key, answersHere }) => [id, os ?? '', key ? 'yes' : 'no', answersHere ? 'yes' : 'no']),
        ),
      );
    return 0;
  } finally {
    await house.close();
  }
}

/** Takes a reviewer's key back. */
export async function reviewersForget(id: string, flags: HouseFlags): Promise<number> {
  const house = await openHouse(flags);
  try {
    const forgotten = await house.store.write((tx) => forgetReviewerKey(tx, id));
    if (!forgotten) complain(`"${visibleLine(id)}" has no key`);
    return forgotten ? 0 : 1;
  } finally {
    await house.close();
  }
}

/** Where no desk runs nobody else has ended what is over; to look needs no write. */
async function sweepOverdue(house: House): Promise<void> {
  if (await house.store.read((tx) => house.approvals.isOverdue(tx, Date.now())))
    await house.store.write((tx) => house.approvals.sweep(tx, Date.now()));
}

async function find(house: House, code: string): Promise<Approval | null> {
  const found = await house.store.read((tx) => ({ approval: findByCode(tx, readCode(code)), live: liveApprovals(tx) }));
  if (found.approval === null) notFound(code, found.live);
  return found.approval;
}

function notFound(code: string, live: readonly Approval[]): number {
  const codes = live.map((approval) => approval.code);
  complain(
    `there is no approval "${visibleLine(code)}"; ${codes.length === 0 ? 'nothing waits for a person' : `open: ${codes.join(', ')}`}`,
  );
  return 1;
}

/** Nobody waits for the answer: an approval then runs nothing by itself. */
export function isAbandoned(house: House, { state, waiter }: Pick<Approval, 'state' | 'waiter'>): boolean {
  return (state === 'open' || state === 'approved') && (waiter === null || !house.isWaiting(waiter));
}

function progressWords(approval: Approval): string {
  return progressOf(approval.requirements, approval.votes, approval.reviewers)
    .map(({ requirement, approvedBy }) => `${approvedBy.length} of ${requirement.approvals}`)
    .join(', ');
}

/** How an approval stands, in a sentence. */
export function outcomeWords(house: House, approval: Approval): string {
  const by = (verdict: Verdict) =>
    approval.votes
      .filter((vote) => vote.verdict === verdict)
      .map(({ voter, channel }) => `${voterName(voter)} (${voter.startsWith('key:') ? 'key' : channel})`)
      .join(', ');
  switch (approval.state) {
    case 'open':
      return `${approval.code} is open: ${progressWords(approval)} approved`;
    case 'approved':
      return `${approval.code} is approved by ${by('approve') || 'the rules'}${isAbandoned(house, approval) ? `; nobody is waiting: it may run until ${when(approval.runBy)}, when the agent calls again with the same arguments` : ', and runs now'}`;
    case 'used':
      return `${approval.code} was approved by ${by('approve') || 'the rules'}, and used`;
    case 'denied':
      return `${approval.code} is ${approval.endedWhy ?? 'denied'}`;
    case 'expired':
    case 'lapsed':
      return `${approval.code} is over: ${approval.endedWhy}`;
  }
}

/** The whole request, with whatever can't be seen made visible. */
function inWords(approval: Approval, house: House): string {
  const { subject } = approval;
  const show = (label: string, text: string) => `${label.padEnd(12)} ${visibleLine(text)}`;
  const asked = approval.requirements.map(
    ({ policy, approvals, reviewers, reasonRequired }) =>
      `"${policy}" asks ${approvals === 1 ? '' : `${approvals} of `}${reviewers.map(reviewerName).join(', ')}${reasonRequired ? ', with a reason' : ''}`,
  );
  const offers = approval.requirements.flatMap(({ remember }) => remember ?? []);
  return [
    show(
      'approval',
      `${approval.code}, ${stateWords(approval)}${isAbandoned(house, approval) ? ', nobody is waiting' : ''}`,
    ),
    show('agent', `${subject.agent.name} (${subject.agent.strength})`),
    show('wants to', `${subject.integration} · ${subject.tool} [${subject.operation ?? 'unknown'}]`),
    show('called', `${subject.calledName} on ${subject.server ?? 'the shell'}`),
    ...asked.map((text) => show('policy', text)),
    ...(offers.length === 0 || approval.state !== 'open'
      ? []
      : [show('may remember', `${offerWords({ offers })} (with --remember)`)]),
    show('asked', `${when(approval.createdAt)}, to be decided by ${when(approval.decideBy)}`),
    ...approval.votes.map(({ voter, verdict, channel, reason, at }) =>
      show(
        verdict === 'approve' ? 'approved' : 'denied',
        `by ${voterName(voter)} (${channel}) at ${when(at)}${reason === null ? '' : `: ${reason}`}`,
      ),
    ),
    ...(approval.endedWhy === null ? [] : [show('ended', approval.endedWhy)]),
    `${'arguments'.padEnd(12)} ${approval.request === null ? '(secrets masked)' : ''}`.trimEnd(),
    indented(visible(readableRequest(approval))),
  ].join('\n');
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
}

/** Without the request itself: that is for eyes, not for logs. */
function exported(house: House, { request: _, requirements, ...approval }: Approval): object {
  const progress = progressOf(requirements, approval.votes, approval.reviewers);
  return {
    ...approval,
    requirements: progress.map(({ requirement, persons, approvedBy, met }) => ({
      ...requirement,
      reviewers: requirement.reviewers.map(reviewerName),
      persons: persons.map(({ id }) => reviewerName(id)),
      approvedBy: approvedBy.map(reviewerName),
      met,
    })),
    nobodyWaiting: isAbandoned(house, approval),
  };
}
