/** What a hook was asked, as the calls that are judged. */
import { homedir } from 'node:os';
import { listTools } from '../audit/tools.ts';
import type { Call } from '../call.ts';
import type { OwnPlaces } from '../catalog/own.ts';
import type { Rules } from '../config/rules.ts';
import { sha256 } from '../digest.ts';
import { aliasesOf } from '../shell/aliases.ts';
import { callOfCommand } from '../shell/calls.ts';
import type { HookAsks, HookEvent } from '../shell/payload.ts';
import { lineOf, touchedFiles } from './hook-asks.ts';
import type { House } from './house.ts';
import { shellCalls, statusByFile } from './shell-calls.ts';

export interface HookCalls {
  readonly calls: readonly Call[];
  /** names what the calls depend on beside the request: an approval is for these alone; empty if there is nothing */
  readonly around: string;
}

/** Gives the calls under some rules; what it needs from the store is read once. */
export async function hookCalls(
  house: House,
  { cwd, form }: HookEvent,
  asks: HookAsks,
  own: OwnPlaces,
): Promise<(rules: Rules) => HookCalls> {
  switch (asks.kind) {
    case 'command': {
      const aliases = aliasesOf(form, homedir());
      return (rules) => {
        const { calls, git } = shellCalls(rules, lineOf(asks), cwd, { own, aliases }, asks.text);
        return { calls, around: git.size === 0 ? '' : sha256(JSON.stringify([...git])) };
      };
    }
    case 'files':
      return (rules) => {
        const touched = touchedFiles(asks, own, rules.catalog, cwd);
        return { calls: touched.map((call) => callOfCommand(call, asks.input, statusByFile(rules))), around: '' };
      };
    case 'mcp': {
      const { mcpCalls } = await import('./hook-mcp.ts');
      const rows = await house.store.read(listTools);
      return (rules) => ({ calls: mcpCalls(house, rules, asks, rows), around: '' });
    }
  }
}
