/** What an agent's session was let do before, by its hooks, as the record has it: each hook is a process of its own. */

import { releasedIn } from '../audit/tool-uses.ts';
import type { Rules } from '../config/rules.ts';
import { type History, NO_HISTORY } from './history.ts';
import type { House } from './house.ts';
import { deedIn, fieldsOf } from './recorded-deeds.ts';

/** So many commands back; of a longer session nobody can tell. */
const MOST = 2000;

export async function historyOf(house: House, session: string, rules: Rules): Promise<History> {
  if (session === '' || !rules.policies.calls.some(({ looksBack }) => looksBack)) return NO_HISTORY;
  const released = await house.store.read((tx) => releasedIn(tx, session, MOST + 1));
  if (released.length > MOST) return NO_HISTORY;
  const earlier = released.flatMap((body) =>
    fieldsOf(body).map((call) => ({ ...deedIn(call, rules.catalog), pending: false })),
  );
  return { ...NO_HISTORY, earlier: () => earlier };
}
