/** What every command stands on: folders, store, log and rules, opened once and closed in one place. */
import { userInfo } from 'node:os';
import type { ProcessRef, Waiter } from '../approvals/approval.ts';
import { type Book, createBook } from '../approvals/book.ts';
import { ownerReviewer, type ReviewerEntries } from '../approvals/reviewers.ts';
import { writeEvents } from '../audit/chain.ts';
import { createRecorder, type Recorder } from '../audit/recorder.ts';
import type { AlertChannel } from '../call.ts';
import type { CatalogFile } from '../catalog/schema.ts';
import { createRulesKeeper, type RulesKeeper } from '../config/keeper.ts';
import { type Folders, folders } from '../config/paths.ts';
import { createStatuses, type Statuses } from '../config/statuses.ts';
import { sha256 } from '../digest.ts';
import { getMeta } from '../store/meta.ts';
import { openStore, type Store } from '../store/store.ts';
import { isSameProcess, processId } from '../upstream/orphans.ts';
import { builtInCatalog } from './built-in.ts';

export const VERSION = '0.1.0';

export interface HouseFlags {
  readonly config?: string | undefined;
  readonly state?: string | undefined;
}

export interface House {
  readonly folders: Folders;
  readonly store: Store;
  readonly recorder: Recorder;
  readonly rules: RulesKeeper;
  readonly statuses: Statuses;
  /** the user of the operating system, whose the state folder is */
  readonly owner: string;
  readonly approvals: Book;
  /** whether a call still waits, here or in another process */
  readonly isWaiting: (waiter: Waiter) => boolean;
  /** the calls of this process that wait for an approval */
  readonly held: Set<string>;
  /** this process, as others can tell it */
  readonly process: ProcessRef;
  /** names the config folder in the store, which several may share */
  readonly configId: string;
  readonly ours: readonly CatalogFile[];
  readonly oursHash: string;
  /** key for digests of arguments */
  readonly digestKey: () => Promise<string>;
  readonly close: () => Promise<void>;
}

/** `judged`: what will be judged there; `brief`: as for `openStore`. */
export async function openHouse(flags: HouseFlags, judged: 'all' | 'commands' = 'all', brief = false): Promise<House> {
  const where = folders(flags);
  const store = openStore(where.state, brief);
  const recorder = createRecorder(store);
  const ours = await builtInCatalog(judged);
  let digestKey: string | null = null;
  const held = new Set<string>();
  const isWaiting = ({ pid, startedAt, callId }: Waiter) =>
    pid === process.pid ? held.has(callId) : isSameProcess(pid, startedAt);
  return {
    folders: where,
    store,
    recorder,
    rules: createRulesKeeper(store, where.config, ours),
    statuses: createStatuses(store),
    owner: userInfo().username,
    approvals: createBook(writeEvents, { isWaiting, isRunning: ({ pid, startedAt }) => isSameProcess(pid, startedAt) }),
    isWaiting,
    held,
    process: processId(process.pid) ?? { pid: process.pid, startedAt: null },
    configId: sha256(where.config),
    get ours() {
      return ours.whole();
    },
    oursHash: ours.hash,
    digestKey: async () => {
      digestKey ??= await store.read((tx) => getMeta(tx, 'digest_key')!);
      return digestKey;
    },
    close: async () => {
      await recorder.flush().catch(() => {});
      store.close();
    },
  };
}

/** The reviewer where no policy names any. */
export function ownerOf(house: House): string {
  return ownerReviewer(reviewersOf(house), house.owner);
}

export function reviewersOf(house: House): ReviewerEntries {
  return house.rules.current()?.rules?.policies.file.reviewers ?? {};
}

/** The channels that the rules in force name. */
export function channelsOf(house: House): AlertChannel[] {
  const channels = house.rules.current()?.rules?.policies.file.channels;
  return [
    ...(channels?.slack === undefined ? [] : (['slack'] as const)),
    ...(channels?.desktop === true ? (['desktop'] as const) : []),
  ];
}
