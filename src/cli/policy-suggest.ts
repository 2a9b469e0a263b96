/** `toolgate policy suggest`: from the log, a file that allows what was normal and holds the rest. */
import { stringify } from 'yaml';
import { eachEvent } from '../audit/query.ts';
import { type HouseFlags, openHouse } from './house.ts';
import { complain, counted, print, when } from './output.ts';
import { fieldsOf } from './recorded-deeds.ts';
import { sinceOf } from './since.ts';

export interface SuggestFlags extends HouseFlags {
  readonly since?: string;
  /** a change that was made less often is not yet normal */
  readonly least?: string;
}

/** What was done with one tool. */
interface Use {
  readonly integration: string;
  readonly tool: string;
  readonly operation: string;
  calls: number;
  readonly agents: Set<string>;
  last: number;
}

/** Exit 0; 1 if the log holds no call that ran; 2 for a bad flag. */
export async function policySuggest(flags: SuggestFlags): Promise<number> {
  const since = sinceOf(flags.since ?? '30d');
  const least = Number(flags.least ?? 3);
  if (since === null || !Number.isInteger(least) || least < 1) {
    complain(
      since === null
        ? `--since "${flags.since}" is neither a duration (30m, 2h, 7d) nor a time (2026-11-25T10:00:00Z)`
        : '--least must be a whole number from 1',
    );
    return 2;
  }
  const house = await openHouse(flags);
  try {
    const uses = new Map<string, Use>();
    const notRun = new Set<string>();
    for await (const { body } of eachEvent(house.store, 'call.completed', since))
      if (body['toolgate.status'] === 'not_run') notRun.add(String(body.call_id));
    let calls = 0;
    for await (const { body } of eachEvent(house.store, 'call.decided', since)) {
      calls++;
      // What was stopped, or of which nobody knows what it does, is not normal, however often it was tried.
      const isStopped = body['toolgate.policy.decision'] === 'block' || body['toolgate.refused'] !== undefined;
      if (isStopped || notRun.has(String(body.call_id))) continue;
      for (const fields of fieldsOf(body)) {
        const operation = fields['toolgate.operation'];
        const tool = String(fields['toolgate.tool'] ?? '');
        if (typeof operation !== 'string' || tool === '' || tool.includes('|')) continue;
        const integration = String(fields['toolgate.integration']);
        const key = `${integration}\n${tool}\n${operation}`;
        const use = uses.get(key) ?? {
          integration,
          tool: String(fields['toolgate.tool.title']),
          operation,
          calls: 0,
          agents: new Set<string>(),
          last: 0,
        };
        uses.set(key, use);
        use.calls++;
        use.agents.add(String(body['gen_ai.agent.name']));
        use.last = body.ts;
      }
    }
    if (uses.size === 0) {
      complain('the log holds no call that ran: use your agents for a while, or look further back with --since');
      return 1;
    }
    print(suggestion([...uses.values()], calls, since, least));
    return 0;
  } finally {
    await house.close();
  }
}

function suggestion(uses: readonly Use[], calls: number, since: number, least: number): string {
  const integrations = [...new Set(uses.map(({ integration }) => integration))].sort();
  const policies = integrations.flatMap((integration) => {
    const of = (operation: string) =>
      uses.filter((use) => use.integration === integration && use.operation === operation);
    const reads = of('Read');
    const writes = of('Write').filter((use) => use.calls >= least);
    return [
      ...(reads.length === 0
        ? []
        : [policyLines(`Reads of ${integration}`, { integration, operation: 'Read' }, reads)]),
      ...(writes.length === 0
        ? []
        : [
            policyLines(
              `Usual changes of ${integration}`,
              { integration, tool: writes.map(({ tool }) => tool), operation: 'Write' },
              writes,
            ),
          ]),
    ];
  });
  const rare = uses.filter(
    ({ operation, calls: often }) => operation === 'Delete' || (operation === 'Write' && often < least),
  );
  return [
    `# Suggested from ${counted(calls, 'call', 'calls')} since ${when(since)}. Look at each line: what was done is not always what should be.`,
    '# Try it on the past with: toolgate policy replay --against THIS_FILE',
    'version: 1',
    'defaults:',
    '  action: require approval         # all that is not allowed below',
    '  unclassified: require approval',
    'policies:',
    ...(policies.length === 0 ? ['  []'] : policies.flat()),
    ...(rare.length === 0
      ? []
      : [
          '# Asked about, since it deletes or was rare:',
          ...rare.map(
            (use) => `#   ${oneLine(`${use.integration} · ${use.tool}`)} [${use.operation}], ${evidence([use])}`,
          ),
        ]),
  ].join('\n');
}

/** One policy as YAML, with its evidence above and a test for each tool. */
function policyLines(name: string, condition: object, uses: readonly Use[]): string[] {
  const sorted = [...uses].sort((a, b) => b.calls - a.calls);
  const policy = {
    name,
    if: condition,
    action: 'allow',
    tests: sorted
      .slice(0, 3)
      .map((use) => ({ call: `${use.integration}/${use.tool}`, server: use.integration, expect: 'allow' })),
  };
  return [
    `  # ${evidence(sorted)}`,
    ...stringify([policy], { lineWidth: 0 })
      .trimEnd()
      .split('\n')
      .map((line) => `  ${line}`),
  ];
}

/** `340 calls of 12 tools by Cursor, Claude, the last on 2026-11-25` */
function evidence(uses: readonly Use[]): string {
  const calls = uses.reduce((sum, use) => sum + use.calls, 0);
  const agents = [...new Set(uses.flatMap((use) => [...use.agents]))].sort();
  const last = Math.max(...uses.map((use) => use.last));
  const tools =
    uses.length === 1
      ? ''
      : ` of ${uses.length} tools (${uses
          .slice(0, 5)
          .map((use) => `${use.tool} ${use.calls}`)
          .join(', ')}${uses.length > 5 ? ', …' : ''})`;
  return oneLine(
    `${counted(calls, 'call', 'calls')}${tools} by ${agents.join(', ')}, the last on ${when(last).slice(0, 10)}`,
  );
}

/** Names come from outside: none may end the comment. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, ' ');
}
