/** `toolgate policy explain`: one call, or each command of a shell line, as it would be judged, with its servers, tools and statuses as they are. */
import { listTools, type ToolRow } from '../audit/tools.ts';
import { type Call, doneDeed, type Facts, type IdentityStrength, type JsonObject, type ReviewStatus } from '../call.ts';
import { classifyNamed, isNamed } from '../catalog/named.ts';
import { folders } from '../config/paths.ts';
import { type Rules, rulesFault } from '../config/rules.ts';
import { type Explanation, explain } from '../policy/explain.ts';
import { countersOf } from '../policy/rates.ts';
import { didYouMean } from '../problem.ts';
import { readInstant } from '../schema.ts';
import { isOpaque } from '../shell/calls.ts';
import { countsIn } from '../store/counters.ts';
import { askedAgent } from './asked-agent.ts';
import { explanationInWords } from './explain-words.ts';
import { type House, type HouseFlags, openHouse, ownerOf } from './house.ts';
import { callOnRecord, configuredLaunches, definitionIn, type LaunchOf, launches } from './on-record.ts';
import { complain, print, printJson } from './output.ts';
import { ownPlaces } from './own-places.ts';
import { WAITS } from './policy-accept.ts';
import { rulesHere } from './rules-here.ts';
import { shellCalls } from './shell-calls.ts';
import { surroundingsHere } from './surroundings.ts';

export interface ExplainFlags extends HouseFlags {
  readonly agent?: string;
  readonly identity?: IdentityStrength;
  readonly agentStatus?: ReviewStatus;
  readonly toolStatus?: ReviewStatus;
  readonly args?: string;
  /** what is asked is a shell line */
  readonly command?: boolean;
  /** an instant, as ISO 8601 */
  readonly at?: string;
  readonly user?: string;
  readonly workspace?: string;
  /** what the session did before: names of tools, as the call's own */
  readonly before?: readonly string[];
  readonly json?: boolean;
}

/** `what` is `server/tool`, `integration/tool` or an exposed name, `server__tool`. Exit 0: it would run; 1: it would not. */
export async function policyExplain(what: string, flags: ExplainFlags): Promise<number> {
  const args = parseArguments(flags.args);
  if (args === null) {
    complain('--args must be a JSON object, such as --args \'{"branch":"main"}\'');
    return 2;
  }
  const now = flags.at === undefined ? Date.now() : readInstant(flags.at);
  if (now === null) {
    complain(`--at must be an instant, such as 2026-12-31T18:00:00Z, not "${flags.at}"`);
    return 2;
  }
  const house = await openHouse(flags);
  try {
    const loaded = await rulesHere(house);
    if (loaded === null) return 3;
    if (loaded.stale) complain(`${rulesFault(loaded)}\nthe last good rules are explained`);
    if (loaded.proposed !== null) complain(WAITS);
    const rows = await house.store.read(listTools);
    const { rules } = loaded;
    const launchOf = launches(house, rows);
    const toolCall = (name: string, given: JsonObject, status?: ReviewStatus) =>
      callOf(house, rules, rows, launchOf, name, given, status);
    const line = flags.command === true ? commandCalls(rules, what, flags) : null;
    const asked = line?.calls ?? [toolCall(what, args, flags.toolStatus)];
    const earlier = (flags.before ?? []).map((name) => toolCall(name, {}));
    const fault = [...asked, ...earlier].find((each) => typeof each === 'string');
    if (fault !== undefined) {
      complain(String(fault));
      return 2;
    }
    const agent = await askedAgent(house, rules.policies, flags.agent ?? null, {
      identity: flags.identity,
      status: flags.agentStatus,
    });
    const gathered = {
      now,
      surroundings: surroundingsHere('', flags.user ?? house.owner, flags.workspace),
      earlier: (earlier as Call[]).map(doneDeed),
      counts: new Map<string, number>(),
    };
    const calls = asked as Call[];
    const explained = await Promise.all(
      calls.map(async (call) => ({ call, ...(await explainOne(house, rules, { agent, call, gathered })) })),
    );
    if (flags.json) {
      const shown = explained.map(({ call, ...rest }) => ({ call: { ...call, argument: undefined }, ...rest }));
      printJson({ agent, rules: rules.hash, ...(line === null ? shown[0] : { calls: shown }) });
    } else if (calls.length === 0 && line?.stopped === false)
      print('nothing that toolgate judges: no program of a known integration');
    else print(explained.map(({ call, ...each }) => explanationInWords(call, agent, each)).join('\n\n'));
    const runs = explained.every(({ decision }) => decision.effect === 'allow') && line?.stopped !== true;
    return runs ? 0 : 1;
  } finally {
    await house.close();
  }
}

/** With how often the like was done lately. */
async function explainOne(house: House, { policies }: Rules, facts: Facts): Promise<Explanation> {
  const counters = countersOf(policies.applicable(facts).rates, facts);
  const counts = await house.store.read((tx) => countsIn(tx, counters, facts.gathered.now, ''));
  return explain(policies, { ...facts, gathered: { ...facts.gathered, counts } }, ownerOf(house));
}

/** Each command of a shell line that policies are asked about; `stopped` by the rule for code that is not in the line. */
function commandCalls(rules: Rules, line: string, flags: ExplainFlags): { calls: Call[]; stopped: boolean } {
  const { calls, reading } = shellCalls(rules, line, flags.workspace ?? process.cwd(), {
    own: ownPlaces(folders(flags)),
    aliases: new Map(),
  });
  const { opaque_commands: action, mode } = rules.policies.file.defaults;
  for (const program of reading.opaque)
    complain(`${program} runs code which is not in the line: for that defaults.opaque_commands is ${action}`);
  const judged = calls.filter((call) => !isOpaque(call));
  return {
    calls: judged.map((call) => ({ ...call, toolStatus: flags.toolStatus ?? call.toolStatus })),
    stopped: reading.opaque.length > 0 && action !== 'allow' && mode === 'enforce',
  };
}

/** The call, or what is wrong with its name. */
function callOf(
  house: House,
  { catalog, policies }: Rules,
  rows: readonly ToolRow[],
  launchOf: LaunchOf,
  what: string,
  args: JsonObject,
  status: ReviewStatus | undefined,
): Call | string {
  const match = /^([^/]+)\/(.+)$/.exec(what) ?? /^(.+?)__(.+)$/.exec(what);
  if (match === null)
    return `"${what}" names no tool: write server/tool or integration/tool, such as github/create_issue`;
  const [key, tool] = [match[1]!, match[2]!];
  const launch = launchOf(key);
  if (launch === null && !isNamed(catalog, key)) {
    const names = [
      ...configuredLaunches(house, rows).map(({ key: each }) => each),
      ...[...catalog.integrations.values()].map(({ id }) => id),
    ];
    const guess = didYouMean(key, names);
    return `"${key}" is neither a server of servers.json nor an integration${guess === null ? '' : `: did you mean "${guess}"?`}`;
  }
  const row = rows.find((each) => each.server === key && each.name === tool);
  const { recognised, toolClass } = classifyNamed(catalog, launch ?? { key }, definitionIn(row, tool), launch === null);
  if (row === undefined && toolClass.tool.source !== 'catalog' && toolClass.tool.source !== 'owner') {
    const seen = rows.filter(({ server }) => server === key).map(({ name }) => name);
    const listed = recognised.servers.flatMap(({ server }) => Object.keys(server.tools));
    const guess = didYouMean(tool, seen.length > 0 ? seen : listed);
    complain(
      `no tool "${tool}" of ${key} is known${guess === null ? '' : `: did you mean "${guess}"?`}; it is judged by its name`,
    );
  }
  const call = callOnRecord(policies, toolClass, key, tool, args, row);
  return status === undefined ? call : { ...call, toolStatus: status };
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
