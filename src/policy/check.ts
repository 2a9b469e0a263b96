/** What is wrong with a policy file beyond its form: names that don't exist, parts that make no sense together. Pure. */
import { foldName } from '../call.ts';
import { compileGlob, isGlob } from '../glob.ts';
import { MASK_KINDS } from '../mask.ts';
import { didYouMean, mendChoice, type Problem } from '../problem.ts';
import type { Locate } from '../schema.ts';
import type { PolicyFile, PolicySource } from './schema.ts';
import { type Condition, condition } from './schema-conditions.ts';
import type { IntegrationWords, Vocabulary } from './vocabulary.ts';

/** Every mistake of meaning in a file whose form is right. */
export function checkMeaning(file: PolicyFile, vocabulary: Vocabulary, fileName: string, locate: Locate): Problem[] {
  const problems: Problem[] = [];
  const report = (path: PropertyKey[], fault: string, mend: string, severity: Problem['severity'] = 'error') =>
    problems.push({ file: fileName, ...locate(path, 'value'), severity, fault, mend });

  const reviewerIds = Object.keys(file.reviewers);
  const checkReviewers = (ids: readonly string[] | undefined, path: PropertyKey[]) =>
    ids?.forEach((id, index) => {
      if (reviewerIds.includes(id)) return;
      const known =
        reviewerIds.length === 0
          ? 'add it under "reviewers:"'
          : `${mendChoice(id, reviewerIds)}; or add it under "reviewers:"`;
      report([...path, index], `reviewer "${id}" is not defined`, known);
    });
  checkReviewers(file.defaults.reviewers, ['defaults', 'reviewers']);
  for (const [id, reviewer] of Object.entries(file.reviewers)) {
    checkReviewers(reviewer.members, ['reviewers', id, 'members']);
    reviewer.members?.forEach((member, index) => {
      if (file.reviewers[member]?.members !== undefined)
        report(['reviewers', id, 'members', index], `"${member}" is itself a group`, 'name its persons instead');
    });
  }
  for (const [integration, tools] of Object.entries(file.tools)) {
    const words = find(vocabulary, integration);
    if (words === null) report(['tools', integration], ...unknownIntegration(integration, vocabulary));
    else for (const tool of Object.keys(tools)) checkTool(tool, words, ['tools', integration, tool], report);
  }

  const seen = new Map<string, number>();
  file.policies.forEach((policy, index) => {
    const path = ['policies', index];
    const earlier = seen.get(foldName(policy.name));
    if (earlier !== undefined)
      report(
        [...path, 'name'],
        `there are two policies named "${policy.name}"`,
        `the other is on line ${locate(['policies', earlier], 'value').line}; give each its own name`,
      );
    seen.set(foldName(policy.name), index);
    if (policy.name.trim().startsWith('(default'))
      report([...path, 'name'], `"${policy.name}" is how the defaults are named in the log`, 'give it another name');
    checkEnoughReviewers(policy, file, [...path, 'approval', 'approvals'], report);
    if (policy.if === undefined || Object.keys(policy.if).length === 0)
      report(
        path,
        `policy "${policy.name}" has no "if": it applies to everything`,
        'add "if:" with what it is about',
        'warning',
      );
    checkReviewers(policy.approval?.reviewers, [...path, 'approval', 'reviewers']);
    if (policy.approval !== undefined && policy.action !== 'require approval')
      report(
        [...path, 'approval'],
        '"approval" has no meaning for this action',
        'write "action: require approval", or take "approval" out',
      );
    const discovery = policy.when === 'an agent is discovered';
    if (discovery && policy.action !== 'alert')
      report(
        [...path, 'action'],
        `an agent that is discovered can only be alerted on, not "${policy.action}"`,
        `to stop its calls, add a policy with "when: an agent makes a tool call" and "action: ${policy.action}"`,
      );
    if (discovery && policy.redact !== undefined)
      report(
        [...path, 'redact'],
        'when an agent is discovered there is nothing to redact',
        'take it out, or write a policy with "when: an agent makes a tool call"',
      );
    for (const part of ['result', 'args'] as const)
      policy.redact?.[part]?.forEach((item, at, all) => {
        const kind = (MASK_KINDS as readonly string[]).includes(item) ? null : didYouMean(item, MASK_KINDS);
        if (kind !== null)
          report(
            [...path, 'redact', part, ...(all.length > 1 ? [at] : [])],
            `"${item}" is taken for the name of a field`,
            `did you mean "${kind}"?`,
            'warning',
          );
      });
    for (const part of ['if', 'unless'] as const) {
      const written = policy[part];
      if (written === undefined) continue;
      checkCondition(written, [...path, part], discovery, vocabulary, report);
      checkRates(written, part === 'unless' || policy.action === 'allow', [...path, part], report);
    }
    policy.alert?.channel?.forEach((channel, at, all) => {
      if (channel === 'slack' ? file.channels.slack !== undefined : file.channels.desktop === true) return;
      report(
        [...path, 'alert', 'channel', ...(all.length > 1 ? [at] : [])],
        `the channel "${channel}" is not set up, so this alert reaches nobody there`,
        channel === 'slack'
          ? 'add it: channels: { slack: { webhook: "${env:SLACK_WEBHOOK_URL}" } }'
          : 'add it: channels: { desktop: true }',
      );
    });
  });
  return problems;
}

/** Of a file that has mistakes of form, the conditions that have none are checked too: every mistake at once. */
export function checkReadable(value: unknown, vocabulary: Vocabulary, fileName: string, locate: Locate): Problem[] {
  const problems: Problem[] = [];
  const report: Report = (path, fault, mend, severity = 'error') =>
    problems.push({ file: fileName, ...locate(path, 'value'), severity, fault, mend });
  const policies = (value as { policies?: unknown }).policies;
  if (!Array.isArray(policies)) return problems;
  policies.forEach((policy: unknown, index) => {
    if (policy === null || typeof policy !== 'object') return;
    for (const part of ['if', 'unless'] as const) {
      const parsed = condition.safeParse((policy as Record<string, unknown>)[part]);
      if (parsed.success) checkCondition(parsed.data, ['policies', index, part], false, vocabulary, report);
    }
  });
  return problems;
}

type Report = (path: PropertyKey[], fault: string, mend: string, severity?: Problem['severity']) => unknown;

/** More approvals than people: such a call could never run. */
function checkEnoughReviewers({ approval }: PolicySource, file: PolicyFile, path: PropertyKey[], report: Report): void {
  const wanted = approval?.approvals ?? 1;
  const ids = approval?.reviewers ?? file.defaults.reviewers;
  if (wanted === 1) return;
  const persons = new Set((ids ?? ['(the owner)']).flatMap((id) => file.reviewers[id]?.members ?? [id]));
  if (persons.size < wanted)
    report(
      path,
      `${wanted} approvals are wanted, but only ${persons.size} ${persons.size === 1 ? 'person is' : 'people are'} asked`,
      'name more reviewers, or lower "approvals"',
    );
}

const DISCOVERY_KEYS = new Set(['agent', 'agent_review_status', 'user', 'workspace', 'time', 'any', 'all', 'not']);

function checkCondition(
  condition: Condition,
  path: PropertyKey[],
  discovery: boolean,
  vocabulary: Vocabulary,
  report: Report,
): void {
  if (discovery) {
    for (const key of Object.keys(condition)) {
      if (!DISCOVERY_KEYS.has(key))
        report(
          [...path, key],
          `"${key}" means nothing when an agent is discovered: it has made no call yet`,
          'use agent, agent review status, user, workspace or time',
        );
    }
  }
  const words: IntegrationWords[] = [];
  for (const part of ['not', 'args'] as const) {
    if (condition[part] !== undefined && Object.keys(condition[part]).length === 0)
      report([...path, part], `"${part}" is empty`, 'say what is meant, or take it out', 'warning');
  }
  if (condition.via?.every((door) => door === 'cli'))
    report(
      [...path, 'via'],
      'commands are not judged yet, so this never applies',
      'wait for the version that judges them',
      'warning',
    );
  condition.integration?.forEach((name, index, all) => {
    const at = [...path, 'integration', ...(all.length > 1 ? [index] : [])];
    if (isGlob(name)) {
      const match = compileGlob(name);
      words.push(...vocabulary.integrations.filter(({ id, title }) => match(id) || match(title)));
      return;
    }
    const found = find(vocabulary, name);
    if (found === null) report(at, ...unknownIntegration(name, vocabulary));
    else words.push(found);
  });
  condition.tool?.forEach((name, index, all) => {
    const at = [...path, 'tool', ...(all.length > 1 ? [index] : [])];
    if (condition.integration !== undefined && words.length > 0) checkToolIn(name, words, at, report);
    // A server that is named may have tools that only it knows.
    else if (
      condition.integration === undefined &&
      condition.server === undefined &&
      !vocabulary.integrations.some((known) => matchesTool(name, known))
    )
      report(
        at,
        `no tool that the catalog knows matches "${name}"`,
        'it still matches a tool of that name on a server of your own',
        'warning',
      );
  });
  condition.server?.forEach((name, index, all) => {
    if (isGlob(name) || vocabulary.servers.includes(name)) return;
    report(
      [...path, 'server', ...(all.length > 1 ? [index] : [])],
      `there is no server "${name}" in servers.json`,
      vocabulary.servers.length === 0 ? 'add it there' : mendChoice(name, vocabulary.servers),
      'warning',
    );
  });
  if (condition.session_has !== undefined)
    checkEarlier(condition.session_has, [...path, 'session_has'], vocabulary, report);
  for (const key of ['any', 'all'] as const)
    condition[key]?.forEach((inner, index) => {
      checkCondition(inner, [...path, key, index], discovery, vocabulary, report);
    });
  if (condition.not !== undefined) checkCondition(condition.not, [...path, 'not'], discovery, vocabulary, report);
}

const EARLIER_KEYS = new Set([
  'integration',
  'operation',
  'tool',
  'tool_review_status',
  'via',
  'server',
  'any',
  'all',
  'not',
]);

/** Of what a session did before, only the deeds are kept. */
function checkEarlier(condition: Condition, path: PropertyKey[], vocabulary: Vocabulary, report: Report): void {
  checkCondition(condition, path, false, vocabulary, report);
  const visit = (inner: Condition, at: PropertyKey[]) => {
    for (const key of Object.keys(inner))
      if (!EARLIER_KEYS.has(key))
        report(
          [...at, key],
          `"${key}" can't be asked of earlier calls: only what was done is kept of them`,
          `use one of: ${[...EARLIER_KEYS].join(', ')}`,
        );
    for (const key of ['any', 'all'] as const)
      inner[key]?.forEach((each, index) => {
        visit(each, [...at, key, index]);
      });
    if (inner.not !== undefined) visit(inner.not, [...at, 'not']);
  };
  visit(condition, path);
}

/** Where its yes would loosen, a rate would let more through the more there is. */
function checkRates(condition: Condition, loosens: boolean, path: PropertyKey[], report: Report): void {
  if (condition.rate !== undefined && loosens)
    report(
      [...path, 'rate'],
      'a rate can only restrict: here more calls would be allowed once there are many',
      'write it under "if" of a policy that blocks, asks or alerts',
    );
  for (const key of ['any', 'all'] as const)
    condition[key]?.forEach((inner, index) => {
      checkRates(inner, loosens, [...path, key, index], report);
    });
  if (condition.not !== undefined) checkRates(condition.not, true, [...path, 'not'], report);
}

function find(vocabulary: Vocabulary, name: string): IntegrationWords | null {
  const folded = foldName(name);
  return (
    vocabulary.integrations.find(({ id, title, aliases }) =>
      [id, title, ...aliases].some((known) => foldName(known) === folded),
    ) ?? null
  );
}

function unknownIntegration(name: string, vocabulary: Vocabulary): [string, string] {
  const titles = vocabulary.integrations.map(({ title }) => title);
  const guess = didYouMean(
    name,
    vocabulary.integrations.flatMap(({ title, aliases }) => [title, ...aliases]),
  );
  return [`"${name}" is not a known integration`, mendChoice(name, titles, guess)];
}

function checkTool(tool: string, words: IntegrationWords, path: PropertyKey[], report: Report): void {
  checkToolIn(tool, [words], path, report);
}

function checkToolIn(tool: string, words: readonly IntegrationWords[], path: PropertyKey[], report: Report): void {
  const known = words.filter(({ tools }) => tools.length > 0);
  if (known.length < words.length || known.some((each) => matchesTool(tool, each))) return;
  const names = known.map(({ title }) => title).join(' or ');
  const titles = known.flatMap(({ toolTitles }) => toolTitles);
  const guess = didYouMean(tool, titles);
  const start = guess === null ? '' : `did you mean "${guess}"? `;
  report(
    path,
    `no ${names} tool matches "${tool}", so this can never apply`,
    `${start}List them with: toolgate catalog show ${known[0]!.id}; a tool of your own goes into catalog/${known[0]!.id}.yaml in your config folder`,
  );
}

function matchesTool(pattern: string, words: IntegrationWords): boolean {
  const match = isGlob(pattern) ? compileGlob(pattern) : null;
  const folded = foldName(pattern);
  return (
    words.tools.some((name) => foldName(name) === folded || (match?.(name) ?? false)) ||
    ['readresource', 'subscriberesource', 'getprompt', 'complete'].includes(folded)
  );
}
