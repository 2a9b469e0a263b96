/**
 * What judging costs: compiling policies, and one decision, at 10 and at 10,000 policies, side by side in one run.
 * `npm run bench:policies`.
 */
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Agent, Facts, JsonObject } from '../src/call.ts';
import type { ToolClass } from '../src/catalog/classify.ts';
import { buildCatalog, readCatalogFolder } from '../src/catalog/load.ts';
import { classifyNamed } from '../src/catalog/named.ts';
import { vocabularyOf } from '../src/config/rules.ts';
import { type CompiledPolicies, compilePolicies } from '../src/policy/compile.ts';
import { decide } from '../src/policy/decide.ts';
import { type Policies, readPolicies } from '../src/policy/load.ts';

const SIZES = [10, 10_000];
const ROUNDS = 15;
const BATCHES = 100;
const BATCH = 200;

const catalog = buildCatalog((await readCatalogFolder(join(import.meta.dirname, '../catalog'))).files);
const vocabulary = vocabularyOf(catalog, []);
const integrations = [...catalog.integrations.values()];

/** What an owner has: some of it concerns the calls below. */
const OWN = `
  - { name: GitHub, if: { integration: GitHub, operation: [Write, Delete] }, unless: { agent: Claude }, action: require approval }
  - { name: Issues, if: { integration: GitHub, tool: Create issue, args: { repository: "acme/*" } }, action: alert }
  - { name: Linear, if: { integration: Linear, tool: Delete issue }, action: require approval }
  - { name: Cursor, if: { agent: Cursor, operation: Delete }, action: alert }
  - { name: Main, if: { integration: Git, tool: Push, any: [{ args: { force: true } }, { args: { branch: [main, "release/*"] } }] }, action: block }
  - { name: Mail, if: { integration: Gmail, args: { to: { not_like: "*@acme.com" } } }, action: require approval }
  - { name: Secrets, if: { operation: Read, args: { path: ["**/.env*", "**/*.pem"] } }, action: block }
  - { name: Hours, if: { integration: Datadog, time: { outside: Mon-Fri 09:00-18:00, zone: UTC } }, action: require approval }
  - { name: New tools, if: { tool review status: Unreviewed, not: { operation: Read } }, action: require approval }
  - { name: Refunds, if: { tool: "*refund*", args: { amount: { over: 500 } } }, action: require approval }`;

/** The owner's ten, and as many more over all integrations, tools and agents; every eighth looks at arguments. */
function fileOf(size: number): string {
  const lines = ['version: 1', `policies:${OWN}`];
  for (let index = 10; index < size; index++) {
    const integration = integrations[index % integrations.length]!;
    const tools = [...integration.tools.values()];
    const tool = tools[Math.floor(index / integrations.length) % Math.max(1, tools.length)];
    const what =
      index % 2 === 0 || tool === undefined
        ? `integration: ${integration.title}, operation: [Write, Delete], agent: Agent ${index}`
        : `integration: ${integration.title}, tool: "${tool.tool.title}"`;
    const args = index % 8 === 1 ? `, args: { repository: "team-${index}/*", branch: [main, "release/*"] }` : '';
    const action = ['block', 'require approval', 'alert'][index % 3];
    lines.push(`  - { name: Policy ${index}, if: { ${what}${args} }, action: ${action} }`);
  }
  return lines.join('\n');
}

const agent: Agent = {
  id: 'bench',
  name: 'Bench',
  aliases: [],
  claims: [],
  strength: 'registered',
  status: 'Allowed',
  knownBy: 'bench',
};
const surroundings = {
  session: 's',
  user: 'ann',
  workspaces: [{ spellings: ['/work'], sure: true }],
  zone: () => 'UTC',
};

interface Asked {
  readonly tool: string;
  readonly key: string;
  readonly toolClass: ToolClass;
  readonly args: JsonObject;
}

const asked = [
  ['github', '@modelcontextprotocol/server-github', 'create_issue', { owner: 'acme', repo: 'web', title: 'x' }],
  ['github', '@modelcontextprotocol/server-github', 'list_issues', { owner: 'acme', repo: 'web' }],
  ['github', '@modelcontextprotocol/server-github', 'get_file_contents', { owner: 'acme', repo: 'web', path: 'a/b' }],
  ['git', '@cyanheads/git-mcp-server', 'git_push', { branch: 'feat/x', remote: 'origin' }],
  ['notion', '@notionhq/notion-mcp-server', 'API-post-search', { query: 'x' }],
].map(([key, package_, tool, args]): Asked => {
  const launch = { key: key as string, command: 'npx', args: ['-y', package_ as string] };
  const { toolClass } = classifyNamed(catalog, launch, { name: tool as string }, false);
  return { tool: tool as string, key: key as string, toolClass, args: args as JsonObject };
});

/** As the gate makes it for every call: its arguments are read while it is judged. */
function factsOf({ toolClass, tool, key, args }: Asked): Facts {
  return {
    agent,
    call: {
      ...toolClass.ofCall(args),
      via: 'mcp',
      server: key,
      calledName: tool,
      toolStatus: 'Allowed',
      definitionHash: null,
      rawArguments: args,
      argument: toolClass.reader(args),
      namesOf: toolClass.namesOf,
    },
    gathered: { now: 0, surroundings, earlier: [], counts: new Map() },
  };
}

/** Microseconds for each; the calls are made beforehand, a few at a time. */
function decisionUs(policies: CompiledPolicies): number {
  let total = 0;
  for (let batch = 0; batch < BATCHES; batch++) {
    const facts = Array.from({ length: BATCH }, (_, index) => factsOf(asked[index % asked.length]!));
    const started = performance.now();
    for (const each of facts) decide(policies, each, 'owner');
    total += performance.now() - started;
  }
  return (total * 1000) / (BATCH * BATCHES);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

const read = SIZES.map((size): Policies => {
  const { policies, problems } = readPolicies(fileOf(size), vocabulary);
  if (policies === null) throw new Error(problems.map(({ fault }) => fault).join('\n'));
  return policies;
});
const compiled = read.map((policies) => compilePolicies(policies, vocabulary));
const times = SIZES.map(() => ({ decision: [] as number[], compile: [] as number[], first: [] as number[] }));
for (let round = 0; round < ROUNDS; round++) {
  read.forEach((policies, index) => {
    const started = performance.now();
    const fresh = compilePolicies(policies, vocabulary);
    times[index]!.compile.push(performance.now() - started);
    const first = performance.now();
    decide(fresh, factsOf(asked[0]!), 'owner');
    times[index]!.first.push(performance.now() - first);
    times[index]!.decision.push(decisionUs(compiled[index]!));
  });
}
SIZES.forEach((size, index) => {
  const { decision, compile, first } = times[index]!;
  console.log(
    `${String(size).padStart(6)} policies: a decision ${median(decision).toFixed(2)} µs, ` +
      `the first of an agent and a tool ${median(first).toFixed(2)} ms, compiling ${median(compile).toFixed(1)} ms`,
  );
});
console.log(`ratio of the decisions: ${(median(times[1]!.decision) / median(times[0]!.decision)).toFixed(2)}`);
