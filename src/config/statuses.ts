/** What the owner said of agents and tools by command, kept in step with the store at next to no cost. */
import { listTools, type ToolRow } from '../audit/tools.ts';
import { getMeta } from '../store/meta.ts';
import type { Store, Transaction } from '../store/store.ts';

const KEY = 'statuses';
/** How long a change by another process may go unnoticed. */
const FRESH_MS = 20;

export interface Statuses {
  /** counts up with every change of a status; asks the store only if another process wrote to it */
  readonly version: () => Promise<number>;
  readonly tool: (server: string, name: string) => ToolRow | undefined;
  readonly refresh: () => Promise<void>;
}

/** Call it in the transaction that changes a status. */
export function bumpStatuses(tx: Transaction): void {
  tx.run(
    "INSERT INTO meta (key, value) VALUES (?, '1') ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + 1",
    KEY,
  );
}

export function createStatuses(store: Store): Statuses {
  let tools = new Map<string, ToolRow>();
  let version = -1;
  let seen = -1;
  let askedAt = Number.NEGATIVE_INFINITY;
  const refresh = async () => {
    const rows = await store.read((tx) => {
      version = Number(getMeta(tx, KEY) ?? 0);
      return listTools(tx);
    });
    tools = new Map(rows.map((row) => [`${row.server}\u0000${row.name}`, row]));
  };
  return {
    version: async () => {
      const asked = performance.now();
      if (asked - askedAt < FRESH_MS) return version;
      const now = store.dataVersion();
      askedAt = asked;
      if (now === seen) return version;
      const stored = await store.read((tx) => Number(getMeta(tx, KEY) ?? 0));
      if (stored !== version) await refresh();
      seen = now;
      return version;
    },
    tool: (server, name) => tools.get(`${server}\u0000${name}`),
    refresh,
  };
}
