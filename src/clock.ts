/** Milliseconds that only go up, from any start. `performance` says the same, and loads a part of Node that a hook does without. */
export function monotonicNow(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
