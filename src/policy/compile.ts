/** Turns policies into tests of the facts that answer yes, no or can't tell. Pure. */
import { foldName } from '../call.ts';
import { allOf, anyOf, inWords, negate, type Test } from './answers.ts';
import { BUILT_IN_PLACE, builtInPolicies } from './built-in.ts';
import {
  agentStatusTest,
  agentTest,
  argumentTest,
  type FindIntegration,
  integrationTest,
  oneOf,
  operationTest,
  rateTest,
  serverTest,
  sessionTest,
  timeTest,
  toolTest,
  userTest,
  workspaceTest,
} from './leaves.ts';
import type { Policies } from './load.ts';
import { type CompiledRate, counterKeys } from './rates.ts';
import { type Applicable, createResolver } from './resolve.ts';
import type { PolicySource } from './schema.ts';
import type { Condition } from './schema-conditions.ts';
import type { Vocabulary } from './vocabulary.ts';

export interface CompiledPolicy {
  readonly source: PolicySource;
  /** `policies.yaml:12` */
  readonly place: string;
  readonly test: Test;
  /** of an allow policy that also alerts or redacts: whether it does that, which restricts. Null: as `test` says */
  readonly duty: Test | null;
  /** what it counts */
  readonly rates: readonly CompiledRate[];
  /** it asks what the session did before */
  readonly looksBack: boolean;
}

export interface CompiledPolicies {
  readonly file: Policies['file'];
  /** line of each policy of the file */
  readonly lines: readonly number[];
  /** the policies that are enabled, in the order of the file, then those that are built in */
  readonly calls: readonly CompiledPolicy[];
  readonly discoveries: readonly CompiledPolicy[];
  /** those of `calls` that may apply to a call, worked out once for each agent and tool */
  readonly applicable: Applicable;
}

/** Compiles once per change of rules; the result holds no file. */
export function compilePolicies(
  policies: Policies,
  vocabulary: Vocabulary,
  fileName = 'policies.yaml',
): CompiledPolicies {
  const find = integrationFinder(vocabulary);
  const written = policies.file.policies.map((source, index) => ({
    source,
    place: `${fileName}:${policies.lines[index] ?? 0}`,
  }));
  const builtIn = builtInPolicies(policies.file.policies).map((source) => ({ source, place: BUILT_IN_PLACE }));
  const compiled = [...written, ...builtIn].flatMap(({ source, place }) =>
    source.enabled ? [{ source, place, ...compilePolicy(source, find) }] : [],
  );
  const calls = compiled.filter(({ source }) => source.when === 'an agent makes a tool call');
  return {
    file: policies.file,
    lines: policies.lines,
    calls,
    discoveries: compiled.filter(({ source }) => source.when === 'an agent is discovered'),
    applicable: createResolver(calls, policies.file.defaults.mode),
  };
}

/** What a policy does, in one line: `block if integration: GitHub and operation: Write or Delete`. */
export function wordsOf(policy: PolicySource): string {
  const words = (condition: Condition) =>
    inWords(
      compileCondition(condition, {
        loosens: false,
        find: () => null,
        around: [],
        addRate: (rate) => ({ ...rate, id: '' }),
      }),
    );
  const when = policy.when === 'an agent is discovered' ? ' when an agent is discovered' : '';
  const applies = policy.if === undefined ? '' : ` if ${words(policy.if)}`;
  const excepted = policy.unless === undefined ? '' : ` unless ${words(policy.unless)}`;
  return `${policy.action}${when}${applies}${excepted}`;
}

/** Ids, titles and aliases, as the owner may write them. */
function integrationFinder({ integrations }: Vocabulary): FindIntegration {
  const ids = new Map<string, string>();
  for (const { id, title, aliases } of integrations)
    for (const name of [id, title, ...aliases]) if (!ids.has(foldName(name))) ids.set(foldName(name), id);
  return (name) => ids.get(foldName(name)) ?? null;
}

/** What compiling a condition needs to know of where it stands. */
interface Scope {
  /** a yes here would loosen, so a mere claim is not enough for it */
  readonly loosens: boolean;
  readonly find: FindIntegration;
  /** what must also hold for the policy to apply: a rate counts only such calls */
  readonly around: readonly Test[];
  readonly addRate: (rate: Omit<CompiledRate, 'id'>) => CompiledRate;
}

function compilePolicy(
  policy: PolicySource,
  find: FindIntegration,
): Pick<CompiledPolicy, 'test' | 'duty' | 'rates' | 'looksBack'> {
  const rates: CompiledRate[] = [];
  const addRate: Scope['addRate'] = (rate) => {
    const added = { ...rate, id: `${foldName(policy.name)}#${rates.length}` };
    rates.push(added);
    return added;
  };
  const testOf = (loosens: boolean): Test => {
    const unless =
      policy.unless === undefined
        ? []
        : [negate('unless', compileCondition(policy.unless, { loosens: !loosens, find, around: [], addRate }))];
    const scope: Scope = { loosens, find, around: unless, addRate };
    return allOf('if', policy.if === undefined ? unless : [compileCondition(policy.if, scope), ...unless]);
  };
  const allows = policy.action === 'allow';
  const hasDuty = allows && (policy.redact !== undefined || policy.alert !== undefined);
  const looksBack = [policy.if, policy.unless].some((part) => part !== undefined && asksOfEarlier(part));
  return { test: testOf(allows), duty: hasDuty ? testOf(false) : null, rates, looksBack };
}

function asksOfEarlier({ session_has, any = [], all = [], not }: Condition): boolean {
  return session_has !== undefined || [...any, ...all, ...(not === undefined ? [] : [not])].some(asksOfEarlier);
}

function compileCondition(condition: Condition, scope: Scope): Test {
  const { loosens, find } = scope;
  const parts: Test[] = [];
  if (condition.integration) parts.push(integrationTest(condition.integration, loosens, find));
  if (condition.operation) parts.push(operationTest(condition.operation));
  if (condition.tool) parts.push(toolTest(condition.tool));
  if (condition.tool_review_status)
    parts.push(oneOf('tool review status', condition.tool_review_status, ({ call }) => call.toolStatus));
  if (condition.agent) parts.push(agentTest(condition.agent, loosens));
  if (condition.agent_review_status) parts.push(agentStatusTest(condition.agent_review_status, loosens));
  if (condition.via) parts.push(oneOf('via', condition.via, ({ call }) => call.via));
  if (condition.server) parts.push(serverTest(condition.server, loosens));
  if (condition.user) parts.push(userTest(condition.user, loosens));
  if (condition.workspace) parts.push(workspaceTest(condition.workspace, loosens));
  for (const [path, match] of Object.entries(condition.args ?? {})) parts.push(argumentTest(path, match, loosens));
  if (condition.time) parts.push(timeTest(condition.time));
  if (condition.session_has) parts.push(sessionTest(compileCondition(condition.session_has, scope), loosens));
  const nested = (inner: Scope): Test[] => [
    ...(condition.any
      ? [
          anyOf(
            'any',
            condition.any.map((each) => compileCondition(each, inner)),
          ),
        ]
      : []),
    ...(condition.all
      ? [
          allOf(
            'all',
            condition.all.map((each) => compileCondition(each, inner)),
          ),
        ]
      : []),
    ...(condition.not ? [negate('not', compileCondition(condition.not, { ...inner, loosens: !loosens }))] : []),
  ];
  if (condition.rate) {
    // What has a rate of its own counts for itself: here any number of calls is enough for it.
    const around = [...scope.around, ...parts, ...nested({ ...scope, addRate: (rate) => ({ ...rate, id: '' }) })];
    const rate = scope.addRate({ ...condition.rate, concerns: allOf('all', around) });
    parts.push(rateTest(condition.rate, (facts) => counterKeys(rate, facts)));
  }
  parts.push(...nested({ ...scope, around: [...scope.around, ...parts] }));
  return parts.length === 1 ? parts[0]! : allOf('all', parts);
}
