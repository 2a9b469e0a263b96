/**
 * May it, and why? Pure: a call and the policies in, a decision out.
 *
 * Precedence, strictest first; the order in the file never matters:
 *  1. block
 *  2. require approval
 *  3. allow (beats only the defaults)
 *  4. the defaults: the stricter of `action` and, for a tool nobody can classify, `unclassified`
 * Alerts travel along with whichever won. A policy in monitor mode only says what it would have done.
 */
import type { AlertRaised, Decision, Effect, Facts, Mode, Reason, Requirement } from '../call.ts';
import type { CompiledPolicies, CompiledPolicy } from './compile.ts';

/** Judges one call. `owner` is the reviewer where no policy names any. */
export function decide(policies: CompiledPolicies, facts: Facts, owner: string): Decision {
  const { defaults } = policies.file;
  const applying: { policy: CompiledPolicy; reason: Reason }[] = [];
  for (const policy of policies.calls) {
    const reason = reasonOf(policy, facts, defaults.mode);
    if (reason !== null) applying.push({ policy, reason });
  }
  const fallback = defaultReason(policies, facts);
  const reasons = applying.map(({ reason }) => reason);
  const enforced = strictest(
    reasons.filter(({ mode }) => mode === 'enforce'),
    fallback.mode === 'enforce' ? fallback : ALLOWED,
  );
  const would = strictest(reasons, fallback);
  return {
    effect: effectOf(enforced),
    would: effectOf(would) === effectOf(enforced) ? null : effectOf(would),
    deciding: enforced,
    reasons: reasons.includes(enforced) ? reasons : [...reasons, enforced],
    alerts: applying.flatMap(({ policy, reason }) => alertOf(policy, reason)),
    requirements: effectOf(enforced) === 'require approval' ? requirementsOf(applying, enforced, policies, owner) : [],
  };
}

/** The alerts that the discovery of an agent raises. The call in `facts` is not looked at. */
export function decideDiscovery(
  policies: CompiledPolicies,
  facts: Pick<Facts, 'agent'>,
): { reasons: readonly Reason[]; alerts: readonly AlertRaised[] } {
  const found = policies.discoveries
    .map((policy) => ({ policy, reason: reasonOf(policy, facts as Facts, policies.file.defaults.mode) }))
    .filter((each): each is { policy: CompiledPolicy; reason: Reason } => each.reason !== null);
  return {
    reasons: found.map(({ reason }) => reason),
    alerts: found.flatMap(({ policy, reason }) => alertOf(policy, reason)),
  };
}

/** A policy that restricts applies unless its answer is no; one that allows only on a yes. */
export function applies(action: Reason['action'], answer: 'yes' | 'no' | 'cant tell'): boolean {
  return action === 'allow' ? answer === 'yes' : answer !== 'no';
}

function reasonOf(policy: CompiledPolicy, facts: Facts, fileMode: Mode): Reason | null {
  const { source } = policy;
  const answer = policy.test.answer(facts);
  if (!applies(source.action, answer)) return null;
  return {
    policy: source.name,
    action: source.action,
    mode: source.mode ?? fileMode,
    place: policy.place,
    answer: answer === 'yes' ? 'yes' : 'cant tell',
    message: source.message ?? null,
  };
}

const ALLOWED: Reason = {
  policy: '(default: action)',
  action: 'allow',
  mode: 'enforce',
  place: null,
  answer: 'yes',
  message: null,
};

function defaultReason(policies: CompiledPolicies, { call }: Facts): Reason {
  const { action, unclassified, mode } = policies.file.defaults;
  const plain: Reason = { ...ALLOWED, action, mode };
  if (call.possible.length > 0) return plain;
  const unknown: Reason = { ...ALLOWED, policy: '(default: unclassified tool)', action: unclassified, mode };
  return RANK[unknown.action] >= RANK[plain.action] ? unknown : plain;
}

const RANK: Record<Reason['action'], number> = { block: 3, 'require approval': 2, allow: 1, alert: 0 };

/** The strictest reason that rules; an alert never does, so it never lifts a default. Among equals the first in the file. */
function strictest(reasons: readonly Reason[], fallback: Reason): Reason {
  let best: Reason | null = null;
  for (const reason of reasons) {
    if (reason.action !== 'alert' && (best === null || RANK[reason.action] > RANK[best.action])) best = reason;
  }
  return best ?? fallback;
}

function effectOf(reason: Reason): Effect {
  return reason.action === 'alert' ? 'allow' : reason.action;
}

function alertOf(policy: CompiledPolicy, reason: Reason): AlertRaised[] {
  const { source } = policy;
  if (reason.mode === 'monitor' || (source.action !== 'alert' && source.alert === undefined)) return [];
  return [{ policy: source.name, severity: source.alert?.severity ?? 'medium' }];
}

function requirementsOf(
  applying: readonly { policy: CompiledPolicy; reason: Reason }[],
  deciding: Reason,
  policies: CompiledPolicies,
  owner: string,
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
      },
    ];
  return asking.map(({ policy: { source } }) => ({
    policy: source.name,
    reviewers: source.approval?.reviewers ?? fallback,
    approvals: source.approval?.approvals ?? 1,
    timeoutMs: source.approval?.timeout ?? 600_000,
    runWithinMs: source.approval?.run_within ?? 300_000,
    reasonRequired: source.approval?.reason === 'required',
  }));
}
