/** Lists of words, and of what stands in them once. */

/** Words as people write them, for looking one up. */
export function wordSet(list: string): ReadonlySet<string> {
  return new Set(list.split(' '));
}

export function unique<T>(items: readonly T[]): T[] {
  return [...new Set(items)];
}
