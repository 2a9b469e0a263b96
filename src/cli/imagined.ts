/** A call that somebody describes in a test: who asks for what, when and where, as values. */
import { identify } from '../agents/identify.ts';
import { type Agent, type Call, doneDeed, type Facts, foldName, type Gathered } from '../call.ts';
import { classifyNamed, isNamed } from '../catalog/named.ts';
import type { Rules } from '../config/rules.ts';
import { countersOf } from '../policy/rates.ts';
import type { PolicyTest } from '../policy/schema-tests.ts';
import { didYouMean } from '../problem.ts';
import { callOfClass, type LaunchOf } from './on-record.ts';

/** A Monday at noon: what a test doesn't say stays the same for ever. */
const NOON = Date.UTC(2024, 0, 1, 12);

/** What there is to imagine it with. */
export interface Stage {
  readonly rules: Rules;
  readonly launchOf: LaunchOf;
  /** the clock where a test says nothing; null for a Monday at noon */
  readonly at: number | null;
  /** equal agents and places are the same values, so that what was worked out for one test serves the next */
  readonly known: Map<string, unknown>;
}

export function createStage(rules: Rules, launchOf: LaunchOf, at: number | null): Stage {
  return { rules, at, launchOf, known: new Map() };
}

function same<T>(known: Map<string, unknown>, key: readonly unknown[], make: () => T): T {
  const name = JSON.stringify(key);
  if (!known.has(name)) known.set(name, make());
  return known.get(name) as T;
}

/** What it means under these rules, or what is wrong with the names in it. */
export function imagine(stage: Stage, test: PolicyTest): Facts | string {
  const call = callNamed(stage, test.call ?? '', test);
  if (typeof call === 'string' && test.discovered === undefined) return call;
  const earlier = (test.before ?? []).map((name) => callNamed(stage, name, {}));
  const fault = earlier.find((each) => typeof each === 'string');
  if (fault !== undefined) return fault;
  const gathered: Gathered = {
    now: test.at ?? stage.at ?? NOON,
    surroundings: same(stage.known, ['place', test.user, test.workspace], () => ({
      session: 'test',
      user: test.user ?? 'somebody',
      workspaces: [{ spellings: [test.workspace ?? '/workspace'], sure: true }],
      zone: () => 'UTC',
    })),
    earlier: (earlier as Call[]).map(doneDeed),
    counts: new Map(),
  };
  const who = [test.discovered, test.agent, test.identity, test.agent_status];
  const facts = { agent: same(stage.known, ['agent', ...who], () => agentOf(test)), call: call as Call, gathered };
  if (test.discovered !== undefined) return facts;
  const counters = countersOf(stage.rules.policies.applicable(facts).rates, facts);
  return { ...facts, gathered: { ...gathered, counts: new Map(counters.map(({ key }) => [key, test.counted ?? 0])) } };
}

/** Statuses are Allowed and identities registered, unless the test says otherwise. */
function agentOf(test: PolicyTest): Agent {
  const flag = test.discovered ?? test.agent ?? 'Some agent';
  const { mixedScripts: _, ...known } = identify({ flag, keyMatches: true, clientInfo: null });
  return { ...known, strength: test.identity ?? 'registered', status: test.agent_status ?? 'Allowed' };
}

/** By the name of an integration, of a server in the catalog, or of one in servers.json. */
function callNamed({ rules, launchOf }: Stage, name: string, test: Partial<PolicyTest>): Call | string {
  const [, key = '', tool = ''] = /^([^/]*)\/(.*)$/s.exec(name) ?? [];
  if (key === '' || tool === '') return `"${name}" names no tool: write integration/tool, such as github/create_issue`;
  const { catalog, vocabulary } = rules;
  const launch = launchOf(key);
  if (launch === null && !isNamed(catalog, key) && test.server === undefined) {
    const guess = didYouMean(key, [...vocabulary.servers, ...catalog.integrations.keys()]);
    const mend =
      guess === null ? `write "server: ${key}" beside it if such a server may come` : `did you mean "${guess}"?`;
    return `"${key}" is neither an integration nor a server of servers.json: ${mend}`;
  }
  const args = test.args ?? {};
  const { toolClass } = classifyNamed(catalog, launch ?? { key }, { name: tool }, launch === null);
  return callOfClass(toolClass, args, {
    via: test.via ?? 'mcp',
    server: test.server ?? key,
    calledName: tool,
    toolStatus: test.tool_status ?? 'Allowed',
    definitionHash: null,
  });
}

/** A tool of a known integration that the catalog has by another spelling only; null if there is nothing to say. */
export function misspeltTool({ rules }: Stage, { call }: PolicyTest): string | null {
  const [, key = '', tool = ''] = /^([^/]*)\/(.*)$/s.exec(call ?? '') ?? [];
  const integration = rules.catalog.find(key);
  if (integration === null) return null;
  const names = [
    ...[...integration.tools].flatMap(
      ([
        id,
        {
          tool: { title },
        },
      ]) => [id, title],
    ),
    ...integration.servers.flatMap(({ server }) => Object.keys(server.tools)),
  ];
  if (names.some((name) => foldName(name) === foldName(tool))) return null;
  const guess = didYouMean(tool, names);
  return guess === null
    ? null
    : `the catalog knows no tool "${tool}" of ${integration.title}: did you mean "${guess}"?`;
}
