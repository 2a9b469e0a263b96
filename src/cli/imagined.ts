/** What somebody describes in a test, judged: who asks for what, when and where, as values. */
import { identify } from '../agents/identify.ts';
import { type Agent, type Call, doneDeed, foldName, type Gathered } from '../call.ts';
import { classifyNamed, isNamed } from '../catalog/named.ts';
import type { OwnPlaces } from '../catalog/own.ts';
import type { Rules } from '../config/rules.ts';
import { decideDiscovery } from '../policy/decide.ts';
import { countersOf } from '../policy/rates.ts';
import type { PolicyTest } from '../policy/schema-tests.ts';
import { compareDecision, compareDiscovery, type Tested } from '../policy/testing.ts';
import { didYouMean } from '../problem.ts';
import { decideLine } from '../shell/judging.ts';
import { callOfClass, type LaunchOf } from './on-record.ts';
import { callsOfLineAlone } from './shell-calls.ts';

/** A Monday at noon: what a test doesn't say stays the same for ever. */
const NOON = Date.UTC(2024, 0, 1, 12);

/** What there is to imagine it with. */
export interface Stage {
  readonly rules: Rules;
  readonly launchOf: LaunchOf;
  /** the clock where a test says nothing; null for a Monday at noon */
  readonly at: number | null;
  /** toolgate's own places, which commands may touch; null where nobody asks about them */
  readonly own: OwnPlaces | null;
  /** equal agents and places are the same values, so that what was worked out for one test serves the next */
  readonly known: Map<string, unknown>;
}

export function createStage(
  rules: Rules,
  launchOf: LaunchOf,
  own: OwnPlaces | null = null,
  at: number | null = null,
): Stage {
  return { rules, launchOf, own, at, known: new Map() };
}

function same<T>(known: Map<string, unknown>, key: readonly unknown[], make: () => T): T {
  const name = JSON.stringify(key);
  if (!known.has(name)) known.set(name, make());
  return known.get(name) as T;
}

/** Judges what a test describes as the gate or a hook would, and compares. Names that mean nothing here are its faults. */
export function runTest(stage: Stage, test: PolicyTest, owner: string): Tested {
  const fails = (fault: string): Tested => ({ faults: [fault], applied: [] });
  const { policies } = stage.rules;
  const who = [test.discovered, test.agent, test.identity, test.agent_status];
  const agent = same(stage.known, ['agent', ...who], () => agentOf(test));
  const earlier = (test.before ?? []).map((name) => callNamed(stage, name, {}));
  const gathered: Gathered = {
    now: test.at ?? stage.at ?? NOON,
    surroundings: same(stage.known, ['place', test.user, test.workspace], () => ({
      session: 'test',
      user: test.user ?? 'somebody',
      workspaces: [{ spellings: [test.workspace ?? '/workspace'], sure: true }],
      zone: () => 'UTC',
    })),
    earlier: earlier.flatMap((each) => (typeof each === 'string' ? [] : [doneDeed(each)])),
    counts: new Map(),
  };
  const asked = test.discovered === undefined ? callsOfTest(stage, test) : [];
  const fault = [...asked, ...earlier].find((each) => typeof each === 'string');
  if (fault !== undefined) return fails(fault);
  if (test.discovered !== undefined) return compareDiscovery(test, decideDiscovery(policies, { agent, gathered }));
  const calls = asked as Call[];
  if (calls.length === 0) return compareDecision(test, null);
  const counters = calls.flatMap((call) => {
    const facts = { agent, call, gathered };
    return countersOf(policies.applicable(facts).rates, facts);
  });
  const counts = new Map(counters.map(({ key }) => [key, test.counted ?? 0]));
  const { decision } = decideLine(policies, calls, { agent, gathered: { ...gathered, counts } }, owner);
  return compareDecision(test, decision);
}

function callsOfTest(stage: Stage, test: PolicyTest): readonly (Call | string)[] {
  const { call, command, tool_status: status, workspace } = test;
  return command === undefined
    ? [callNamed(stage, call!, test)]
    : callsOfLineAlone(stage.rules.catalog, command, workspace ?? null, stage.own, () => status ?? 'Allowed');
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
