/** What a hook was asked, as the calls that are judged. */
import { homedir } from 'node:os';
import { listTools } from '../audit/tools.ts';
import type { Call } from '../call.ts';
import type { OwnPlaces } from '../catalog/own.ts';
import type { Rules } from '../config/rules.ts';
import { deskFacts } from '../desk/facts.ts';
import { DEFAULT_PORT } from '../desk/port.ts';
import { sha256 } from '../digest.ts';
import { aliasesOf } from '../shell/aliases.ts';
import { callOfCommand, callsOf } from '../shell/calls.ts';
import { type InContext, readInContext } from '../shell/gather.ts';
import type { HookAsks, HookEvent } from '../shell/payload.ts';
import { keptGit, lineOf, touchedFiles } from './hook-asks.ts';
import { type House, type HouseFlags, openHouse } from './house.ts';
import { ownPlaces } from './own-places.ts';
import { statusByFile } from './shell-calls.ts';

export interface HookCalls {
  readonly calls: readonly Call[];
  /** names what the calls depend on beside the request: an approval is for these alone; empty if there is nothing */
  readonly around: () => string;
}

/** Gives the calls under some rules; what it needs from the store is read once. `read`: good for the first time it is asked. */
export async function hookCalls(
  house: House,
  { cwd, form }: HookEvent,
  asks: HookAsks,
  read: InContext | null = null,
): Promise<(rules: Rules) => HookCalls> {
  switch (asks.kind) {
    case 'command': {
      const own = await ownPlacesOf(house);
      const aliases = aliasesOf(form, homedir());
      // The desk may listen on a port that was not known when the line was read.
      let first = own.ports.every((port) => port === DEFAULT_PORT) ? read : null;
      const inContext = ({ catalog, source }: Rules): InContext => {
        const known = source.ownersCatalog.length === 0 ? first : null;
        first = null;
        const around = { cwd, home: homedir(), own, aliases };
        return known ?? readInContext(catalog, lineOf(asks), around, keptGit(house.folders));
      };
      return (rules) => {
        const { reading, git } = inContext(rules);
        const calls = callsOf(reading, asks.text, rules.catalog, statusByFile(rules));
        return { calls, around: () => (git.size === 0 ? '' : sha256(JSON.stringify([...git]))) };
      };
    }
    case 'files': {
      const own = await ownPlacesOf(house);
      return (rules) => {
        const touched = touchedFiles(asks, own, rules.catalog, cwd);
        return { calls: touched.map((call) => callOfCommand(call, asks.input, statusByFile(rules))), around: () => '' };
      };
    }
    case 'mcp': {
      const { mcpCalls } = await import('./hook-mcp.ts');
      const rows = await house.store.read(listTools);
      return (rules) => ({ calls: mcpCalls(house, rules, asks, rows), around: () => '' });
    }
  }
}

/** With the port that the desk has by now. */
async function ownPlacesOf(house: House): Promise<OwnPlaces> {
  const desk = await house.store.read(deskFacts);
  return ownPlaces(house.folders, desk?.port ?? null);
}

/** A house for what a hook was asked, with as much of the catalog as that needs. */
export function openHookHouse(asks: HookAsks, flags: HouseFlags): Promise<House> {
  return openHouse(flags, asks.kind === 'mcp' ? 'all' : 'commands', true);
}

/** Whether it goes through our own gate, which judges, counts, holds and records it. */
export async function goesThroughGate(house: House, { form, cwd }: HookEvent, asks: HookAsks): Promise<boolean> {
  if (asks.kind !== 'mcp') return false;
  const { isOwnGate } = await import('./own-gate.ts');
  return isOwnGate(asks, form, house.folders, cwd ?? process.cwd(), homedir());
}
