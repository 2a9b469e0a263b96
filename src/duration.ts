const UNITS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `30s`, `10m`, `2h`, `1d` in milliseconds; null if it is none of these, or nothing. */
export function readDuration(text: string): number | null {
  const match = /^(\d{1,6})(s|m|h|d)$/.exec(text.trim());
  return match !== null && Number(match[1]) > 0 ? Number(match[1]) * UNITS[match[2]!]! : null;
}

/** The shortest way to write it: `90s`, `10m`, `1d`; rounded up to whole seconds. */
export function durationText(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  for (const unit of ['d', 'h', 'm'] as const) {
    const size = UNITS[unit]! / 1000;
    if (seconds >= size && seconds % size === 0) return `${seconds / size}${unit}`;
  }
  return `${seconds}s`;
}
