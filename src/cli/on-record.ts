/** A call as it would be judged without its upstream: by servers.json, the inventory of tools, and the rules in force. */
import { type ToolRow, toolStatus } from '../audit/tools.ts';
import type { Call, JsonObject } from '../call.ts';
import type { ToolClass } from '../catalog/classify.ts';
import type { ToolDefinition } from '../catalog/infer.ts';
import type { Catalog } from '../catalog/load.ts';
import { recognise, type ServerLaunch } from '../catalog/recognise.ts';
import { readRuleFiles } from '../config/rules.ts';
import { readServers } from '../config/servers.ts';
import type { CompiledPolicies } from '../policy/compile.ts';
import { statusInFile } from '../policy/tool-status.ts';
import type { House } from './house.ts';

/** How the server of that key is started, with the tools that it has shown; null if there is none. */
export type LaunchOf = (key: string) => ServerLaunch | null;

/** Every server of servers.json as it is now, with the tools that it has shown. */
export function configuredLaunches(
  house: House,
  rows: readonly ToolRow[],
): (ServerLaunch & { readonly prefix: string })[] {
  const { servers } = readRuleFiles(house.folders.config);
  const entries = 'text' in servers ? (readServers(servers.text).servers?.entries ?? {}) : {};
  return Object.entries(entries).map(([key, { command, args, integration, prefix, url, serverUrl, httpUrl }]) => ({
    key,
    prefix: prefix ?? key,
    command,
    args,
    integration,
    url: url ?? serverUrl ?? httpUrl,
    toolNames: rows.filter(({ server }) => server === key).map(({ name }) => name),
  }));
}

/** By servers.json as it is now, read once. */
export function launches(house: House, rows: readonly ToolRow[]): LaunchOf {
  const known = new Map(configuredLaunches(house, rows).map((launch) => [launch.key, launch]));
  return (key) => known.get(key) ?? null;
}

/** The servers that nothing says what they are: each is taken for an integration of its own, and its tools go by their names. */
export function unrecognised(catalog: Catalog, servers: readonly ServerLaunch[]): string[] {
  return servers.filter((launch) => recognise(catalog, launch).by === 'key').map(({ key }) => key);
}

/** What the inventory holds of a tool's definition. */
export function definitionIn(row: ToolRow | undefined, tool: string): ToolDefinition {
  return { name: tool, ...(row === undefined ? {} : (JSON.parse(row.definition) as object)) };
}

/** A tool call, with the status and the definition that are on record. */
export function callOnRecord(
  policies: CompiledPolicies,
  toolClass: ToolClass,
  server: string,
  tool: string,
  args: JsonObject,
  row: ToolRow | undefined,
): Call {
  const fixed = statusInFile(policies.file.tools, tool, toolClass.tool);
  return callOfClass(toolClass, args, {
    via: 'mcp',
    server,
    calledName: tool,
    toolStatus: toolStatus(row, fixed, row?.definition_hash ?? ''),
    definitionHash: row?.definition_hash ?? null,
  });
}

/** A call of a classified tool; `rest` is what its class can't know. */
export function callOfClass(
  toolClass: ToolClass,
  args: JsonObject,
  rest: Pick<Call, 'via' | 'server' | 'calledName' | 'toolStatus' | 'definitionHash'>,
): Call {
  return {
    ...toolClass.ofCall(args),
    ...rest,
    rawArguments: args,
    argument: toolClass.reader(args),
    namesOf: toolClass.namesOf,
  };
}
