/** A shell line as the calls that are judged, under some rules. */
import { homedir } from 'node:os';
import type { Call } from '../call.ts';
import type { Reading } from '../catalog/shell-reading.ts';
import type { Rules } from '../config/rules.ts';
import { callsOf } from '../shell/calls.ts';
import { readInContext } from '../shell/gather.ts';
import { statusInFile } from './inventory.ts';

/** `line`: as it is read; `shown`: as the agent wrote it, where that is another. */
export function shellCalls(
  { catalog, policies }: Rules,
  line: string,
  cwd: string | null,
  shown = line,
): { readonly reading: Reading; readonly calls: readonly Call[] } {
  const reading = readInContext(catalog, line, { cwd, home: homedir(), aliases: new Map() });
  const calls = callsOf(
    reading,
    shown,
    catalog,
    (deed) => statusInFile(policies.file.tools, deed.calledName, deed) ?? 'Unreviewed',
  );
  return { reading, calls };
}
