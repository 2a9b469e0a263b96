/** `toolgate catalog coverage`: what each tool of the configured servers is taken for, and what to write of those that nobody knows. */
import { join } from 'node:path';
import { stringify } from 'yaml';
import { listTools, type ToolRow } from '../audit/tools.ts';
import type { ClassSource, Operation } from '../call.ts';
import { classifyTool, idOf } from '../catalog/classify.ts';
import type { Catalog } from '../catalog/load.ts';
import { foldId, type Recognised, readLaunch, recognise, type ServerLaunch } from '../catalog/recognise.ts';
import { openCatalog } from './catalog.ts';
import { type HouseFlags, openHouse } from './house.ts';
import { configuredLaunches, definitionIn } from './on-record.ts';
import { complain, print, printJson, table } from './output.ts';

/** One tool of one server. */
interface CoveredTool {
  readonly server: string;
  readonly tool: string;
  readonly integration: string;
  readonly title: string;
  readonly operation: Operation | null;
  readonly source: ClassSource;
  /** false: the catalog lists it for this server, which has not shown its tools yet */
  readonly seen: boolean;
}

interface CoveredServer {
  readonly server: string;
  readonly integration: string;
  readonly recognised: boolean;
  /** how it was recognised, in a sentence */
  readonly why: string;
}

const RANK: Record<ClassSource, number> = { unknown: 0, inferred: 1, catalog: 2, owner: 3 };

/** Exit 0: every tool is in a catalog; 1: some are only inferred or unknown. */
export async function catalogCoverage(flags: HouseFlags & { json?: boolean }): Promise<number> {
  const catalog = await openCatalog(flags);
  const house = await openHouse(flags);
  const rows = await house.store.read(listTools);
  const configured = configuredLaunches(house, rows);
  const folder = join(house.folders.config, 'catalog');
  await house.close();
  const known = configured.map((launch) => ({ launch, recognised: recognise(catalog, launch) }));
  const servers = known.map(
    ({ launch, recognised }): CoveredServer => ({
      server: launch.key,
      integration: recognised.integration.title,
      recognised: recognised.by !== 'key',
      why: recognised.why,
    }),
  );
  const tools = known.flatMap(({ launch, recognised }) => toolsOf(launch, recognised, rows));
  tools.sort((a, b) => RANK[a.source] - RANK[b.source]);
  const unlisted = tools.filter(({ source }) => source === 'unknown' || source === 'inferred');
  const paste = known.flatMap(({ launch, recognised }) =>
    entryFor(
      catalog,
      launch,
      recognised,
      unlisted.filter(({ server }) => server === launch.key),
      folder,
    ),
  );
  if (flags.json) printJson({ servers, tools, paste });
  else {
    print(sentences(servers, tools));
    if (tools.length > 0) print(`\n${asTable(tools)}`);
    for (const { file, yaml } of paste) print(`\n# To say what they do yourself, in ${file}\n${yaml.trimEnd()}`);
    const hidden = unlisted.filter(({ tool }) => !isWritable(tool)).length;
    if (hidden > 0) complain(`${hidden} tools have names with characters that nobody sees: they stay unknown`);
    if (servers.length === 0) complain('no server is configured in servers.json');
    else if (rows.length === 0) complain('no server has shown its tools yet: they do once an agent has connected');
  }
  return unlisted.length > 0 ? 1 : 0;
}

/** Those that it has shown; before it has, those that the catalog lists for it. */
function toolsOf(launch: ServerLaunch, recognised: Recognised, rows: readonly ToolRow[]): CoveredTool[] {
  const own = rows.filter(({ server }) => server === launch.key);
  const sure = recognised.by === 'launch' || recognised.by === 'owner';
  const listed = sure ? recognised.servers.flatMap(({ server }) => Object.keys(server.tools)) : [];
  const names = own.length > 0 ? own.map(({ name }) => name) : [...new Set(listed)];
  return names.map((name) => {
    const definition = definitionIn(
      own.find((row) => row.name === name),
      name,
    );
    const { integrations, tools, operation, source } = classifyTool(recognised, definition).tool;
    return {
      server: launch.key,
      tool: name,
      integration: integrations.map(({ title }) => title).join(' or '),
      title: tools.map(({ title }) => title).join(' or '),
      operation,
      source,
      seen: own.length > 0,
    };
  });
}

/** What the owner would write into a catalog file of their own: complete but for what each tool does. */
function entryFor(
  catalog: Catalog,
  launch: ServerLaunch,
  recognised: Recognised,
  unlisted: readonly CoveredTool[],
  folder: string,
): { file: string; yaml: string }[] {
  if (unlisted.length === 0) return [];
  const { id, title } = recognised.known ?? { id: foldId(launch.key), title: recognised.integration.title };
  const server = recognised.by === 'launch' ? recognised.servers[0]!.name : launch.key;
  const started = readLaunch(launch);
  const how =
    recognised.by === 'launch' || started === null
      ? {}
      : started.kind === 'url'
        ? { hosts: [started.host] }
        : started.kind === 'docker'
          ? { docker: [started.name] }
          : { packages: [started.name] };
  // An id of the catalog's stays its own: what that tool does is not written anew by one that is spelt alike.
  const taken = new Set(catalog.integrations.get(id)?.tools.keys());
  const entries = unlisted
    .filter(({ tool }) => isWritable(tool))
    .map(({ tool, title: name, operation }) => ({
      tool,
      toolId: freeId(idOf(tool), taken),
      described: { title: (name === '' ? tool : name).slice(0, 80), operation: operation ?? 'Delete' },
    }));
  if (entries.length === 0) return [];
  const yaml = stringify(
    {
      integration: id,
      title,
      tools: Object.fromEntries(entries.map(({ toolId, described }) => [toolId, described])),
      servers: { [server]: { ...how, tools: Object.fromEntries(entries.map(({ tool, toolId }) => [tool, toolId])) } },
    },
    { flowCollectionPadding: true, collectionStyle: 'any', lineWidth: 0 },
  );
  const inUse = catalog.integrations.has(id) ? `${id}-mine` : id;
  return [{ file: join(folder, `${inUse}.yaml`), yaml }];
}

/** Names that nobody can see whole, or that mean something to programs, have no place in a file that people read. */
function isWritable(name: string): boolean {
  return name !== '__proto__' && !/[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/u.test(name);
}

/** Of names that fold to one id, the second is `id_2`. */
function freeId(id: string, taken: Set<string>): string {
  let free = id;
  for (let count = 2; taken.has(free); count++) free = `${id}_${count}`;
  taken.add(free);
  return free;
}

function sentences(servers: readonly CoveredServer[], tools: readonly CoveredTool[]): string {
  const lines = servers.map(({ server, integration, recognised, why }) => {
    const own = tools.filter((tool) => tool.server === server);
    const listed = own.filter(({ source }) => source === 'catalog' || source === 'owner').length;
    const seen = own.some((tool) => tool.seen) ? '' : ', none seen yet';
    return [
      server,
      recognised ? integration : 'not recognised',
      `${listed} of ${own.length} tools in the catalog${seen}`,
      why,
    ];
  });
  return table(['SERVER', 'INTEGRATION', 'COVERED', 'WHY'], lines);
}

function asTable(tools: readonly CoveredTool[]): string {
  return table(
    ['OPERATION', 'FROM', 'SERVER', 'TOOL', 'TAKEN FOR'],
    tools.map(({ operation, source, server, tool, integration, title }) => [
      operation ?? 'unknown',
      source,
      server,
      tool,
      `${integration} · ${title}`,
    ]),
  );
}
