import { readDuration } from '../duration.ts';

/** `30m`, `2h`, `7d` ago, or a time, as milliseconds since the epoch; null if it is neither. */
export function sinceOf(text: string): number | null {
  const ms = readDuration(text);
  if (ms !== null) return Date.now() - ms;
  const time = Date.parse(text);
  return Number.isNaN(time) ? null : time;
}
