/** Turns conditions into functions of the facts that answer yes, no or can't tell. Pure. */
import { type Answer, type CallIntegration, type Facts, foldName, isEmpty } from '../call.ts';
import { compileGlob, isGlob } from '../glob.ts';
import { every, opposite, some } from './answers.ts';
import type { Policies, Vocabulary } from './load.ts';
import { compileMatch, describeArgument, describeMatch } from './match.ts';
import type { ArgumentMatch, Condition, PolicySource } from './schema.ts';

/** One condition, ready to be asked and to be shown. */
export interface Test {
  /** as the owner wrote it: `operation: Write or Delete` */
  readonly label: string;
  readonly answer: (facts: Facts) => Answer;
  /** what it was compared with, for people */
  readonly compared: (facts: Facts) => string;
  readonly parts: readonly Test[];
}

export interface CompiledPolicy {
  readonly source: PolicySource;
  /** `policies.yaml:12` */
  readonly place: string;
  readonly test: Test;
}

export interface CompiledPolicies {
  readonly file: Policies['file'];
  readonly calls: readonly CompiledPolicy[];
  readonly discoveries: readonly CompiledPolicy[];
}

/** Compiles once per change of rules; the result holds no file. */
export function compilePolicies(
  policies: Policies,
  vocabulary: Vocabulary,
  fileName = 'policies.yaml',
): CompiledPolicies {
  const compiled = policies.file.policies.map((source, index) => ({
    source,
    place: `${fileName}:${policies.lines[index] ?? 0}`,
    test: compilePolicy(source, vocabulary),
  }));
  return {
    file: policies.file,
    calls: compiled.filter(({ source }) => source.when === 'an agent makes a tool call'),
    discoveries: compiled.filter(({ source }) => source.when === 'an agent is discovered'),
  };
}

function compilePolicy(policy: PolicySource, vocabulary: Vocabulary): Test {
  // Where a yes would loosen, a mere claim of identity is not enough (DESIGN §6).
  const loosens = policy.action === 'allow';
  const parts: Test[] = [];
  if (policy.if !== undefined) parts.push(compileCondition(policy.if, loosens, vocabulary));
  if (policy.unless !== undefined) parts.push(negate('unless', compileCondition(policy.unless, !loosens, vocabulary)));
  return allOf('if', parts);
}

function compileCondition(condition: Condition, loosens: boolean, vocabulary: Vocabulary): Test {
  const parts: Test[] = [];
  if (condition.integration) parts.push(integrationTest(condition.integration, loosens, vocabulary));
  if (condition.operation) parts.push(operationTest(condition.operation));
  if (condition.tool) parts.push(toolTest(condition.tool));
  if (condition.tool_review_status)
    parts.push(oneOf('tool review status', condition.tool_review_status, (facts) => facts.call.toolStatus));
  if (condition.agent) parts.push(agentTest(condition.agent, loosens));
  if (condition.agent_review_status)
    parts.push(
      surely(
        oneOf('agent review status', condition.agent_review_status, (facts) => facts.agent.status),
        loosens,
      ),
    );
  if (condition.via) parts.push(oneOf('via', condition.via, (facts) => facts.call.via));
  if (condition.server) parts.push(serverTest(condition.server));
  for (const [path, match] of Object.entries(condition.args ?? {})) parts.push(argumentTest(path, match, loosens));
  if (condition.any) parts.push(anyOf(condition.any.map((inner) => compileCondition(inner, loosens, vocabulary))));
  if (condition.all)
    parts.push(
      allOf(
        'all',
        condition.all.map((inner) => compileCondition(inner, loosens, vocabulary)),
      ),
    );
  if (condition.not) parts.push(negate('not', compileCondition(condition.not, !loosens, vocabulary)));
  return parts.length === 1 ? parts[0]! : allOf('all', parts);
}

function allOf(label: string, parts: readonly Test[]): Test {
  return {
    label,
    parts,
    compared: () => '',
    answer: (facts) => every(parts, (part) => part.answer(facts)),
  };
}

function anyOf(parts: readonly Test[]): Test {
  return {
    label: 'any',
    parts,
    compared: () => '',
    answer: (facts) => some(parts, (part) => part.answer(facts)),
  };
}

function negate(label: string, part: Test): Test {
  return {
    label,
    parts: [part],
    compared: () => '',
    answer: (facts) => opposite(part.answer(facts)),
  };
}

/** A status belongs to a name: where a yes would loosen, it counts only if the name is more than a claim. */
function surely(test: Test, loosens: boolean): Test {
  if (!loosens) return test;
  return {
    ...test,
    answer: (facts) =>
      test.answer(facts) === 'yes' && facts.agent.strength === 'claimed' ? 'cant tell' : test.answer(facts),
    compared: ({ agent }) => `${agent.status} (${agent.strength})`,
  };
}

function oneOf<T extends string>(label: string, wanted: readonly T[], get: (facts: Facts) => T): Test {
  const set = new Set<string>(wanted);
  return {
    label: `${label}: ${wanted.join(' or ')}`,
    parts: [],
    compared: get,
    answer: (facts) => (set.has(get(facts)) ? 'yes' : 'no'),
  };
}

function operationTest(wanted: readonly string[]): Test {
  const set = new Set(wanted);
  return {
    label: `operation: ${wanted.join(' or ')}`,
    parts: [],
    compared: ({ call }) => (call.possible.length === 0 ? 'unknown' : call.possible.join(' or ')),
    answer: ({ call }) => {
      let some = false;
      let all = call.possible.length > 0;
      for (const operation of call.possible) {
        if (set.has(operation)) some = true;
        else all = false;
      }
      if (all) return 'yes';
      return some || call.possible.length === 0 ? 'cant tell' : 'no';
    },
  };
}

/** Any integration that the call may belong to counts, but where a yes would loosen only one that the owner named. */
function integrationTest(wanted: readonly string[], loosens: boolean, vocabulary: Vocabulary): Test {
  const matches = wanted.map((name): ((each: CallIntegration) => boolean) => {
    if (isGlob(name)) {
      const match = compileGlob(name);
      return ({ id, title }) => match(id) || match(title);
    }
    const folded = foldName(name);
    const known = vocabulary.integrations.find(({ id, title, aliases }) =>
      [id, title, ...aliases].some((word) => foldName(word) === folded),
    );
    if (known !== undefined) return ({ id }) => id === known.id;
    return ({ id, title }) => foldName(id) === folded || foldName(title) === folded;
  });
  return {
    label: `integration: ${wanted.join(' or ')}`,
    parts: [],
    compared: ({ call }) =>
      call.integrations.map(({ title, sure }) => (sure ? title : `${title} by its own account`)).join(', '),
    answer: ({ call }) => {
      let result: Answer = 'no';
      for (const integration of call.integrations) {
        if (!matches.some((match) => match(integration))) continue;
        if (!loosens || integration.sure) return 'yes';
        result = 'cant tell';
      }
      return result;
    },
  };
}

function namePattern(pattern: string): (name: string) => boolean {
  if (isGlob(pattern)) return compileGlob(pattern);
  const folded = foldName(pattern);
  return (name) => foldName(name) === folded;
}

function toolTest(wanted: readonly string[]): Test {
  const patterns = wanted.map(namePattern);
  const matches = (name: string) => patterns.some((pattern) => pattern(name));
  return {
    label: `tool: ${wanted.join(' or ')}`,
    parts: [],
    compared: ({ call }) =>
      call.tools.length === 0 ? call.calledName : call.tools.map(({ title }) => title).join(' or '),
    answer: ({ call }) => {
      if (matches(call.calledName)) return 'yes';
      if (call.tools.length === 0) return 'cant tell';
      const hits = call.tools.filter(({ id, title }) => matches(id) || matches(title)).length;
      return hits === call.tools.length ? 'yes' : hits === 0 ? 'no' : 'cant tell';
    },
  };
}

/** Every name of the agent counts, but where a yes would loosen only those we are sure of. */
function agentTest(wanted: readonly string[], loosens: boolean): Test {
  const patterns = wanted.map(namePattern);
  const matches = (names: readonly string[]) => names.some((name) => patterns.some((pattern) => pattern(name)));
  return {
    label: `agent: ${wanted.join(' or ')}`,
    parts: [],
    compared: ({ agent }) => `${agent.name} (${agent.strength})`,
    answer: ({ agent }) => {
      const own = matches([agent.id, agent.name, ...agent.aliases]);
      if (own && (!loosens || agent.strength !== 'claimed')) return 'yes';
      if (!own && !matches(agent.claims)) return 'no';
      return loosens ? 'cant tell' : 'yes';
    },
  };
}

function serverTest(wanted: readonly string[]): Test {
  const globs = wanted.map((pattern) => compileGlob(pattern));
  return {
    label: `server: ${wanted.join(' or ')}`,
    parts: [],
    compared: ({ call }) => call.server ?? 'none',
    answer: ({ call }) => (call.server !== null && globs.some((glob) => glob(call.server!)) ? 'yes' : 'no'),
  };
}

/**
 * One argument. A missing one is no, unless `missing` or `exists` says otherwise; null, an empty text and an empty list
 * count as missing there, since upstreams take them so.
 */
function argumentTest(path: string, match: ArgumentMatch, loosens: boolean): Test {
  const operators = compileMatch(match, loosens);
  const wantsMissing = match.missing === 'match' || match.missing === true || match.exists === false;
  const wantsThere = match.exists === true || match.missing === false;
  const onlyMissing = match.missing === true || match.exists === false;
  return {
    label: `args.${path}: ${describeMatch(match)}`,
    parts: [],
    compared: ({ call }) => describeArgument(path, call.argument(path)),
    answer: ({ call }) => {
      const found = call.argument(path);
      switch (found.state) {
        case 'missing':
          return wantsMissing ? 'yes' : 'no';
        case 'unreadable':
          return 'cant tell';
        case 'value': {
          const empty = isEmpty(found.value) || (Array.isArray(found.value) && found.value.includes(null));
          if (wantsMissing && empty) return loosens ? 'cant tell' : 'yes';
          if (wantsThere && empty) return loosens ? 'no' : 'cant tell';
          return onlyMissing ? 'no' : operators(found.value, found.relative === true);
        }
      }
    },
  };
}
