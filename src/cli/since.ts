import { readDuration } from '../duration.ts';

/** `30m`, `2h`, `7d` ago, or a time that has passed, as milliseconds since the epoch; null if it is neither. */
export function sinceOf(text: string, now = Date.now()): number | null {
  const ms = readDuration(text);
  if (ms !== null) return now - ms;
  const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) || time > now ? null : time;
}
