/**
 * The corridor: what happens to every call, at both doors, in this order and no other.
 *
 *   identify   who asks; unseen before? then "an agent is discovered" is judged first
 *   gather     what pure judging needs from outside, as values
 *   classify   what the request means: one call for an MCP request, several for a shell line
 *   count      how often the like was done lately, where a policy asks
 *   decide     the strictest of all matching policies, with every reason
 *   reserve    take what this call will use; if others were faster, count and decide again
 *   settle     allow and block answer at once; approval waits for a person
 *   record     the decision is committed before anything runs, and before a wait begins
 *   forward    the request as it was judged
 *   record     the outcome
 *
 * It names ports, not rooms; `cli/serve.ts` furnishes them.
 */
import type { Agent, Call, Decision, Gathered } from './call.ts';
import { GatewayError, toGatewayError } from './errors.ts';

/** A judged request: everything that is known of it once the decision is made. */
export interface Judged {
  readonly callId: string;
  readonly agent: Agent;
  readonly gathered: Gathered;
  readonly calls: readonly Call[];
  readonly decision: Decision;
  /** the rules that judged it */
  readonly rulesHash: string;
  /** how long deciding took, in microseconds */
  readonly evaluationUs: number;
}

/** What comes of a decision once everybody has spoken. */
export type Ruling =
  | { readonly kind: 'run'; readonly approved: Approved | null }
  | { readonly kind: 'refuse'; readonly why: Refused };

/** A request that people have approved, and that is spent with this. */
export interface Approved {
  readonly approvalId: string;
  /** exactly what was approved: nothing else is forwarded */
  readonly request: string;
  /** what is taken out of its result, by the rules at the moment of its use */
  readonly redact: readonly string[];
  /** how often the client was told that it waits */
  readonly toldTimes: number;
}

/** Why a call does not run. */
export type Refused =
  | { readonly kind: 'blocked' }
  /** it still waits for a person, and may be asked for again */
  | { readonly kind: 'pending'; readonly code: string; readonly decideBy: number }
  | { readonly kind: 'denied'; readonly by: string; readonly reason: string | null }
  /** a policy that came to apply while it waited */
  | { readonly kind: 'blocked now'; readonly policy: string; readonly message: string | null }
  | { readonly kind: 'expired'; readonly code: string }
  /** nobody can be asked, or too many already are */
  | { readonly kind: 'not asked'; readonly why: string }
  /** approved, but no longer what was approved, or no longer enough: it must be asked anew */
  | { readonly kind: 'changed'; readonly why: string }
  | { readonly kind: 'cancelled' }
  /** something broke while it waited */
  | { readonly kind: 'failed'; readonly why: string };

/** What came of the request. */
export type Outcome<Result> =
  | { readonly kind: 'forwarded'; readonly judged: Judged; readonly result: Result }
  | { readonly kind: 'refused'; readonly judged: Judged; readonly why: Refused }
  | { readonly kind: 'broken'; readonly judged: Judged | null; readonly error: GatewayError };

/** How a call that ran ended, for the record. */
export interface Completion {
  readonly status: 'ok' | 'tool_error' | 'error' | 'failed' | 'released' | 'not_run';
  readonly durationMs: number;
  readonly bytes: number | null;
  readonly error: string | null;
}

export interface Ports<Asked, Result> {
  readonly identify: (asked: Asked) => Promise<Agent> | Agent;
  readonly gather: (asked: Asked) => Gathered;
  readonly classify: (asked: Asked, gathered: Gathered) => readonly Call[];
  /** completes what was gathered, for these calls: the counts, and the session's history as it is by then */
  readonly count: (
    callId: string,
    agent: Agent,
    calls: readonly Call[],
    gathered: Gathered,
  ) => Promise<Gathered> | Gathered;
  /** throws while there are no rules: then nothing runs */
  readonly decide: (
    agent: Agent,
    calls: readonly Call[],
    gathered: Gathered,
  ) => { readonly decision: Decision; readonly rulesHash: string };
  /** null: what was counted or done has changed so that it may be judged otherwise now */
  readonly reserve: (judged: Judged) => Promise<Reservation | null> | Reservation | null;
  /** resolves once the decision, to allow or to block, is where it survives the end of this process */
  readonly recordDecision: (asked: Asked, judged: Judged) => Promise<void> | void;
  /** commits the decision together with the question to the reviewers, then waits for what comes of it */
  readonly hold: (asked: Asked, judged: Judged) => Promise<Ruling>;
  /** sends what was judged, never what came in; and of an approved request what was approved */
  readonly forward: (
    asked: Asked,
    judged: Judged,
    approved: Approved | null,
  ) => Promise<{ readonly result: Result; readonly completion: Completion }>;
  readonly recordOutcome: (judged: Judged, completion: Completion) => Promise<void> | void;
  readonly newCallId: (now: number) => string;
  /** monotonic, in milliseconds */
  readonly clock: () => number;
}

export interface Reservation {
  /** the call runs: what was taken is used up */
  readonly keep: () => void;
  /** the call does not run: give back what was taken */
  readonly release: () => void;
}

/** So often may others be faster before it is given up. */
const MAX_TRIES = 20;

/** Takes one request through. Never throws: what breaks on the way is an outcome, and nothing has run. */
export async function flow<Asked, Result>(asked: Asked, ports: Ports<Asked, Result>): Promise<Outcome<Result>> {
  let judged: Judged | null = null;
  let reservation: Reservation | null = null;
  let ruling: Ruling;
  try {
    const agent = await ports.identify(asked);
    const gathered = ports.gather(asked);
    const started = ports.clock();
    const calls = ports.classify(asked, gathered);
    const classified = ports.clock() - started;
    const callId = ports.newCallId(gathered.now);
    for (let tries = 0; reservation === null; tries++) {
      if (tries === MAX_TRIES)
        throw new GatewayError('internal', 'other calls keep changing what this one is judged by: try again');
      const counting = ports.count(callId, agent, calls, gathered);
      // Not awaited without need: whatever comes in between would be judged without knowing of this call.
      const counted = counting instanceof Promise ? await counting : counting;
      const deciding = ports.clock();
      const { decision, rulesHash } = ports.decide(agent, calls, counted);
      const evaluationUs = Math.round((classified + ports.clock() - deciding) * 1000);
      judged = { callId, agent, gathered: counted, calls, decision, rulesHash, evaluationUs };
      reservation = await ports.reserve(judged);
    }
    ruling = await settle(asked, judged!, ports);
    if (ruling.kind === 'refuse') {
      reservation.release();
      return { kind: 'refused', judged: judged!, why: ruling.why };
    }
    reservation.keep();
  } catch (thrown) {
    reservation?.release();
    return { kind: 'broken', judged, error: toGatewayError(thrown) };
  }
  return run(asked, judged!, ruling.approved, ports);
}

async function settle<Asked, Result>(asked: Asked, judged: Judged, ports: Ports<Asked, Result>): Promise<Ruling> {
  if (judged.decision.effect === 'require approval') {
    const started = ports.clock();
    const ruling = await ports.hold(asked, judged);
    if (ruling.kind === 'refuse')
      await ignoreFailure(
        ports.recordOutcome(judged, {
          status: 'not_run',
          durationMs: ports.clock() - started,
          bytes: null,
          error: ruling.why.kind,
        }),
      );
    return ruling;
  }
  await ports.recordDecision(asked, judged);
  return judged.decision.effect === 'allow' ? RUN : BLOCKED;
}

const RUN: Ruling = { kind: 'run', approved: null };
const BLOCKED: Ruling = { kind: 'refuse', why: { kind: 'blocked' } };

async function run<Asked, Result>(
  asked: Asked,
  judged: Judged,
  approved: Approved | null,
  ports: Ports<Asked, Result>,
): Promise<Outcome<Result>> {
  const started = ports.clock();
  try {
    const { result, completion } = await ports.forward(asked, judged, approved);
    await ignoreFailure(ports.recordOutcome(judged, completion));
    return { kind: 'forwarded', judged, result };
  } catch (thrown) {
    const error = toGatewayError(thrown);
    await ignoreFailure(
      ports.recordOutcome(judged, {
        status: 'failed',
        durationMs: ports.clock() - started,
        bytes: null,
        error: `${error.code}: ${error.message}`,
      }),
    );
    return { kind: 'broken', judged, error };
  }
}

/** The call has run: its answer is owed even if the outcome can't be written. The recorder then refuses what comes next. */
async function ignoreFailure(writing: Promise<void> | void): Promise<void> {
  try {
    await writing;
  } catch {
    // Kept by the recorder, which tries again.
  }
}
