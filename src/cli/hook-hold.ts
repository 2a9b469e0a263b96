/** Holds a command that an agent's hook asks about until a person has answered; most commands never come here. */
import type { Judged, Ruling } from '../flow.ts';
import { wakeDesk } from './desk-process.ts';
import { createHolder, type Held } from './hold.ts';
import type { House } from './house.ts';
import { complain } from './output.ts';

/** Its question outlives this process: the same command may be asked about again, and is then the same question. */
export async function holdLine(
  house: House,
  judged: Judged,
  held: Omit<Held, 'tell'>,
  digestKey: string,
): Promise<Ruling> {
  const holder = createHolder(house, {
    gate: null,
    sessionId: judged.gathered.surroundings.session,
    digestKey,
    wakeDesk: () => wakeDesk(house),
    log: complain,
  });
  const unwatch = house.rules.watch(
    async () => holder.rulesChanged(),
    () => {},
  );
  try {
    return await holder.hold(judged, { ...held, tell: () => {} });
  } finally {
    unwatch();
  }
}
