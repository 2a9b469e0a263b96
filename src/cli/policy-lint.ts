/**
 * What of the rules is less than it seems on this machine: arguments that its tools don't have or needn't get, agents
 * that nobody has registered, reviewers who can't answer, dates that have passed.
 */
import { listAgents } from '../agents/registry.ts';
import { votersHere } from '../approvals/keys.ts';
import { ownerReviewer, unreachable } from '../approvals/reviewers.ts';
import { listTools } from '../audit/tools.ts';
import { type Deed, foldName, isObject } from '../call.ts';
import type { ToolClass } from '../catalog/classify.ts';
import { classifyNamed } from '../catalog/named.ts';
import { type Rules, readRuleFiles } from '../config/rules.ts';
import { unrecognisedServers } from '../config/servers.ts';
import { isGlob } from '../glob.ts';
import type { CompiledPolicy } from '../policy/compile.ts';
import { mayConcern } from '../policy/coverage.ts';
import type { PolicySource } from '../policy/schema.ts';
import type { Condition } from '../policy/schema-conditions.ts';
import { didYouMean, type Problem } from '../problem.ts';
import type { House } from './house.ts';
import { configuredLaunches, definitionIn, launches, unrecognised } from './on-record.ts';
import { when } from './output.ts';

/** A tool that a server of this machine has shown. */
interface SeenTool {
  readonly server: string;
  readonly name: string;
  readonly deed: Deed;
  readonly toolClass: ToolClass;
  /** its own names of arguments, and those that it can't do without; null if it doesn't say */
  readonly takes: ReadonlySet<string> | null;
  readonly required: ReadonlySet<string>;
}

/** Warnings, each at the line of its policy. */
export async function lintHere(house: House, rules: Rules, now: number): Promise<Problem[]> {
  const { tools, registered, voters } = await house.store.read((tx) => ({
    tools: listTools(tx),
    registered: listAgents(tx).flatMap(({ id, name, key_hash }) => (key_hash === null ? [] : [id, name])),
    voters: votersHere(tx, house.owner),
  }));
  const configured = configuredLaunches(house, tools);
  const launchOf = launches(house, tools);
  const seen = tools.map((row): SeenTool => {
    const launch = launchOf(row.server) ?? { key: row.server };
    const { toolClass } = classifyNamed(rules.catalog, launch, definitionIn(row, row.name), false);
    const schema = (JSON.parse(row.definition) as { inputSchema?: { properties?: object; required?: unknown } })
      .inputSchema;
    const { integrations, tools: names, possible } = toolClass.tool;
    return {
      server: row.server,
      name: row.name,
      deed: {
        via: 'mcp',
        integrations,
        server: row.server,
        calledName: row.name,
        tools: names,
        possible,
        toolStatus: 'Unreviewed',
      },
      toolClass,
      takes: isObject(schema?.properties) ? new Set(Object.keys(schema.properties)) : null,
      required: new Set(Array.isArray(schema?.required) ? (schema.required as string[]) : []),
    };
  });
  const { file, lines, calls, discoveries } = rules.policies;
  const problems: Problem[] = [];
  const report = (policy: PolicySource, fault: string, mend: string) =>
    problems.push({
      file: 'policies.yaml',
      line: lines[file.policies.indexOf(policy)] ?? 0,
      column: 1,
      severity: 'warning',
      fault: `"${policy.name}": ${fault}`,
      mend,
      source: '',
    });
  const strangers = unrecognised(rules.catalog, configured);
  const { servers } = readRuleFiles(house.folders.config);
  if ('text' in servers) problems.push(...unrecognisedServers(servers.text, (key) => strangers.includes(key)));
  const all = [...calls, ...discoveries];
  for (const compiled of all) {
    const { source } = compiled;
    if (source.expires !== undefined && source.expires <= now)
      report(
        source,
        `it expired on ${when(source.expires)}, so it no longer applies`,
        'take it out, or set another date',
      );
    for (const [fault, mend] of argumentFaults(compiled, seen)) report(source, fault, mend);
    for (const name of agentsThatMustBeSure(source))
      if (!isGlob(name) && !registered.some((known) => foldName(known) === foldName(name)))
        report(
          source,
          `the agent "${name}" counts here only if it is registered, and none is by that name`,
          `register it: toolgate agents register "${name}"`,
        );
    if (source.action === 'require approval') {
      const requirement = {
        policy: source.name,
        reviewers: source.approval?.reviewers ??
          file.defaults.reviewers ?? [ownerReviewer(file.reviewers, house.owner)],
        approvals: source.approval?.approvals ?? 1,
      };
      const nobody = unreachable([requirement], file.reviewers, voters);
      if (nobody !== null)
        report(source, `such a call is denied at once: ${nobody}`, 'give them a key: toolgate reviewers register <id>');
    }
  }
  const unset = [...(file.channels.slack?.webhook ?? '').matchAll(/\$\{env:([^}]+)\}/g)]
    .map(([, name]) => name!)
    .filter((name) => (process.env[name] ?? '') === '');
  const told = all.find(({ source }) => source.action === 'alert' || source.alert !== undefined);
  if (unset.length > 0 && told !== undefined)
    report(
      told.source,
      `its alerts don't reach Slack: ${unset.join(', ')} is not set (as seen from this shell)`,
      'set it where your agent starts toolgate',
    );
  const silent = file.channels.slack === undefined && file.channels.desktop !== true;
  if (silent && told !== undefined)
    report(
      told.source,
      'its alerts are only written down: no channel is set up',
      'add channels: { desktop: true }, or a Slack webhook',
    );
  return problems;
}

/** Arguments that no tool it is about has, and those that a call may leave out and so get by. */
function argumentFaults({ source, test }: CompiledPolicy, seen: readonly SeenTool[]): [string, string][] {
  const concerned = seen.filter(({ deed, takes }) => takes !== null && mayConcern(test, deed));
  if (concerned.length === 0) return [];
  const faults: [string, string][] = [];
  for (const path of positiveArguments(source.if)) {
    const takers = concerned.filter((tool) => takesArgument(tool, path));
    if (takers.length === 0) {
      const own = [...new Set(concerned.flatMap(({ takes }) => [...(takes ?? [])]))];
      const guess = didYouMean(path, own);
      const which =
        concerned.length === 1
          ? `${concerned[0]!.server}/${concerned[0]!.name}`
          : `none of the ${concerned.length} tools that it is about`;
      faults.push([
        `${which} ${concerned.length === 1 ? 'has no' : 'has an'} argument "${path}", so this never applies`,
        guess === null ? `they have: ${own.slice(0, 12).join(', ')}` : `did you mean "${guess}"?`,
      ]);
    }
  }
  if (source.action === 'allow') return faults;
  for (const path of positiveArguments(source.if)) {
    const optional = concerned.find(
      (tool) =>
        takesArgument(tool, path) &&
        !tool.toolClass.namesOf(path).some((own) => tool.required.has(own.split('.')[0]!)) &&
        tool.toolClass.reader({})(path).state === 'missing',
    );
    if (optional !== undefined)
      faults.push([
        `"${path}" is optional in ${optional.server}/${optional.name}: calls without it are not covered`,
        `add "missing: match" beside the comparison if they should be`,
      ]);
  }
  return faults;
}

function takesArgument({ toolClass, takes }: SeenTool, path: string): boolean {
  return toolClass.namesOf(path).some((own) => takes!.has(own.split('.')[0]!));
}

/** Those whose absence makes the condition a no, though nothing says so. */
function positiveArguments(condition: Condition | undefined): string[] {
  if (condition === undefined) return [];
  const { args = {}, all = [] } = condition;
  const own = Object.entries(args).filter(([, match]) => match.missing === undefined && match.exists === undefined);
  return [...new Set([...own.map(([path]) => path), ...all.flatMap(positiveArguments)])];
}

/** Names of agents where a mere claim doesn't count. */
function agentsThatMustBeSure(policy: PolicySource): string[] {
  const visit = (condition: Condition | undefined, loosens: boolean): string[] =>
    condition === undefined
      ? []
      : [
          ...(loosens ? (condition.agent ?? []) : []),
          ...[...(condition.any ?? []), ...(condition.all ?? [])].flatMap((inner) => visit(inner, loosens)),
          ...visit(condition.not, !loosens),
        ];
  const loosens = policy.action === 'allow';
  return [...new Set([...visit(policy.if, loosens), ...visit(policy.unless, !loosens)])];
}
