/** Which of toolgate's own places a file tool of an agent touches. Pure. */
import type { CommandCall } from '../catalog/command.ts';
import type { Catalog } from '../catalog/load.ts';
import { type OwnPlaces, ownCall, ownTouch } from '../catalog/own.ts';
import type { HookFiles } from './payload.ts';

/** More than a person would look at. */
const MAX_PATHS = 2000;

/** `resolved`: the absolute paths that a written one may stand for. */
export function touchedBy(
  { tool, paths, reads }: HookFiles,
  own: OwnPlaces,
  catalog: Catalog,
  resolved: (path: string) => readonly string[],
): CommandCall[] {
  const found = new Map<string, CommandCall>();
  const asked = new Set(paths);
  if (asked.size > MAX_PATHS) throw new Error(`${tool} names more files than can be looked at`);
  for (const path of new Set([...asked].flatMap(resolved))) {
    const touched = ownTouch(own, path, reads ? 'reads' : 'changes');
    const call = touched === null ? null : ownCall(catalog, touched, tool, path);
    if (touched !== null && call !== null && !found.has(touched)) found.set(touched, call);
  }
  return [...found.values()];
}
