/** What a session was allowed to do so far, each deed once however often it was done. */
import { type Call, type Deed, deedOf, type EarlierDeed, isSameDeed } from '../call.ts';

export interface History {
  /** done, or on its way; one call left out that is being judged */
  readonly earlier: (exceptCallId?: string) => readonly EarlierDeed[] | null;
  /** it may run, if nobody objects */
  readonly begin: (callId: string, calls: readonly Call[]) => void;
  /** it runs */
  readonly keep: (callId: string) => void;
  /** it doesn't run */
  readonly forget: (callId: string) => void;
}

/** Of a process that lives for one call: what the session did before nobody can tell, and strictness decides. */
export const NO_HISTORY: History = { earlier: () => null, begin: () => {}, keep: () => {}, forget: () => {} };

export function createHistory(): History {
  const done: EarlierDeed[] = [];
  /** the same by the name that was called, to be found fast */
  const byName = new Map<string, Deed[]>();
  /** by call: only what isn't done yet */
  const onTheWay = new Map<string, readonly EarlierDeed[]>();
  let all: readonly EarlierDeed[] = [];
  const isDone = (deed: Deed) => byName.get(deed.calledName)?.some((each) => isSameDeed(each, deed)) ?? false;
  const collect = () => {
    all = [...done, ...[...onTheWay.values()].flat()];
  };
  return {
    earlier: (exceptCallId) =>
      exceptCallId === undefined || !onTheWay.has(exceptCallId)
        ? all
        : [...done, ...[...onTheWay].flatMap(([callId, deeds]) => (callId === exceptCallId ? [] : deeds))],
    begin: (callId, calls) => {
      const deeds = calls.filter((call) => !isDone(call)).map((call) => ({ ...deedOf(call), pending: true }));
      if (deeds.length === 0) return;
      onTheWay.set(callId, deeds);
      collect();
    },
    keep: (callId) => {
      for (const deed of onTheWay.get(callId) ?? []) {
        if (isDone(deed)) continue;
        done.push({ ...deed, pending: false });
        byName.set(deed.calledName, [...(byName.get(deed.calledName) ?? []), deed]);
      }
      if (onTheWay.delete(callId)) collect();
    },
    forget: (callId) => {
      if (onTheWay.delete(callId)) collect();
    },
  };
}
