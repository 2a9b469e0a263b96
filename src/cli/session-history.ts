/** What an agent's session was let do before, by its hooks, as the record has it: each hook is a process of its own. */

import { releasedIn } from '../audit/tool-uses.ts';
import type { EarlierDeed, Operation, ReviewStatus } from '../call.ts';
import { foldId } from '../catalog/recognise.ts';
import type { Rules } from '../config/rules.ts';
import { type History, NO_HISTORY } from './history.ts';
import type { House } from './house.ts';

/** So many commands back; of a longer session nobody can tell. */
const MOST = 2000;

export async function historyOf(house: House, session: string, rules: Rules): Promise<History> {
  if (session === '' || !rules.policies.calls.some(({ looksBack }) => looksBack)) return NO_HISTORY;
  const released = await house.store.read((tx) => releasedIn(tx, session, MOST + 1));
  if (released.length > MOST) return NO_HISTORY;
  const earlier = released.flatMap((body) =>
    (Array.isArray(body['toolgate.calls']) ? (body['toolgate.calls'] as Fields[]) : [body]).map((call) =>
      deedIn(call, rules),
    ),
  );
  return { ...NO_HISTORY, earlier: () => earlier };
}

type Fields = Readonly<Record<string, unknown>>;

function deedIn(call: Fields, { catalog }: Rules): EarlierDeed {
  const titles = [call['toolgate.integration'], ...((call['toolgate.integration.also'] as string[] | undefined) ?? [])];
  const known = titles.filter((title) => typeof title === 'string');
  const ids = String(call['toolgate.tool'] ?? '').split('|');
  const operation = (call['toolgate.operation'] ?? null) as Operation | null;
  return {
    via: call['toolgate.via'] === 'mcp' ? 'mcp' : 'cli',
    integrations: known.map((title) => ({
      id: catalog.find(title)?.id ?? foldId(title),
      title,
      sure: known.length === 1,
    })),
    server: (call['toolgate.server'] as string | null | undefined) ?? null,
    calledName: String(call['gen_ai.tool.name'] ?? ''),
    tools: ids
      .filter((id) => id !== '')
      .map((id) => {
        const found = known.map((title) => catalog.find(title)?.tools.get(id)).find((each) => each !== undefined);
        return { id, title: found?.tool.title ?? id };
      }),
    possible: operation === null ? [] : [operation],
    toolStatus: (call['toolgate.tool.status'] ?? 'Unreviewed') as ReviewStatus,
    pending: false,
  };
}
