/**
 * A shell line as what is judged: one call for each command of a known program, one for whatever can't be resolved, and one
 * for the programs that run code which is not in the line. Pure.
 */
import {
  type Call,
  type CallIntegration,
  type Deed,
  type JsonObject,
  type JsonValue,
  type ReviewStatus,
  UNRESOLVED_COMMAND,
} from '../call.ts';
import type { CommandCall } from '../catalog/command.ts';
import type { Catalog, Integration } from '../catalog/load.ts';
import { OWN_INTEGRATION } from '../catalog/own.ts';
import type { Reading, Unresolved } from '../catalog/shell-findings.ts';

/** What the owner or the review says of a tool. */
export type StatusOf = (deed: Pick<Deed, 'integrations' | 'tools' | 'calledName'>) => ReviewStatus;

export function callsOf(reading: Reading, line: string, catalog: Catalog, statusOf: StatusOf): Call[] {
  const rawArguments: JsonObject = { command: line };
  return [
    ...reading.calls.map((call) => callOfCommand(call, rawArguments, statusOf)),
    ...reading.unresolved.map((each) => unresolved(each, catalog, rawArguments)),
    ...(reading.opaque.length === 0 ? [] : [opaque(reading.opaque, rawArguments)]),
  ];
}

const OPAQUE_SOURCE = 'runs code which is not in the line';

/** Programs that run code which is not in the line: one call, of no integration. */
function opaque(programs: readonly string[], rawArguments: JsonObject): Call {
  return {
    via: 'cli',
    integrations: [],
    server: null,
    calledName: [...new Set(programs)].join(', '),
    tools: [],
    possible: [],
    operation: null,
    source: 'unknown',
    reasons: [OPAQUE_SOURCE],
    toolStatus: 'Unreviewed',
    definitionHash: null,
    rawArguments,
    argument: () => ({ state: 'unreadable', why: OPAQUE_SOURCE }),
    namesOf: (canonical) => [canonical],
  };
}

/** Whether a call is what `defaults.opaque_commands` is about. */
export function isOpaque({ integrations }: Call): boolean {
  return integrations.length === 0;
}

/** A command, or what a file tool does to toolgate's own, as it is judged. */
export function callOfCommand(
  { integration, tools, possible, operation, source, reasons, name, argument }: CommandCall,
  rawArguments: JsonObject,
  statusOf: StatusOf,
): Call {
  const integrations: CallIntegration[] = [{ ...integration, sure: true }];
  return {
    via: 'cli',
    integrations,
    server: null,
    calledName: name,
    tools,
    possible,
    operation,
    source,
    reasons,
    toolStatus: statusOf({ integrations, tools, calledName: name }),
    definitionHash: null,
    rawArguments,
    argument,
    namesOf: (canonical) => [canonical],
  };
}

/** It may be any tool of the integrations that it concerns, with any arguments: never a Read. */
function unresolved({ integrations, why }: Unresolved, catalog: Catalog, rawArguments: JsonObject): Call {
  const concerned = integrationsOf(integrations, catalog);
  return {
    via: 'cli',
    integrations: concerned.map(({ id, title }) => ({ id, title, sure: false })),
    server: null,
    calledName: UNRESOLVED_COMMAND,
    tools: [],
    possible: [],
    operation: null,
    source: 'unknown',
    reasons: [why],
    toolStatus: 'Unreviewed',
    definitionHash: null,
    rawArguments,
    argument: () => ({ state: 'unreadable', why }),
    namesOf: (canonical) => [canonical],
  };
}

/** Those that something unresolved may concern. toolgate itself is among them only where something speaks of it. */
export function integrationsOf(integrations: Unresolved['integrations'], catalog: Catalog): readonly Integration[] {
  return integrations === 'every'
    ? [...catalog.integrations.values()].filter(({ id }) => id !== OWN_INTEGRATION)
    : integrations;
}

/** What is known of a command's arguments, for people; what only the shell knows is null. */
export function knownArguments({ argument, canonical }: CommandCall): Record<string, JsonValue> {
  return Object.fromEntries(
    canonical.flatMap((name) => {
      const found = argument(name);
      return found.state === 'missing' ? [] : [[name, found.state === 'value' ? found.value : null]];
    }),
  );
}
