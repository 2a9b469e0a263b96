/** `toolgate policy check | explain`. */

import { fixedStatus, identify } from '../agents/identify.ts';
import type { Agent, Call, IdentityStrength, JsonObject, ReviewStatus } from '../call.ts';
import { classifyNamed } from '../catalog/named.ts';
import { checkRules, readRuleFiles, rulesFault } from '../config/rules.ts';
import { type ExplainedCondition, type Explanation, explain } from '../policy/explain.ts';
import { formatProblems, inOrder } from '../problem.ts';
import { type HouseFlags, openHouse } from './house.ts';
import { complain, print, printJson } from './output.ts';

/** Exit 0: usable; 1: errors. Warnings alone are 0. */
export async function policyCheck(flags: HouseFlags & { json?: boolean }): Promise<number> {
  const house = await openHouse(flags);
  const { artefact, problems } = await checkRules(readRuleFiles(house.folders.config), house.ours);
  await house.close();
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  if (flags.json) printJson({ ok: errors === 0, problems: inOrder(problems) });
  else if (problems.length > 0) print(formatProblems(problems));
  if (!flags.json) {
    const policies = artefact?.policies.file.policies.length ?? 0;
    const summary =
      errors > 0
        ? `${count(errors, 'error')}; nothing changes until they are mended`
        : `${count(policies, 'policy', 'policies')}, ${count(problems.length, 'warning')}`;
    complain(summary);
  }
  return errors > 0 ? 1 : 0;
}

export interface ExplainFlags extends HouseFlags {
  readonly agent?: string;
  readonly identity?: IdentityStrength;
  readonly agentStatus?: ReviewStatus;
  readonly toolStatus?: ReviewStatus;
  readonly args?: string;
  readonly json?: boolean;
}

/** Explains how one call would be judged. `what` is `integration/tool` or `server/tool`. */
export async function policyExplain(what: string, flags: ExplainFlags): Promise<number> {
  const slash = what.indexOf('/');
  if (slash <= 0 || slash === what.length - 1) {
    complain(`"${what}" names no tool: write integration/tool or server/tool, such as github/create_issue`);
    return 2;
  }
  const args = parseArguments(flags.args);
  if (args === null) {
    complain('--args must be a JSON object, such as --args \'{"branch":"main"}\'');
    return 2;
  }
  const house = await openHouse(flags);
  try {
    const loaded = await house.rules.load();
    if (loaded.rules === null) {
      complain(rulesFault(loaded));
      return 3;
    }
    if (loaded.stale) complain(`${rulesFault(loaded)}\nthe last good rules are explained`);
    const { policies, catalog, hash } = loaded.rules;
    const [key, tool] = [what.slice(0, slash), what.slice(slash + 1)];
    const { recognised, toolClass } = classifyNamed(catalog, { key }, { name: tool });
    const found = toolClass.ofCall(args);
    const call: Call = {
      via: 'mcp',
      integrations: found.integrations,
      server: key,
      calledName: tool,
      tools: found.tools,
      possible: found.possible,
      operation: found.operation,
      source: found.source,
      reasons: found.reasons,
      toolStatus: flags.toolStatus ?? 'Unreviewed',
      definitionHash: null,
      rawArguments: args,
      argument: toolClass.reader(args),
    };
    const { mixedScripts: _, ...identity } = identify({
      flag: flags.agent ?? null,
      keyMatches: flags.identity === 'registered',
      clientInfo: null,
    });
    const status =
      flags.agentStatus ?? fixedStatus(policies.file.agents, { ...identity, mixedScripts: false }) ?? 'Unreviewed';
    const agent: Agent = { ...identity, strength: flags.identity ?? identity.strength, status };
    const explanation = explain(policies, { agent, call, gathered: { now: Date.now() } }, house.owner);
    if (flags.json)
      printJson({ call: { ...found, server: key, recognised: recognised.why }, agent, rules: hash, ...explanation });
    else print(inWords(call, agent, explanation));
    return explanation.decision.effect === 'allow' ? 0 : 1;
  } finally {
    await house.close();
  }
}

const MARK = { yes: '✓', no: '✗', 'cant tell': '?' } as const;

function inWords(call: Call, agent: Agent, { decision, policies }: Explanation): string {
  const lines = [
    `${agent.name} (${agent.strength}, ${agent.status}) calls ${call.integrations[0]?.title} · ${call.tools.map(({ title }) => title).join(' or ')}`,
    `  operation: ${call.operation ?? 'unknown'} (${call.source}: ${call.reasons.join('; ')})`,
    '',
  ];
  for (const policy of policies) {
    lines.push(
      `${policy.applies ? '●' : '○'} ${policy.policy}  [${policy.action}${policy.mode === 'monitor' ? ', monitor' : ''}]  ${policy.place}${policy.applies ? (policy.answer === 'cant tell' ? "  applies: can't tell, so strictly" : '  applies') : ''}`,
    );
    for (const condition of policy.conditions) lines.push(...conditionLines(condition, 1));
  }
  lines.push(
    '',
    `decision: ${decision.effect}, by ${decision.deciding.policy}${decision.deciding.place === null ? '' : ` (${decision.deciding.place})`}`,
  );
  if (decision.would !== null) lines.push(`would be: ${decision.would}, were no policy in monitor mode`);
  if (decision.alerts.length > 0) lines.push(`alerts: ${decision.alerts.map(({ policy }) => policy).join('; ')}`);
  return lines.join('\n');
}

function conditionLines(condition: ExplainedCondition, depth: number): string[] {
  const compared = condition.compared === '' ? '' : `   (${condition.compared})`;
  const said = condition.answer === 'cant tell' ? "  can't tell" : '';
  return [
    `${'    '.repeat(depth)}${MARK[condition.answer]} ${condition.condition}${compared}${said}`,
    ...condition.parts.flatMap((part) => conditionLines(part, depth + 1)),
  ];
}

function parseArguments(text: string | undefined): JsonObject | null {
  if (text === undefined) return {};
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as JsonObject) : null;
  } catch {
    return null;
  }
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
