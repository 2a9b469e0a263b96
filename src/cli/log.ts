/** `toolgate log list | tail | why | verify`. */
import { setTimeout as sleep } from 'node:timers/promises';
import { readCode } from '../approvals/approval.ts';
import { findByCode } from '../approvals/book.ts';
import { voterName } from '../approvals/reviewers.ts';
import { verifyChain } from '../audit/chain.ts';
import type { StoredEvent } from '../audit/events.ts';
import { eventsOfCall, type LogFilter, listEvents, ranBefore } from '../audit/query.ts';
import { doneDeed, type Reason } from '../call.ts';
import { rulesOf, storedArtefact } from '../config/rules.ts';
import { explain } from '../policy/explain.ts';
import { visibleLine } from '../problem.ts';
import { isOpaque } from '../shell/calls.ts';
import { decideLine } from '../shell/judging.ts';
import { explanationInWords } from './explain-words.ts';
import { type House, type HouseFlags, openHouse, ownerOf } from './house.ts';
import { complain, print, printJson, when } from './output.ts';
import { createRecordReader } from './recorded.ts';
import { fieldsOf } from './recorded-deeds.ts';
import { sinceOf } from './since.ts';

/** The filters as typed: times and counts are still text. */
export interface LogFlags extends HouseFlags, Omit<LogFilter, 'since' | 'until' | 'afterSeq' | 'limit'> {
  readonly since?: string;
  readonly limit?: string;
  readonly json?: boolean;
}

export async function logList(flags: LogFlags): Promise<number> {
  const filter = filterOf(flags);
  if (filter === null) return 2;
  const house = await openHouse(flags);
  const events = await house.store.read((tx) => listEvents(tx, filter));
  await house.close();
  if (flags.json) for (const event of [...events].reverse()) print(JSON.stringify(exported(event)));
  else if (events.length === 0) complain('nothing is recorded that matches');
  else for (const event of [...events].reverse()) print(eventLine(event));
  return 0;
}

/** Prints what is recorded from now on, until it is interrupted. */
export async function logTail(flags: LogFlags): Promise<number> {
  const filter = filterOf({ ...flags, limit: '1000' });
  if (filter === null) return 2;
  const house = await openHouse(flags);
  let last = await house.store.read((tx) => listEvents(tx, { limit: 1 })[0]?.seq ?? 0);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  let version = -1;
  while (!stop.signal.aborted) {
    const now = house.store.dataVersion();
    if (now !== version) {
      version = now;
      const events = await house.store.read((tx) => listEvents(tx, { ...filter, afterSeq: last }));
      for (const event of events) print(flags.json ? JSON.stringify(exported(event)) : eventLine(event));
      last = events.at(-1)?.seq ?? last;
    }
    await sleep(100, undefined, { signal: stop.signal }).catch(() => {});
  }
  await house.close();
  return 0;
}

/** Everything that is recorded of one call, and how the rules of that time judge it, condition by condition. */
export async function logWhy(id: string, flags: HouseFlags & { json?: boolean }): Promise<number> {
  const house = await openHouse(flags);
  try {
    return await whyOf(house, id, flags.json === true);
  } finally {
    await house.close();
  }
}

async function whyOf(house: House, id: string, json: boolean): Promise<number> {
  const events = await house.store.read((tx) => {
    const found = eventsOfCall(tx, id.toUpperCase());
    // The code of an approval names the call that waits for it, or has used it.
    const approval = found.length === 0 ? findByCode(tx, readCode(id)) : null;
    return approval === null ? found : eventsOfCall(tx, approval.callId);
  });
  const calls = new Set(events.map(({ body }) => body.call_id));
  if (calls.size !== 1) {
    complain(
      calls.size === 0
        ? `no call "${id}" is recorded; "toolgate log list" shows the ids`
        : `"${id}" is the start of ${calls.size} calls: write more of it`,
    );
    return 1;
  }
  const explained = await explainRecorded(house, events);
  if (json) printJson({ events: events.map(exported), explained });
  else {
    print(events.flatMap(whyLines).join('\n'));
    if (explained !== null) print(`\n${explained.words}`);
  }
  return 0;
}

/** By the rules that judged it, if the store still has them. What the record doesn't hold can't be told. */
async function explainRecorded(house: House, events: readonly StoredEvent[]) {
  const decided = events.find(({ body }) => body.type === 'call.decided');
  const hash = decided?.body['toolgate.rules'];
  if (decided === undefined || typeof hash !== 'string') return null;
  const stored = await house.store.read((tx) => storedArtefact(tx, hash));
  if (stored === null) return null;
  await house.rules.load();
  const rules = rulesOf(stored.artefact, house.ours, house.oursHash);
  const read = await createRecordReader(house, rules);
  const { agent, calls, surroundings, at } = read(decided.body);
  const before = await house.store.read((tx) => ranBefore(tx, surroundings.session, decided.seq));
  const earlier = before.flatMap(({ body }) => read(body).calls.map(doneDeed));
  const gathered = { now: at, surroundings, earlier, counts: new Map<string, number>() };
  const owner = ownerOf(house);
  const judged = calls.filter((call) => !isOpaque(call));
  const explained = judged.map((call) => ({ call, ...explain(rules.policies, { agent, call, gathered }, owner) }));
  const opaque = calls
    .filter(isOpaque)
    .map(
      ({ calledName }) => `${visibleLine(calledName)}: for code that is not in the line defaults.opaque_commands rules`,
    );
  const now =
    calls.length === 0 ? 'allow' : decideLine(rules.policies, calls, { agent, gathered }, owner).decision.effect;
  const recorded = decided.body['toolgate.policy.decision'];
  const differs = now === recorded ? [] : [`(recorded: ${recorded}; what the record doesn't hold, the log can't tell)`];
  const words = explained.map(({ call, ...explanation }) => explanationInWords(call, agent, explanation));
  const strictest = calls.length > 1 ? [`of all that the line does the strictest decides: ${now}`] : [];
  const shown = explained.map(({ call, ...explanation }) => ({ tool: call.calledName, ...explanation }));
  return {
    ...(shown.length === 1 ? shown[0] : { calls: shown }),
    words: [[...words, ...opaque, ...strictest].join('\n\n'), ...differs].join('\n'),
  };
}

/** Exit 0: proved to the end; 1: not. */
export async function logVerify(flags: HouseFlags & { json?: boolean }): Promise<number> {
  const house = await openHouse(flags);
  const result = await house.store.read(verifyChain);
  await house.close();
  if (flags.json) printJson(result);
  else {
    const proved =
      result.provedTo === null
        ? 'nothing is proved'
        : `proved up to event ${result.provedTo.seq} (${when(result.provedTo.ts)})`;
    print(
      result.broken === null
        ? `${result.events} events, ${result.provedTo === null ? 'nothing to prove yet' : proved}`
        : `broken at event ${result.broken.seq}: ${result.broken.why}; ${proved}`,
    );
  }
  return result.broken === null ? 0 : 1;
}

function filterOf(flags: LogFlags): LogFilter | null {
  const limit = Number(flags.limit ?? 50);
  if (!Number.isInteger(limit) || limit < 1 || limit > 100_000) {
    complain('--limit must be a number from 1 to 100000');
    return null;
  }
  const since = flags.since === undefined ? undefined : sinceOf(flags.since);
  if (since === null) {
    complain(`--since "${flags.since}" is neither a duration (30m, 2h, 7d) nor a time (2026-11-25T10:00:00Z)`);
    return null;
  }
  const { type, agent, integration, operation, decision, policy, server, via, text } = flags;
  const given = Object.fromEntries(
    Object.entries({ type, agent, integration, operation, decision, policy, server, via, text }).filter(
      ([, value]) => value !== undefined,
    ),
  );
  return { ...given, ...(since !== undefined && { since }), limit };
}

function exported({ body, hash }: StoredEvent): unknown {
  return { ...body, time: new Date(body.ts).toISOString(), hash };
}

/** One event on one line: time, what, and for a call who did what and how it was judged. */
export function eventLine({ body }: StoredEvent): string {
  const text = (key: string) => (body[key] === undefined || body[key] === null ? '' : visibleLine(String(body[key])));
  const start = `${when(body.ts)}  `;
  if (body.type === 'call.decided') {
    const would = text('toolgate.policy.would');
    const refused = text('toolgate.refused') === '' ? '' : ' (denied)';
    const decision = `${text('toolgate.policy.decision')}${refused}${would === '' ? '' : ` (would: ${would})`}`;
    const what = `${text('toolgate.integration')} · ${text('toolgate.tool.title')} [${text('toolgate.operation') || 'unknown'}]`;
    const alerts = Array.isArray(body['toolgate.alerts'])
      ? `  alert: ${visibleLine((body['toolgate.alerts'] as string[]).join('; '))}`
      : '';
    return `${start}${decision.padEnd(18)} ${text('gen_ai.agent.name').padEnd(16)} ${what.padEnd(44)} ${text('toolgate.policy.name')}${alerts}  ${body.call_id}`;
  }
  if (body.type === 'call.completed')
    return `${start}${`· ${text('toolgate.status')}`.padEnd(18)} ${`${text('toolgate.duration_ms')} ms`.padEnd(16)} ${text('error.type').padEnd(44)} ${body.call_id}`;
  const rest = [
    'gen_ai.agent.name',
    'toolgate.agent.status',
    'toolgate.server',
    'toolgate.integration',
    'gen_ai.tool.name',
    'toolgate.tool.title',
    'toolgate.approval.code',
    'toolgate.approval.why',
    'toolgate.channel',
    'toolgate.error',
  ]
    .map(text)
    .concat(
      body['toolgate.approval.by'] === undefined
        ? []
        : [`by ${visibleLine(voterName(String(body['toolgate.approval.by'])))}`],
    )
    .concat(text('toolgate.approval.reason') === '' ? [] : [`"${text('toolgate.approval.reason')}"`])
    .filter((value) => value !== '')
    .join(', ');
  const tools = Array.isArray(body['toolgate.tools']) ? `, ${(body['toolgate.tools'] as unknown[]).length} tools` : '';
  return `${start}${body.type.padEnd(18)} ${rest}${tools}`;
}

function whyLines(event: StoredEvent): string[] {
  const { body } = event;
  if (body.type !== 'call.decided') return [eventLine(event)];
  const lines = [eventLine(event)];
  const show = (label: string, value: unknown) => {
    if (value !== undefined && value !== null)
      lines.push(`    ${label.padEnd(12)} ${visibleLine(typeof value === 'string' ? value : JSON.stringify(value))}`);
  };
  show('agent', `${body['gen_ai.agent.name']} (${body['toolgate.agent.strength']}, ${body['toolgate.agent.status']})`);
  for (const call of fieldsOf(body)) {
    show(
      'tool',
      `${call['gen_ai.tool.name']} on ${call['toolgate.server'] ?? 'the shell'}, review status ${call['toolgate.tool.status']}`,
    );
    show('operation', `${call['toolgate.operation'] ?? 'unknown'} (${call['toolgate.operation.source']})`);
  }
  show('arguments', body['gen_ai.tool.call.arguments']);
  const reasons = ((body['toolgate.policy.reasons'] as Omit<Reason, 'message'>[] | undefined) ?? []).map(
    ({ policy, action, mode, place, answer }) =>
      `${policy} [${action}${mode === 'monitor' ? ', monitor' : ''}]${place === null ? '' : ` ${place}`}${answer === 'cant tell' ? ", can't tell" : ''}`,
  );
  // One policy may be about several calls of a line.
  for (const reason of new Set(reasons)) show('policy', reason);
  show('refused', body['toolgate.refused']);
  show('rules', String(body['toolgate.rules']).slice(0, 12));
  return lines;
}
