/**
 * For a test that says how long processes may take by the clock on the wall: a machine that is busy with something else may
 * disturb it once or twice, while what is really slow is slow each time. Only for those; a race is never to be tried again.
 */
export const TIMED = { retry: 2 } as const;

/** How many milliseconds of processor time this process takes for `work`: what else the machine does doesn't count. */
export function processorMs(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
