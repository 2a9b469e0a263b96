/** Lists of words, and of what stands in them once. */
import { once } from '../once.ts';

export type Words = Pick<ReadonlySet<string>, 'has'>;

/** Words as people write them, for looking one up. Of all the lists that there are a hook looks into few. */
export function wordSet(list: string): Words {
  const words = once(() => new Set(list.split(' ')));
  return { has: (word) => words().has(word) };
}

export function unique<T>(items: readonly T[]): T[] {
  return [...new Set(items)];
}
