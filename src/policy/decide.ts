/**
 * May it, and why? Pure: a call and the policies in, a decision out.
 *
 * Precedence, strictest first; the order in the file never matters:
 *  1. block
 *  2. require approval
 *  3. allow (beats only the defaults)
 *  4. the defaults: the stricter of `action` and, for a tool nobody can classify, `unclassified`
 *  5. alerts travel along with whichever won, and lift nothing
 *  6. a policy in monitor mode only says what it would have done; its own mode wins over the file's
 * Each number has its cases in test/policy/cases/precedence.yaml.
 */
import type { AlertRaised, Decision, Effect, Facts, Operation, Reason, Redaction, Requirement } from '../call.ts';
import type { CompiledPolicies } from './compile.ts';
import { applies, type Candidate, candidatesAmong } from './resolve.ts';
import type { PolicySource } from './schema.ts';

/** A policy that applies to a call, with the reason as it is recorded. */
interface Applying {
  readonly source: PolicySource;
  readonly reason: Reason;
}

/** Judges one call. `owner` is the reviewer where no policy names any. */
export function decide(policies: CompiledPolicies, facts: Facts, owner: string): Decision {
  const applying = applyingOf(policies.applicable(facts).policies, facts);
  const fallback = defaultReason(policies, facts);
  const reasons = applying.map(({ reason }) => reason);
  const enforced = strictest(
    reasons.filter(({ mode }) => mode === 'enforce'),
    fallback.mode === 'enforce' ? fallback : ALLOWED,
  );
  const would = strictest(reasons, fallback);
  return {
    effect: enforced.action,
    would: would.action === enforced.action ? null : would.action,
    deciding: enforced,
    reasons: reasons.includes(enforced) ? reasons : [...reasons, enforced],
    alerts: applying.flatMap(alertOf),
    redact: redactionOf(applying),
    requirements:
      enforced.action === 'require approval' ? requirementsOf(applying, enforced, policies, owner, facts) : [],
  };
}

/** The alerts that the discovery of an agent raises. */
export function decideDiscovery(
  policies: CompiledPolicies,
  facts: Pick<Facts, 'agent' | 'gathered'>,
): { reasons: readonly Reason[]; alerts: readonly AlertRaised[] } {
  // Its conditions look at nothing else: `readPolicies` refuses those that do.
  const whole = facts as Facts;
  const candidates = candidatesAmong(policies.discoveries, whole, policies.file.defaults.mode);
  const applying = applyingOf(candidates.policies, whole);
  return { reasons: applying.map(({ reason }) => reason), alerts: applying.flatMap(alertOf) };
}

function applyingOf(candidates: readonly Candidate[], facts: Facts): Applying[] {
  const result: Applying[] = [];
  for (const { policy, answer, duty, yes, cantTell } of candidates) {
    const { source } = policy;
    if (isOver(source, facts.gathered.now)) continue;
    const said = answer(facts);
    if (applies(source.action, said)) result.push({ source, reason: said === 'yes' ? yes : cantTell });
    // It can't allow for sure, and yet what it takes out or tells may be meant: that restricts.
    else if (duty !== null && duty(facts) !== 'no') result.push({ source, reason: { ...cantTell, action: 'alert' } });
  }
  return result;
}

/** Past its `expires`, a policy is as if it were not there. */
export function isOver({ expires }: PolicySource, now: number): boolean {
  return now >= (expires ?? Number.POSITIVE_INFINITY);
}

/** A reason that rules; an alert never does. */
type Ruling = Reason & { readonly action: Effect };

const ALLOWED: Ruling = {
  policy: '(default: action)',
  action: 'allow',
  mode: 'enforce',
  place: null,
  answer: 'yes',
  message: null,
};

function defaultReason(policies: CompiledPolicies, { call }: Facts): Ruling {
  const { action, unclassified, mode } = policies.file.defaults;
  const plain: Ruling = { ...ALLOWED, action, mode };
  if (call.possible.length > 0) return plain;
  const unknown: Ruling = { ...ALLOWED, policy: '(default: unclassified tool)', action: unclassified, mode };
  return RANK[unknown.action] >= RANK[plain.action] ? unknown : plain;
}

const RANK: Record<Effect, number> = { block: 3, 'require approval': 2, allow: 1 };

/** The strictest reason that rules; an alert never does, so it never lifts a default. Among equals the first in the file. */
function strictest(reasons: readonly Reason[], fallback: Ruling): Ruling {
  let best: Ruling | null = null;
  for (const reason of reasons) {
    if (isRuling(reason) && (best === null || RANK[reason.action] > RANK[best.action])) best = reason;
  }
  return best ?? fallback;
}

function isRuling(reason: Reason): reason is Ruling {
  return reason.action !== 'alert';
}

function alertOf({ source, reason }: Applying): AlertRaised[] {
  if (reason.mode === 'monitor' || (source.action !== 'alert' && source.alert === undefined)) return [];
  return [
    { policy: source.name, severity: source.alert?.severity ?? 'medium', channels: source.alert?.channel ?? null },
  ];
}

const NOTHING_REDACTED: Redaction = { result: [], args: [] };

/** The union over all that is enforced, whichever policy wins. */
function redactionOf(applying: readonly Applying[]): Redaction {
  const asking = applying.flatMap(({ source, reason }) =>
    source.redact !== undefined && reason.mode === 'enforce' ? [source.redact] : [],
  );
  if (asking.length === 0) return NOTHING_REDACTED;
  const union = (part: keyof Redaction) => [...new Set(asking.flatMap((redact) => redact[part] ?? []))];
  return { result: union('result'), args: union('args') };
}

function requirementsOf(
  applying: readonly Applying[],
  deciding: Ruling,
  policies: CompiledPolicies,
  owner: string,
  { call }: Facts,
): Requirement[] {
  const fallback = policies.file.defaults.reviewers ?? [owner];
  const asking = applying.filter(({ reason }) => reason.action === 'require approval' && reason.mode === 'enforce');
  if (asking.length === 0)
    return [
      {
        policy: deciding.policy,
        reviewers: fallback,
        approvals: 1,
        timeoutMs: 600_000,
        runWithinMs: 300_000,
        reasonRequired: false,
        remember: null,
      },
    ];
  return asking.map(({ source }) => ({
    policy: source.name,
    reviewers: source.approval?.reviewers ?? fallback,
    approvals: source.approval?.approvals ?? 1,
    timeoutMs: source.approval?.timeout ?? 600_000,
    runWithinMs: source.approval?.run_within ?? 300_000,
    reasonRequired: source.approval?.reason === 'required',
    remember: mayRemember(source, call.possible) ? (source.approval?.remember ?? null) : null,
  }));
}

/** A yes to a Delete, or to what may be one, counts once, unless the policy names Delete. */
function mayRemember({ if: condition }: PolicySource, possible: readonly Operation[]): boolean {
  const mayDelete = possible.length === 0 || possible.includes('Delete');
  return !mayDelete || condition?.operation?.includes('Delete') === true;
}
