/** The rules that a command looks at. */
import { type LoadedRules, type Rules, rulesFault } from '../config/rules.ts';
import type { House } from './house.ts';
import { complain } from './output.ts';

/** As they are in force; null, and said, if there are none. */
export async function rulesHere(house: House): Promise<(LoadedRules & { readonly rules: Rules }) | null> {
  const loaded = await house.rules.load();
  const { rules } = loaded;
  if (rules !== null) return { ...loaded, rules };
  complain(rulesFault(loaded));
  return null;
}
