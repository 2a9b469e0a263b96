/** `toolgate command explain`: what a shell line does, call by call, and what would come of it. */
import { homedir } from 'node:os';
import { z } from 'zod';
import type { JsonValue, Operation } from '../call.ts';
import type { Catalog } from '../catalog/load.ts';
import { programName } from '../catalog/mentions.ts';
import type { OwnPlaces } from '../catalog/own.ts';
import { FOREIGN_SHELLS } from '../catalog/programs.ts';
import type { Reading } from '../catalog/shell-findings.ts';
import { quoted } from '../catalog/shell-line.ts';
import { folders } from '../config/paths.ts';
import { rulesFault } from '../config/rules.ts';
import { visibleLine } from '../problem.ts';
import { integrationsOf, knownArguments } from '../shell/calls.ts';
import { readInContext } from '../shell/gather.ts';
import { decideLine, type LineDecision } from '../shell/judging.ts';
import { askedAgent } from './asked-agent.ts';
import { openCatalog } from './catalog.ts';
import { type HouseFlags, openHouse, ownerOf } from './house.ts';
import { complain, print, printJson } from './output.ts';
import { ownPlaces } from './own-places.ts';
import { WAITS } from './policy-accept.ts';
import { answerLines, type Questions } from './questions.ts';
import { rulesHere } from './rules-here.ts';
import { shellCalls } from './shell-calls.ts';
import { surroundingsHere } from './surroundings.ts';

export interface CommandFlags extends HouseFlags {
  readonly stdin?: boolean;
  readonly json?: boolean;
  readonly agent?: string;
  /** the folder that the line would run in; else here */
  readonly cwd?: string;
  /** the shell that it would run in; else one like bash and zsh */
  readonly shell?: string;
}

/** What is answered of one line. */
export interface CommandAnswer {
  readonly calls: readonly {
    readonly integration: string;
    /** the catalog's id of it; null where it may be several */
    readonly tool: string | null;
    readonly title: string;
    readonly name: string;
    readonly operation: Operation | null;
    /** by canonical name; null where only the shell knows */
    readonly arguments: Record<string, JsonValue>;
  }[];
  readonly unresolved: boolean;
  /** those that the unresolved parts may concern */
  readonly integrations: readonly string[];
  /** programs that run code which is not in the line */
  readonly opaque: readonly string[];
  readonly reasons: readonly string[];
}

const question = z.looseObject({
  command: z.string(),
  cwd: z.string().optional(),
  shell: z.string().optional(),
});

const QUESTIONS: Questions<z.output<typeof question>> = {
  format: question,
  needs: ['command', 'write the command line'],
  example: '{"command":"git push --force"}',
};

/** Exit 0: it would run; 1: it would not, or with `--stdin` some line could not be read; 2: nothing was asked. */
export async function commandExplain(line: string | undefined, flags: CommandFlags): Promise<number> {
  if ((line === undefined) === (flags.stdin !== true)) {
    complain("write one command line, such as 'git push --force', or --stdin and a JSON object on each line");
    return 2;
  }
  return line === undefined ? explainLines(flags) : explainOne(line, flags);
}

async function explainLines(flags: CommandFlags): Promise<number> {
  const catalog = await openCatalog(flags);
  const own = ownPlaces(folders(flags));
  return answerLines(QUESTIONS, ({ command, cwd, shell }) =>
    answerOf(readAt(catalog, lineFor(shell, command), cwd ?? null, own), catalog),
  );
}

/** A line of another language than bash's and zsh's is only looked through for the names of programs. */
function lineFor(shell: string | undefined, line: string): string {
  const name = programName(shell ?? 'bash');
  return FOREIGN_SHELLS.has(name) ? `${name} -Command ${quoted(line)}` : line;
}

function readAt(catalog: Catalog, line: string, cwd: string | null, own: OwnPlaces): Reading {
  return readInContext(catalog, line, { cwd, home: homedir(), aliases: new Map(), own }).reading;
}

function answerOf(reading: Reading, catalog: Catalog): CommandAnswer {
  const { calls, unresolved, opaque } = reading;
  const concerned = unresolved.flatMap(({ integrations }) => integrationsOf(integrations, catalog));
  return {
    calls: calls.map((call) => ({
      integration: call.integration.title,
      tool: call.tools.length === 1 ? call.tools[0]!.id : null,
      title: call.tools.map(({ title }) => title).join(' or '),
      name: call.name,
      operation: call.operation,
      arguments: knownArguments(call),
    })),
    unresolved: unresolved.length > 0,
    integrations: [...new Set(concerned.map(({ title }) => title))],
    opaque,
    reasons: [...calls.flatMap(({ reasons }) => reasons), ...unresolved.map(({ why }) => why)],
  };
}

async function explainOne(line: string, flags: CommandFlags): Promise<number> {
  const house = await openHouse(flags);
  try {
    const loaded = await rulesHere(house);
    if (loaded === null) return 3;
    if (loaded.stale) complain(`${rulesFault(loaded)}\nthe last good rules are asked`);
    if (loaded.proposed !== null) complain(WAITS);
    const { catalog, policies } = loaded.rules;
    const cwd = flags.cwd ?? process.cwd();
    const { reading, calls } = shellCalls(loaded.rules, lineFor(flags.shell, line), cwd, {
      own: ownPlaces(house.folders),
      aliases: new Map(),
    });
    const agent = await askedAgent(house, policies, flags.agent ?? null);
    const gathered = {
      now: Date.now(),
      surroundings: surroundingsHere('', house.owner, cwd),
      earlier: [],
      counts: new Map<string, number>(),
    };
    const decision = calls.length === 0 ? null : decideLine(policies, calls, { agent, gathered }, ownerOf(house));
    const answer = answerOf(reading, catalog);
    if (flags.json)
      printJson({
        ...answer,
        decision: {
          effect: decision?.decision.effect ?? 'allow',
          would: decision?.decision.would ?? null,
          policy: decision?.decision.deciding.policy ?? null,
        },
      });
    else print(inWords(answer, reading, decision));
    return decision === null || decision.decision.effect === 'allow' ? 0 : 1;
  } finally {
    await house.close();
  }
}

function inWords({ calls, opaque }: CommandAnswer, reading: Reading, decided: LineDecision | null): string {
  if (decided === null) return 'nothing that toolgate judges: no program of a known integration\n\ndecision: allow';
  const { decision, each } = decided;
  const lines = calls.flatMap(({ integration, title, name, operation, arguments: args }, index) => [
    `${name}: ${integration} · ${title}, ${operation ?? 'unknown'}`,
    ...Object.entries(args).map(
      ([key, value]) => `    ${key}: ${value === null ? "can't tell" : JSON.stringify(value)}`,
    ),
    ...reading.calls[index]!.reasons.slice(1).map((reason) => `    - ${reason}`),
    `    → ${each[index]!.effect}, by ${each[index]!.deciding.policy}`,
  ]);
  reading.unresolved.forEach(({ integrations, why }, index) => {
    const whose = integrations === 'every' ? 'every integration' : integrations.map(({ title }) => title).join(', ');
    const own = each[calls.length + index]!;
    lines.push(`unresolved, may concern ${whose}: ${why}`, `    → ${own.effect}, by ${own.deciding.policy}`);
  });
  for (const program of opaque) lines.push(`${program}: runs code which is not in the line`);
  if (opaque.length > 0) lines.push(`    → ${each.at(-1)!.effect}, by ${each.at(-1)!.deciding.policy}`);
  lines.push('', `decision: ${decision.effect}, by ${decision.deciding.policy}`);
  if (decision.would !== null) lines.push(`would be: ${decision.would}, were no policy in monitor mode`);
  return lines.map(visibleLine).join('\n');
}
