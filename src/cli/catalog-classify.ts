/** `toolgate catalog classify`: what a tool, or one call of it, is taken for; one, or a line of JSON for each line of JSON. */
import { z } from 'zod';
import { listTools } from '../audit/tools.ts';
import { isObject, type JsonObject } from '../call.ts';
import type { Classification } from '../catalog/classify.ts';
import type { Catalog } from '../catalog/load.ts';
import { classifyNamed, isNamed } from '../catalog/named.ts';
import type { ServerLaunch } from '../catalog/recognise.ts';
import { messageOf } from '../errors.ts';
import { keepExact } from '../exact.ts';
import { visibleLine } from '../problem.ts';
import { openCatalog } from './catalog.ts';
import { type HouseFlags, openHouse } from './house.ts';
import { type LaunchOf, launches } from './on-record.ts';
import { complain, print, printJson } from './output.ts';
import { answerLines, type Questions } from './questions.ts';

export interface ClassifyFlags extends HouseFlags {
  readonly stdin?: boolean;
  /** the arguments of a call, as JSON; without them the tool as such is asked about */
  readonly args?: string;
  readonly json?: boolean;
}

/** What is asked of one tool. Everything but its name may be left out. */
const question = z.looseObject({
  /** a key of servers.json, the name of a server in the catalog, or what a server calls itself */
  server: z.string().optional(),
  launch: z
    .looseObject({ command: z.string().optional(), args: z.array(z.string()).optional(), url: z.string().optional() })
    .optional(),
  integration: z.string().optional(),
  tool: z.string().min(1),
  description: z.string().optional(),
  annotations: z
    .looseObject({ readOnlyHint: z.boolean().optional(), destructiveHint: z.boolean().optional() })
    .optional(),
  inputSchema: z.custom<JsonObject>(isObject, 'must be an object').optional(),
  arguments: z.custom<JsonObject>(isObject, 'must be an object').optional(),
});
type Question = z.output<typeof question>;

const QUESTIONS: Questions<Question> = {
  format: question,
  needs: ['tool', "write the tool's name"],
  example: '{"server":"github","tool":"create_issue"}',
};

/** What is answered: one line of `--stdin`. */
export interface ClassifyAnswer {
  /** as people write it; null if nothing says what server this is */
  readonly integration: string | null;
  /** the catalog's id of it; null if the catalog doesn't know it, or it may be several */
  readonly tool: string | null;
  readonly title: string;
  readonly operation: Classification['operation'];
  readonly source: Classification['source'];
  readonly reasons: readonly string[];
}

/** Exit 0: every question was answered; 1: some line could not be read; 2: nothing was asked. */
export async function catalogClassify(named: string | undefined, flags: ClassifyFlags): Promise<number> {
  const fault = faultOf(named, flags);
  if (fault !== null) {
    complain(fault);
    return 2;
  }
  const classify = await classifierFor(flags);
  if (named !== undefined) {
    const answer = classify(questionOf(named, flags.args));
    if (flags.json) printJson(answer);
    else print(inWords(answer));
    return 0;
  }
  return answerLines(QUESTIONS, classify);
}

function faultOf(named: string | undefined, { stdin, args }: ClassifyFlags): string | null {
  if ((named === undefined) === (stdin !== true))
    return 'name one tool, such as github/create_issue, or write --stdin and give a JSON object on each line';
  if (args === undefined) return null;
  if (stdin) return '--args is for one tool; with --stdin each line has its "arguments"';
  try {
    return isObject(JSON.parse(args)) ? null : '--args must be a JSON object, such as --args \'{"method":"delete"}\'';
  } catch (error) {
    return `--args is not JSON: ${messageOf(error)}`;
  }
}

function questionOf(named: string, args: string | undefined): Question {
  const [, server, tool] = /^([^/]+)\/(.+)$/s.exec(named) ?? /^(.+?)__(.+)$/s.exec(named) ?? [];
  return {
    ...(server !== undefined && { server }),
    tool: tool ?? named,
    ...(args !== undefined && { arguments: JSON.parse(args, keepExact) as JsonObject }),
  };
}

async function classifierFor(flags: HouseFlags): Promise<(asked: Question) => ClassifyAnswer> {
  const catalog = await openCatalog(flags);
  const house = await openHouse(flags);
  const rows = await house.store.read(listTools).catch(() => []);
  const launchOf = launches(house, rows);
  await house.close();
  return (asked) => answerTo(asked, catalog, launchOf);
}

function answerTo(asked: Question, catalog: Catalog, launchOf: LaunchOf): ClassifyAnswer {
  const { server, launch, integration, tool, description, annotations, inputSchema } = asked;
  const configured = server === undefined ? null : launchOf(server);
  const { key, ...given }: ServerLaunch = configured ?? { key: server ?? '', serverInfoName: server };
  const whole: ServerLaunch = { key, ...given, ...launch, ...(integration !== undefined && { integration }) };
  const byName = configured === null && launch === undefined && integration === undefined && isNamed(catalog, key);
  const definition = { name: tool, description, annotations, ...(inputSchema && { inputSchema }) };
  const { toolClass } = classifyNamed(catalog, whole, definition, byName);
  const found = asked.arguments === undefined ? toolClass.tool : toolClass.ofCall(asked.arguments);
  const listed = found.source === 'catalog' || found.source === 'owner';
  return {
    integration: found.integrations.map(({ title }) => title).join(' or ') || null,
    tool: listed && found.tools.length === 1 ? found.tools[0]!.id : null,
    title: found.tools.map(({ title }) => title).join(' or ') || tool,
    operation: found.operation,
    source: found.source,
    reasons: found.reasons,
  };
}

const SOURCES: Record<ClassifyAnswer['source'], string> = {
  owner: 'from your own catalog',
  catalog: 'from the catalog',
  inferred: 'inferred: no catalog lists it',
  unknown: 'unknown: no catalog lists it, and nothing else tells',
};

function inWords({ integration, tool, title, operation, source, reasons }: ClassifyAnswer): string {
  const name = `${integration ?? 'no integration'} · ${title}${tool === null ? '' : ` (${tool})`}`;
  return [`${name}: ${operation ?? 'unknown'}`, `  ${SOURCES[source]}`, ...reasons.map((reason) => `  - ${reason}`)]
    .map(visibleLine)
    .join('\n');
}
