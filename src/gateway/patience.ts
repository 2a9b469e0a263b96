/**
 * How long a client waits for a tool call before it gives up, as reported of each in its own issues; a held call is
 * answered a little earlier. By what the client calls itself, which is no identity: a wrong name costs only a repeat.
 */
import { foldName } from '../call.ts';

const UNKNOWN_MS = 45_000;
/** Five minutes, less what an answer takes. */
const MINUTES_MS = 240_000;
/** As long as a question stays open by default. */
const LONG_MS = 600_000;

const BY_NAME = new Map(
  (
    [
      ['claude-code', LONG_MS],
      ['cursor-vscode', MINUTES_MS],
      ['cursor', MINUTES_MS],
      ['Visual Studio Code', MINUTES_MS],
      ['Visual-Studio-Code', MINUTES_MS],
    ] as const
  ).map(([name, ms]) => [foldName(name), ms]),
);

/** In milliseconds. A client that asked for no progress may count from the start, whatever it is called. */
export function patienceMs(clientName: string | null, asksForProgress: boolean): number {
  const known = clientName === null ? undefined : BY_NAME.get(foldName(clientName));
  if (known === undefined) return UNKNOWN_MS;
  return known === LONG_MS && !asksForProgress ? MINUTES_MS : known;
}
