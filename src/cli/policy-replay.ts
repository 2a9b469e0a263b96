/** `toolgate policy replay`: the recorded calls, judged by the policies as they are now, or by another file. */
import { eachEvent } from '../audit/query.ts';
import type { Call, Effect } from '../call.ts';
import { checkRules, type RuleFiles, readRuleFiles, rulesOf } from '../config/rules.ts';
import { messageOf } from '../errors.ts';
import { readUtf8 } from '../files.ts';
import { formatProblems, visibleLine } from '../problem.ts';
import { titleOf } from './call-words.ts';
import { type HouseFlags, openHouse, ownerOf } from './house.ts';
import { complain, counted, print, printJson, when } from './output.ts';
import { createRecordReader } from './recorded.ts';
import { createReplay } from './replay.ts';
import { sinceOf } from './since.ts';

export interface ReplayFlags extends HouseFlags {
  readonly since?: string;
  /** another policy file */
  readonly against?: string;
  readonly json?: boolean;
}

/** Calls that would be judged otherwise, in the same way. */
interface Change {
  readonly from: Effect;
  readonly to: Effect;
  /** the policies that decided then and would decide now */
  readonly was: string;
  readonly by: string;
  readonly place: string | null;
  calls: number;
  /** of them, those that are judged so only because something can't be told */
  cantTell: number;
  readonly agents: Map<string, number>;
  readonly tools: Map<string, number>;
  readonly examples: { readonly callId: string; readonly at: number; readonly agent: string; readonly tool: string }[];
}

const EXAMPLES = 3;
const NOTHING_TO_JUDGE = { policy: '(nothing to judge)', place: null };

/** Exit 0: every call is judged as it was; 1: some would not be; 2: a bad flag; 3: the file has mistakes. */
export async function policyReplay(flags: ReplayFlags): Promise<number> {
  const since = sinceOf(flags.since ?? '7d');
  if (since === null) {
    complain(`--since "${flags.since}" is neither a duration (30m, 2h, 7d) nor a time (2026-11-25T10:00:00Z)`);
    return 2;
  }
  const house = await openHouse(flags);
  try {
    const files = filesWith(readRuleFiles(house.folders.config), flags.against);
    if (typeof files === 'string') {
      complain(files);
      return 3;
    }
    const { artefact, problems } = await checkRules(files, house.ours, flags.against ?? 'policies.yaml');
    if (artefact === null) {
      complain(formatProblems(problems.filter(({ severity }) => severity === 'error')));
      return 3;
    }
    const rules = rulesOf(artefact, house.ours, house.oursHash, flags.against ?? 'policies.yaml');
    await house.rules.load();
    const judge = createReplay(rules, ownerOf(house), await createRecordReader(house, rules));
    const changes = new Map<string, Change>();
    let calls = 0;
    let cantTell = 0;
    const progress = createProgress();
    for await (const { body } of eachEvent(house.store, 'call.decided', since)) {
      const { agent, call, decision } = judge(body);
      calls++;
      progress(calls);
      const unsure = decision?.deciding.answer === 'cant tell';
      if (unsure) cantTell++;
      const from = body['toolgate.policy.decision'] as Effect;
      const to = decision?.effect ?? 'allow';
      if (from === to) continue;
      const was = String(body['toolgate.policy.name']);
      const { policy: by, place } = decision?.deciding ?? NOTHING_TO_JUDGE;
      const key = `${from}\n${to}\n${was}\n${by}`;
      const change: Change = changes.get(key) ?? {
        from,
        to,
        was,
        by,
        place,
        calls: 0,
        cantTell: 0,
        agents: new Map(),
        tools: new Map(),
        examples: [],
      };
      changes.set(key, change);
      const tool = toolWords(call);
      change.calls++;
      if (unsure) change.cantTell++;
      add(change.agents, agent.name);
      add(change.tools, tool);
      if (change.examples.length < EXAMPLES)
        change.examples.push({ callId: String(body.call_id), at: body.ts, agent: agent.name, tool });
    }
    progress(null);
    const found = [...changes.values()].sort((a, b) => b.calls - a.calls);
    if (flags.json)
      printJson({
        since: new Date(since).toISOString(),
        calls,
        cantTell,
        changes: found.map((change) => ({
          ...change,
          agents: Object.fromEntries(change.agents),
          tools: Object.fromEntries(change.tools),
        })),
      });
    else print(inWords(found, calls, cantTell, since));
    return found.length === 0 ? 0 : 1;
  } finally {
    await house.close();
  }
}

/** The owner's files, with another policy file in place of theirs; or why that can't be read. */
function filesWith(files: RuleFiles, against: string | undefined): RuleFiles | string {
  if (against === undefined) return files;
  try {
    return { ...files, policies: { text: readUtf8(against) } };
  } catch (error) {
    return `${against} can't be read: ${messageOf(error)}`;
  }
}

function toolWords(call: Call | null): string {
  if (call === null) return 'a command that runs nothing that toolgate judges';
  const tool = call.tools[0]?.title ?? call.calledName;
  return call.integrations.length === 0 ? tool : `${titleOf(call)} · ${tool}`;
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function inWords(changes: readonly Change[], calls: number, cantTell: number, since: number): string {
  const changed = changes.reduce((sum, change) => sum + change.calls, 0);
  const lines = [
    `${counted(calls, 'call', 'calls')} since ${when(since)}: ${changed === 0 ? 'all judged as they were' : `${calls - changed} judged as they were, ${changed} not`}`,
  ];
  for (const change of changes) {
    const place = change.place === null ? '' : ` (${change.place})`;
    lines.push(
      '',
      `${String(change.calls).padStart(8)}  ${change.from} → ${change.to}`,
      `          now by  ${visibleLine(change.by)}${place}`,
      `          was by  ${visibleLine(change.was)}`,
      `          agents  ${topOf(change.agents)}`,
      `          tools   ${topOf(change.tools)}`,
      ...(change.cantTell === 0 ? [] : [`          of them ${change.cantTell} because something can't be told`]),
      ...change.examples.map(
        ({ callId, at, agent, tool }) =>
          `          such as ${callId}  ${when(at)}  ${visibleLine(`${agent}  ${tool}`)}`,
      ),
    );
  }
  if (cantTell > 0)
    lines.push(
      '',
      `${counted(cantTell, 'call', 'calls')} judged strictly, because something can't be told: arguments that the log masks or shortens, unknown operations`,
    );
  return lines.join('\n');
}

/** The commonest first. */
function topOf(counts: ReadonlyMap<string, number>): string {
  const sorted = [...counts].sort((a, b) => b[1] - a[1]);
  const shown = sorted.slice(0, 5).map(([name, count]) => `${visibleLine(name)} ${count}`);
  return `${shown.join(', ')}${sorted.length > 5 ? `, and ${sorted.length - 5} more` : ''}`;
}

const TELL_EVERY_MS = 500;

/** Says on a terminal how far it is; null when it is done. */
function createProgress(): (calls: number | null) => void {
  if (!process.stderr.isTTY) return () => {};
  let told = performance.now();
  return (calls) => {
    if (calls === null) process.stderr.write('\r\u001b[K');
    else if (calls % 1000 === 0 && performance.now() - told > TELL_EVERY_MS) {
      told = performance.now();
      process.stderr.write(`\r${calls.toLocaleString('en')} calls judged…`);
    }
  };
}
