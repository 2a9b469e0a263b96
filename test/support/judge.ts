/** Judging without a gate: policies as text, a call as a person would name it, the decision out. */
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { identify } from '../../src/agents/identify.ts';
import {
  type Agent,
  type Call,
  type Decision,
  deedOf,
  type Facts,
  type Gathered,
  type IdentityStrength,
  type JsonObject,
  type ReviewStatus,
} from '../../src/call.ts';
import { buildCatalog, readCatalogFolder } from '../../src/catalog/load.ts';
import { classifyNamed } from '../../src/catalog/named.ts';
import { createStage, runTest } from '../../src/cli/imagined.ts';
import { type Rules, vocabularyOf } from '../../src/config/rules.ts';
import { type CompiledPolicies, compilePolicies } from '../../src/policy/compile.ts';
import { decide, decideDiscovery } from '../../src/policy/decide.ts';
import { readPolicies } from '../../src/policy/load.ts';
import { countersOf } from '../../src/policy/rates.ts';
import { formatProblems } from '../../src/problem.ts';

export const catalog = buildCatalog((await readCatalogFolder(join(import.meta.dirname, '../../catalog'))).files);
export const vocabulary = vocabularyOf(catalog, [
  { key: 'github', integration: null, launch: '', recognised: null },
  { key: 'shop', integration: null, launch: '', recognised: null },
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
  /** an instant; else the epoch */
  readonly at?: string;
  readonly user?: string | null;
  /** folders that we see; those of the client after a `?` */
  readonly workspace?: readonly string[];
  /** the zone of the computer */
  readonly zone?: string;
  /** what the session did before; after a `?` what it may do and hasn't yet; null if unknown */
  readonly before?: readonly string[] | null;
  /** how many other calls each counter holds; null if unknown */
  readonly counted?: number | null;
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
    namesOf: toolClass.namesOf,
  };
}

export function gatheredOf(item: CaseCall): Gathered {
  return {
    now: item.at === undefined ? 0 : Date.parse(item.at),
    surroundings: {
      session: 's',
      user: item.user === undefined ? 'ann' : item.user,
      workspaces: (item.workspace ?? ['/home/ann/work']).map((folder) => ({
        spellings: spellings(folder.replace(/^\?/, '')),
        sure: !folder.startsWith('?'),
      })),
      zone: () => item.zone ?? 'UTC',
    },
    earlier:
      item.before === null
        ? null
        : (item.before ?? []).map((call) => ({
            ...deedOf(callOf({ call: call.replace(/^\?/, '') })),
            pending: call.startsWith('?'),
          })),
    counts: new Map(),
  };
}

function spellings(folder: string): string[] {
  return folder.startsWith('/home/ann') ? [folder, folder.replace('/home/ann', '~')] : [folder];
}

/** What `decide` is given, with every counter filled as the case says. */
export function factsOf(policies: CompiledPolicies, item: CaseCall): Facts {
  const facts = { agent: agentOf(item), call: callOf(item), gathered: gatheredOf(item) };
  if (item.counted === null) return facts;
  const keys = countersOf(policies.applicable(facts).rates, facts).map(({ key }) => key);
  return {
    ...facts,
    gathered: { ...facts.gathered, counts: new Map(keys.map((key) => [key, item.counted ?? 0])) },
  };
}

export function judge(policies: CompiledPolicies, item: CaseCall): Decision {
  return decide(policies, factsOf(policies, item), 'owner');
}

/** The tests that stand in a file of policies, each policy judged alone, with what differs from what they expect. */
export function outcomes(text: string): { policy: string; test: string; faults: readonly string[] }[] {
  const file = parse(text) as { policies: object[] };
  return file.policies.flatMap((policy) => outcomesOf(stringify({ ...file, policies: [policy] })));
}

/** The same, with all policies of the file together. */
export function outcomesOf(text: string): { policy: string; test: string; faults: readonly string[] }[] {
  const policies = compile(text);
  const rules = { policies, catalog, vocabulary } as unknown as Rules;
  return policies.file.policies.flatMap(({ name, tests }) =>
    tests.map((test) => {
      const { faults } = runTest(
        createStage(rules, () => null),
        test,
        'owner',
      );
      return { policy: name, test: JSON.stringify(test), faults };
    }),
  );
}

export function discover(policies: CompiledPolicies, item: CaseCall): readonly string[] {
  return decideDiscovery(policies, { agent: agentOf(item), gathered: gatheredOf(item) }).alerts.map(
    ({ policy }) => policy,
  );
}
