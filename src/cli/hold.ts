/**
 * Holds a call that a person must approve: asks, waits, and judges it again before it may run. One question is one row
 * of the store; whoever answers it, and from which process, is all the same. Whatever fails here leaves the call not run.
 */
import type { Approval, Bound, ProcessRef } from '../approvals/approval.ts';
import { approvalDigest } from '../approvals/approval.ts';
import { type Asked, findApproval } from '../approvals/book.ts';
import { type GrantedCall, withoutGranted } from '../approvals/grants.ts';
import { votersHere } from '../approvals/keys.ts';
import { progressOf, reviewerName, unreachable, voterName } from '../approvals/reviewers.ts';
import { createWaiting } from '../approvals/waiting.ts';
import { decidedEvent } from '../audit/call-events.ts';
import { writeEvents } from '../audit/chain.ts';
import type { Agent, Call, Decision, Requirement } from '../call.ts';
import { isLocked } from '../desk/lock.ts';
import { messageOf } from '../errors.ts';
import type { Judged, Refused, Ruling } from '../flow.ts';
import { insertAlerts } from '../notify/alerts.ts';
import { approvalAlert, subjectOf } from './approval-words.ts';
import { callAlerts } from './call-words.ts';
import { channelsOf, type House, reviewersOf } from './house.ts';

const TELL_EVERY_MS = 10_000;
const DESK_CHECK_MS = 1000;
/** Without a desk for so long, nobody is being asked. */
const DESK_GONE_MS = 5000;

/** What the door knows of one call that has to wait. */
export interface Held {
  readonly method: string;
  /** the client's own id of this use of a tool */
  readonly toolUse?: string | null | undefined;
  /** what would be sent, as JSON text */
  readonly request: string;
  /** fingerprint of how its server is started */
  readonly launch: string;
  /** how long the client is kept waiting, in milliseconds */
  readonly patienceMs: number;
  /** aborts when the client gives up */
  readonly signal: AbortSignal | null;
  /** tells the client that it waits: at once, and every ten seconds */
  readonly tell: (message: string) => void;
  /** the same request as it means and is judged now */
  readonly judgeAgain: (callId: string) => Promise<JudgedAgain>;
}

interface JudgedAgain {
  readonly agent: Agent;
  readonly calls: readonly Call[];
  readonly decision: Decision;
  readonly rulesHash: string;
}

export interface Holder {
  readonly hold: (judged: Judged, held: Held) => Promise<Ruling>;
  /** the rules have changed: what waits is judged again */
  readonly rulesChanged: () => void;
}

export interface HolderPorts {
  /** the connection, which its questions end with; null: they outlive this process, and the same request may come from another */
  readonly gate: ProcessRef | null;
  readonly sessionId: string;
  readonly digestKey: string;
  readonly wakeDesk: () => void;
  readonly log: (message: string) => void;
}

/**
 * A shell line of several commands is remembered by all of their names; one of which not everything is known only as
 * exactly this line.
 */
function whatIsGranted(
  calls: readonly Call[],
  digest: string,
): Pick<GrantedCall, 'server' | 'calledName' | 'toolStatus' | 'definitionHash'> {
  const { server, definitionHash } = calls[0]!;
  const known = calls.every(({ tools }) => tools.length > 0);
  const statuses = new Set(calls.map(({ toolStatus }) => toolStatus));
  return {
    server,
    definitionHash,
    calledName: known ? calls.map(({ calledName }) => calledName).join(' && ') : `shell line ${digest}`,
    toolStatus: statuses.has('Disallowed') ? 'Disallowed' : statuses.has('Unreviewed') ? 'Unreviewed' : 'Allowed',
  };
}

type End = 'decided' | 'rules changed' | 'patience' | 'time' | 'client' | 'no desk';

export function createHolder(house: House, ports: HolderPorts): Holder {
  const { store, approvals } = house;
  const waiting = createWaiting(store);
  const onRules = new Set<() => void>();

  const digestOf = (agent: Agent, calls: readonly Call[], held: Held, request: string) => {
    const bound: Bound = {
      agentId: agent.id,
      agentStrength: agent.strength,
      session: ports.sessionId,
      launch: held.launch,
      method: held.method,
      definitionHash: calls[0]?.definitionHash ?? null,
      request,
    };
    return approvalDigest(bound, ports.digestKey);
  };

  const grantedCall = (
    agent: Agent,
    calls: readonly Call[],
    held: Held,
    digest: string,
    rules: string,
  ): GrantedCall => ({
    agentId: agent.id,
    agentStrength: agent.strength,
    agentStatus: agent.status,
    method: held.method,
    ...whatIsGranted(calls, digest),
    launch: held.launch,
    session: ports.sessionId,
    digest,
    rules,
    config: house.configId,
  });

  /** What is judged again may be remembered by now. */
  const stillAsked = async (judgedNow: JudgedAgain, held: Held, digest: string): Promise<readonly Requirement[]> => {
    const call = grantedCall(judgedNow.agent, judgedNow.calls, held, digest, judgedNow.rulesHash);
    const found = await store.read((tx) => withoutGranted(tx, judgedNow.decision.requirements, call, Date.now()));
    return found.left;
  };

  /** One commit: the decision, its alerts, and the question. */
  const ask = (judged: Judged, held: Held): Promise<Asked | { readonly kind: 'remembered' }> => {
    const { decision, agent, calls } = judged;
    const reviewers = reviewersOf(house);
    const now = Date.now();
    const subject = subjectOf(house, judged, held);
    const digest = digestOf(agent, calls, held, held.request);
    const channels = channelsOf(house);
    return store.write((tx) => {
      const voters = votersHere(tx, house.owner);
      const decided = (outcome: { approval: string } | { refused: string } | { grants: readonly string[] }) =>
        writeEvents(tx, [
          decidedEvent(
            judged,
            {
              sessionId: ports.sessionId,
              method: held.method,
              toolUse: held.toolUse,
              digestKey: ports.digestKey,
            },
            outcome,
          ),
        ]);
      const { left, grants } = withoutGranted(
        tx,
        decision.requirements,
        grantedCall(agent, calls, held, digest, judged.rulesHash),
        now,
      );
      if (left.length === 0) {
        decided({ grants });
        insertAlerts(tx, callAlerts(judged), channels, now);
        return { kind: 'remembered' };
      }
      const nobody = unreachable(left, reviewers, voters);
      const asked: Asked =
        nobody !== null
          ? { kind: 'refused', why: `no reviewer can be reached: ${nobody}` }
          : approvals.ask(
              tx,
              {
                digest,
                session: ports.sessionId,
                callId: judged.callId,
                subject,
                request: held.request,
                requirements: left,
                rules: judged.rulesHash,
                gate: ports.gate,
                waiter: { ...house.process, callId: judged.callId },
                config: house.configId,
                reviewers,
              },
              now,
              decided,
            );
      if (nobody !== null && asked.kind === 'refused') decided({ refused: asked.why });
      insertAlerts(tx, callAlerts(judged), channels, now);
      if (asked.kind === 'open' && !asked.known && channels.includes('slack'))
        insertAlerts(tx, [approvalAlert(asked.approval)], ['slack'], now);
      return asked;
    });
  };

  /** Waits for the first thing that ends the wait. Timers are monotonic: a clock that is set lengthens nothing. */
  const wait = async (
    approval: Approval,
    signal: AbortSignal | null,
    restMs: number,
    tell: () => void,
  ): Promise<End> => {
    const over = new AbortController();
    const end = Promise.withResolvers<End>();
    const timers = [
      setTimeout(() => end.resolve('patience'), timerMs(restMs)),
      setTimeout(() => end.resolve('time'), timerMs(approval.decideBy - Date.now())),
    ];
    const tellers = [
      setInterval(tell, TELL_EVERY_MS),
      setInterval(
        watchDesk(house, ports, () => end.resolve('no desk')),
        DESK_CHECK_MS,
      ),
    ];
    const changed = () => end.resolve('rules changed');
    const gone = () => end.resolve('client');
    onRules.add(changed);
    if (signal?.aborted) gone();
    signal?.addEventListener('abort', gone, { once: true });
    waiting.decided(approval.id, over.signal).then(
      () => end.resolve('decided'),
      () => {},
    );
    try {
      return await end.promise;
    } finally {
      over.abort();
      for (const timer of timers) clearTimeout(timer);
      for (const teller of tellers) clearInterval(teller);
      onRules.delete(changed);
      signal?.removeEventListener('abort', gone);
    }
  };

  /** Approved, or allowed by now: judged again as it stands, then spent, and only then forwarded. */
  const use = async (approval: Approval, held: Held, judged: Judged, toldTimes: number): Promise<Ruling> => {
    const { callId } = judged;
    const judgedNow = await held.judgeAgain(callId);
    const { agent, calls, decision } = judgedNow;
    const end = (why: string, refused: Refused): Promise<Ruling> =>
      store.write((tx) => approvals.end(tx, approval.id, why, Date.now())).then(() => refuse(refused));
    if (approval.request === null) return refuse({ kind: 'expired', code: approval.code });
    if (digestOf(agent, calls, held, approval.request) !== approval.digest)
      return end('what was approved is no longer what would run', {
        kind: 'changed',
        why: 'the tool, its server or its agent is no longer what was approved',
      });
    if (decision.effect === 'block') {
      const { policy, message } = decision.deciding;
      return end(`the policy "${policy}" blocks it now`, { kind: 'blocked now', policy, message });
    }
    if (decision.effect === 'require approval') {
      const asked = await stillAsked(judgedNow, held, approval.digest);
      const missing = progressOf(asked, approval.votes, reviewersOf(house)).find(({ met }) => !met);
      if (missing !== undefined) {
        const why = `the policy "${missing.requirement.policy}" asks ${missing.requirement.reviewers.map(reviewerName).join(', ')} now`;
        return end(why, { kind: 'changed', why });
      }
    }
    // Nobody would get the result of a call whose client has gone.
    if (held.signal?.aborted) return refuse({ kind: 'cancelled' });
    // Alerts of policies that came to apply while it waited.
    const told = new Set(judged.decision.alerts.map(({ policy }) => policy));
    const alerts = decision.alerts.filter(({ policy }) => !told.has(policy));
    const used = await store.writeDurably((tx) => {
      const found = approvals.use(tx, approval.id, callId, Date.now());
      if (found !== null)
        insertAlerts(
          tx,
          callAlerts({ ...judged, calls, decision: { ...decision, alerts } }),
          channelsOf(house),
          Date.now(),
        );
      return found;
    });
    if (used?.request == null) {
      const now = await find(house, approval.id);
      return now?.state === 'used'
        ? refuse({ kind: 'changed', why: 'another call like it was faster, and has used it' })
        : refuse({ kind: 'expired', code: approval.code });
    }
    const { redact } = decision;
    return {
      kind: 'run',
      approved: { approvalId: approval.id, request: used.request, redact: redact.result, toldTimes },
    };
  };

  /** Judged again because the rules changed. Null: it still waits for the same or other reviewers. */
  const rejudge = async (approval: Approval, held: Held, judged: Judged, toldTimes: number): Promise<Ruling | null> => {
    const judgedNow = await held.judgeAgain(judged.callId);
    const { decision, rulesHash } = judgedNow;
    if (decision.effect === 'require approval') {
      // A change of the rules ends what was remembered, so nothing is left out here.
      const inForce = { requirements: decision.requirements, reviewers: reviewersOf(house) };
      await store.write((tx) => approvals.renew(tx, approval.id, inForce, rulesHash, Date.now()));
      return null;
    }
    if (decision.effect === 'allow') {
      const allowed = await store.write((tx) => approvals.allow(tx, approval.id, Date.now()));
      if (allowed === null) return null;
    }
    return use((await find(house, approval.id)) ?? approval, held, judged, toldTimes);
  };

  const outcome = async (approval: Approval, held: Held, judged: Judged, toldTimes: number): Promise<Ruling> => {
    const now = (await find(house, approval.id)) ?? approval;
    switch (now.state) {
      case 'approved':
        return use(now, held, judged, toldTimes);
      case 'denied': {
        const vote = now.votes.find(({ verdict }) => verdict === 'deny');
        return refuse({
          kind: 'denied',
          by: vote === undefined ? `the rules (${now.endedWhy})` : voterName(vote.voter),
          reason: vote?.reason ?? null,
        });
      }
      default:
        return refuse({ kind: 'expired', code: now.code });
    }
  };

  const hold: Holder['hold'] = async (judged, held) => {
    const { callId } = judged;
    house.held.add(callId);
    let asked: Awaited<ReturnType<typeof ask>> | null = null;
    try {
      asked = await ask(judged, held);
      if (asked.kind === 'remembered') return { kind: 'run', approved: null };
      if (asked.kind === 'refused') return refuse({ kind: 'not asked', why: asked.why });
      ports.wakeDesk();
      return asked.kind === 'approved'
        ? await use(asked.approval, held, judged, 0)
        : await answered(asked.approval, held, judged);
    } catch (error) {
      // Before it was asked nothing is recorded: that is for the door to say. After it, the call has an outcome.
      if (asked === null) throw error;
      ports.log(messageOf(error));
      return refuse({ kind: 'failed', why: messageOf(error) });
    } finally {
      house.held.delete(callId);
      // Not waited for: the client has its answer, whatever the store does. Of what has ended nothing is left to leave.
      if (asked !== null && (asked.kind === 'open' || asked.kind === 'approved')) {
        const { id } = asked.approval;
        void store.write((tx) => approvals.leave(tx, id, callId)).catch((error) => ports.log(messageOf(error)));
      }
    }
  };

  /** Waits until it is decided, or until something else ends the wait. */
  const answered = async (approval: Approval, held: Held, judged: Judged): Promise<Ruling> => {
    let message = waitingFor(approval);
    const until = performance.now() + held.patienceMs;
    let toldTimes = 0;
    const tell = () => {
      toldTimes++;
      held.tell(message);
    };
    tell();
    for (;;) {
      const end = await wait(approval, held.signal, until - performance.now(), tell);
      switch (end) {
        case 'decided':
          return outcome(approval, held, judged, toldTimes);
        case 'rules changed': {
          const ruling = await rejudge(approval, held, judged, toldTimes);
          if (ruling !== null) return ruling;
          waiting.look();
          message = waitingFor((await find(house, approval.id)) ?? approval);
          tell();
          break;
        }
        case 'patience':
          return refuse({ kind: 'pending', code: approval.code, decideBy: approval.decideBy });
        case 'time':
          void store.write((tx) => approvals.sweep(tx, Date.now())).catch((error) => ports.log(messageOf(error)));
          return refuse({ kind: 'expired', code: approval.code });
        case 'client':
          return refuse({ kind: 'cancelled' });
        case 'no desk': {
          const why =
            'no reviewer can be reached: the desk, where people answer, does not run and could not be started';
          await store.write((tx) => approvals.end(tx, approval.id, why, Date.now()));
          return refuse({ kind: 'not asked', why });
        }
      }
    }
  };

  return {
    hold,
    rulesChanged: () => {
      for (const changed of onRules) changed();
    },
  };
}

/** Longer ones overflow, and would be over at once. */
function timerMs(ms: number): number {
  return Math.min(Math.max(0, ms), 2 ** 31 - 1);
}

function refuse(why: Refused): Ruling {
  return { kind: 'refuse', why };
}

function find(house: House, id: string): Promise<Approval | null> {
  return house.store.read((tx) => findApproval(tx, id));
}

/** Looks whether a desk runs; starts one again, and gives up after a while without any. */
function watchDesk(house: House, ports: HolderPorts, gone: () => void): () => void {
  let missingSince: number | null = null;
  return () => {
    if (isLocked(house.folders.state)) {
      missingSince = null;
      return;
    }
    missingSince ??= performance.now();
    if (performance.now() - missingSince > DESK_GONE_MS) gone();
    else ports.wakeDesk();
  };
}

/** What a client may show its user meanwhile. */
function waitingFor({ code, requirements }: Approval): string {
  const names = [...new Set(requirements.flatMap(({ reviewers }) => reviewers.map(reviewerName)))];
  return `Waiting for approval by ${names.join(', ')} (${code})`;
}
