/** What a hook was asked, as the calls that are judged. */
import { listTools, type ToolRow } from '../audit/tools.ts';
import type { Call } from '../call.ts';
import { classifyTool } from '../catalog/classify.ts';
import { OWN_INTEGRATION, type OwnPlaces } from '../catalog/own.ts';
import { recognise } from '../catalog/recognise.ts';
import type { Rules } from '../config/rules.ts';
import { exposedName } from '../gateway/names.ts';
import { callOfCommand } from '../shell/calls.ts';
import type { HookAsks, HookEvent, HookMcp } from '../shell/payload.ts';
import { lineOf, touchedFiles } from './hook-asks.ts';
import type { House } from './house.ts';
import { callOnRecord, configuredLaunches, definitionIn } from './on-record.ts';
import { shellCalls, statusByFile } from './shell-calls.ts';

/** Gives the calls under some rules; what it needs from the store is read once. */
export async function hookCalls(
  house: House,
  { cwd }: HookEvent,
  asks: HookAsks,
  own: OwnPlaces,
): Promise<(rules: Rules) => readonly Call[]> {
  switch (asks.kind) {
    case 'command':
      return (rules) => shellCalls(rules, lineOf(asks), cwd, own, asks.text).calls;
    case 'files':
      return (rules) =>
        touchedFiles(asks, own, rules.catalog, cwd).map((call) => callOfCommand(call, asks.input, statusByFile(rules)));
    case 'mcp': {
      const rows = await house.store.read(listTools);
      return (rules) => mcpCalls(house, rules, asks, rows);
    }
  }
}

/** A tool of the gate's, by its name there, or else of a server that the client has by itself. */
function mcpCalls(
  house: House,
  rules: Rules,
  { server, tool, args, launch }: HookMcp,
  rows: readonly ToolRow[],
): Call[] {
  const { catalog, policies } = rules;
  const through = configuredLaunches(house, rows).flatMap((each) => {
    const seen = rows.filter((row) => row.server === each.key);
    const row = seen.find(({ name }) => exposedName(each.prefix, each.key, name) === tool);
    const prefixed = each.prefix !== '' && tool.startsWith(`${each.prefix}__`);
    const name = row?.name ?? (prefixed ? tool.slice(each.prefix.length + 2) : null);
    if (name === null) return [];
    const toolClass = classifyTool(recognise(catalog, each), definitionIn(row, name));
    return [callOnRecord(policies, toolClass, each.key, name, args, row)];
  });
  if (through.length > 0) return through;
  // A server that somebody calls toolgate is no part of it.
  const key = server === null || server.toLowerCase() === OWN_INTEGRATION ? 'mcp server' : server;
  const recognised = recognise(catalog, { key, toolNames: [tool], ...launch });
  const toolClass = classifyTool(recognised, { name: tool });
  return [callOnRecord(policies, toolClass, server ?? key, tool, args, undefined)];
}
