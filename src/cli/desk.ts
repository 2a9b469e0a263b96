/** `toolgate desk [--stop]`: runs or stops the desk by hand; gates start it when they need it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { setMeta } from '../config/rules.ts';
import { fillVariables } from '../config/servers.ts';
import { isLocked } from '../desk/lock.ts';
import { runDesk } from '../desk/run.ts';
import { messageOf } from '../errors.ts';
import type { Claimed } from '../notify/deliver.ts';
import { showOnDesktop } from '../notify/desktop.ts';
import { type Attempt, sendToSlack } from '../notify/slack.ts';
import { type House, type HouseFlags, openHouse } from './house.ts';
import { complain } from './output.ts';

const STOP_MS = 10_000;

export async function desk(flags: HouseFlags & { stop?: boolean }): Promise<number> {
  const house = await openHouse(flags);
  try {
    if (flags.stop) return await stopDesk(house);
    const stop = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort());
    await house.rules.load();
    const unwatch = house.rules.watch(() => {}, complain);
    const end = await runDesk({
      store: house.store,
      stateFolder: house.folders.state,
      send: (claimed) => send(house, claimed),
      log: complain,
      signal: stop.signal,
    });
    unwatch();
    if (end === 'busy') complain('a desk already runs for this store');
    return 0;
  } finally {
    await house.close();
  }
}

async function stopDesk(house: House): Promise<number> {
  if (!isLocked(house.folders.state)) {
    complain('no desk runs');
    return 0;
  }
  await house.store.write((tx) => setMeta(tx, 'desk_stop', String(Date.now())));
  const deadline = Date.now() + STOP_MS;
  while (Date.now() < deadline) {
    if (!isLocked(house.folders.state)) return 0;
    await sleep(100);
  }
  complain('the desk did not stop within 10 s');
  return 3;
}

async function send(house: House, claimed: Claimed): Promise<Attempt> {
  if (claimed.delivery.channel === 'desktop') return showOnDesktop(claimed.alert);
  const webhook = house.rules.current()?.rules?.policies.file.channels.slack?.webhook;
  if (webhook === undefined) return { kind: 'never', why: 'policies.yaml names no Slack channel any more' };
  try {
    return await sendToSlack(fillVariables(webhook, process.env, 'channels.slack'), claimed.alert, claimed.repeated);
  } catch (error) {
    return {
      kind: 'later',
      why: `${messageOf(error)}; set it where the agent starts toolgate, then: toolgate desk --stop`,
      waitMs: null,
    };
  }
}
