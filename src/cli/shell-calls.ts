/** A shell line as the calls that are judged, under some rules. */
import { homedir } from 'node:os';
import type { Call } from '../call.ts';
import type { Catalog } from '../catalog/load.ts';
import type { OwnPlaces } from '../catalog/own.ts';
import { readShell, type ShellContext } from '../catalog/shell-reading.ts';
import type { Rules } from '../config/rules.ts';
import { statusInFile } from '../policy/tool-status.ts';
import { callsOf, type StatusOf } from '../shell/calls.ts';
import { type InContext, readInContext } from '../shell/gather.ts';

/** `line`: as it is read; `shown`: as the agent wrote it, where that is another. */
export function shellCalls(
  rules: Rules,
  line: string,
  cwd: string | null,
  around: Pick<ShellContext, 'own' | 'aliases'>,
  shown = line,
): InContext & { readonly calls: readonly Call[] } {
  const { catalog } = rules;
  const inContext = readInContext(catalog, line, { cwd, home: homedir(), ...around });
  return { ...inContext, calls: callsOf(inContext.reading, shown, catalog, statusByFile(rules)) };
}

const NOTHING = new Map<string, never>();

/** The same of a line of which nothing else is known: no repository, alias or remote. It means the same everywhere, at any time. */
export function callsOfLineAlone(
  catalog: Catalog,
  line: string,
  cwd: string | null,
  own: OwnPlaces | null,
  statusOf: StatusOf,
): Call[] {
  const around = { cwd, home: homedir(), own, aliases: NOTHING, git: NOTHING, remotes: NOTHING };
  return callsOf(readShell(catalog, line, around), line, catalog, statusOf);
}

/** What the owner's file says of a tool that no server has shown. */
export function statusByFile({ policies }: Rules): StatusOf {
  return (deed) => statusInFile(policies.file.tools, deed.calledName, deed) ?? 'Unreviewed';
}
