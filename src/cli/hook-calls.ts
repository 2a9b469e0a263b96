/** What a hook was asked, as the calls that are judged. */
import { listTools } from '../audit/tools.ts';
import type { Call } from '../call.ts';
import type { OwnPlaces } from '../catalog/own.ts';
import type { Rules } from '../config/rules.ts';
import { callOfCommand } from '../shell/calls.ts';
import type { HookAsks, HookEvent } from '../shell/payload.ts';
import { lineOf, touchedFiles } from './hook-asks.ts';
import type { House } from './house.ts';
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
      const { mcpCalls } = await import('./hook-mcp.ts');
      const rows = await house.store.read(listTools);
      return (rules) => mcpCalls(house, rules, asks, rows);
    }
  }
}
