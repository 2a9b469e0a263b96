/** Judging without a gate: policies as text, a call as a person would name it, the decision out. */
import { join } from 'node:path';
import { identify } from '../../src/agents/identify.ts';
import type { Agent, Call, Decision, IdentityStrength, JsonObject, ReviewStatus } from '../../src/call.ts';
import { buildCatalog, readCatalogFolder } from '../../src/catalog/load.ts';
import { classifyNamed } from '../../src/catalog/named.ts';
import { vocabularyOf } from '../../src/config/rules.ts';
import { type CompiledPolicies, compilePolicies } from '../../src/policy/compile.ts';
import { decide, decideDiscovery } from '../../src/policy/decide.ts';
import { readPolicies } from '../../src/policy/load.ts';
import { formatProblems } from '../../src/problem.ts';

export const catalog = buildCatalog((await readCatalogFolder(join(import.meta.dirname, '../../catalog'))).files);
export const vocabulary = vocabularyOf(catalog, [
  { key: 'github', integration: null },
  { key: 'shop', integration: null },
]);

/** Throws with the problems if there are errors. */
export function compile(text: string): CompiledPolicies {
  const { policies, problems } = readPolicies(text, vocabulary);
  if (policies === null) throw new Error(formatProblems(problems));
  return compilePolicies(policies, vocabulary);
}

/** The problems of a file, as they are printed. */
export function problemsIn(text: string): string {
  return formatProblems(readPolicies(text, vocabulary).problems);
}

export interface CaseCall {
  readonly call?: string;
  readonly discovered?: string;
  readonly agent?: string;
  readonly claims?: readonly string[];
  readonly identity?: IdentityStrength;
  readonly agent_status?: ReviewStatus;
  readonly tool_status?: ReviewStatus;
  readonly server?: string;
  readonly annotations?: { readOnlyHint?: boolean; destructiveHint?: boolean };
  readonly args?: JsonObject;
  /** arguments that the tool says it takes */
  readonly declares?: readonly string[];
}

export function agentOf(item: CaseCall): Agent {
  const { mixedScripts: _, ...identity } = identify({
    flag: item.agent ?? item.discovered ?? 'Somebody',
    keyMatches: true,
    clientInfo: null,
  });
  return {
    ...identity,
    claims: item.claims ?? [],
    strength: item.identity ?? 'registered',
    status: item.agent_status ?? 'Allowed',
  };
}

export function callOf(item: CaseCall): Call {
  const [key, ...rest] = (item.call ?? 'shop/look').split('/');
  const tool = rest.join('/');
  const args = item.args ?? {};
  const { toolClass } = classifyNamed(
    catalog,
    { key: key! },
    {
      name: tool,
      ...(item.annotations && { annotations: item.annotations }),
      ...(item.declares && {
        inputSchema: { properties: Object.fromEntries(item.declares.map((name) => [name, {}])) },
      }),
    },
  );
  const found = toolClass.ofCall(args);
  return {
    ...found,
    via: 'mcp',
    server: item.server ?? key!,
    calledName: tool,
    toolStatus: item.tool_status ?? 'Allowed',
    definitionHash: null,
    rawArguments: args,
    argument: toolClass.reader(args),
  };
}

export function judge(policies: CompiledPolicies, item: CaseCall): Decision {
  return decide(policies, { agent: agentOf(item), call: callOf(item), gathered: { now: 0 } }, 'owner');
}

export function discover(policies: CompiledPolicies, item: CaseCall): readonly string[] {
  return decideDiscovery(policies, { agent: agentOf(item) }).alerts.map(({ policy }) => policy);
}
