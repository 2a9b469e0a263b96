/** A call of an MCP server's tool that reaches toolgate through a hook, as what is judged. */
import type { ToolRow } from '../audit/tools.ts';
import type { Call } from '../call.ts';
import { classifyTool } from '../catalog/classify.ts';
import { OWN_INTEGRATION } from '../catalog/own.ts';
import { recognise } from '../catalog/recognise.ts';
import type { Rules } from '../config/rules.ts';
import { exposedName } from '../gateway/names.ts';
import type { HookMcp } from '../shell/payload.ts';
import type { House } from './house.ts';
import { callOnRecord, configuredLaunches, definitionIn } from './on-record.ts';

/** A tool of the gate's, by its name there, or else of a server that the client has by itself. */
export function mcpCalls(
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
