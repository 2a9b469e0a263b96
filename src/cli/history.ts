/** What a session was allowed to do so far, each deed once however often it was done. */
import { type Call, type Deed, deedKey } from '../call.ts';

export interface History {
  /** done, or on its way; one call left out that is being judged */
  readonly earlier: (exceptCallId?: string) => readonly Deed[];
  /** it may run, if nobody objects */
  readonly begin: (callId: string, calls: readonly Call[]) => void;
  /** it runs */
  readonly keep: (callId: string) => void;
  /** it doesn't run */
  readonly forget: (callId: string) => void;
}

export function createHistory(): History {
  const done = new Map<string, Deed>();
  /** by call: only what isn't done yet */
  const onTheWay = new Map<string, readonly Deed[]>();
  let all: readonly Deed[] = [];
  const collect = () => {
    all = [...done.values(), ...[...onTheWay.values()].flat()];
  };
  return {
    earlier: (exceptCallId) =>
      exceptCallId === undefined || !onTheWay.has(exceptCallId)
        ? all
        : [...done.values(), ...[...onTheWay].flatMap(([callId, deeds]) => (callId === exceptCallId ? [] : deeds))],
    begin: (callId, calls) => {
      const deeds = calls.filter((call) => !done.has(deedKey(call))).map(deedOf);
      if (deeds.length === 0) return;
      onTheWay.set(callId, deeds);
      collect();
    },
    keep: (callId) => {
      const deeds = onTheWay.get(callId);
      if (deeds === undefined) return;
      for (const deed of deeds) done.set(deedKey(deed), deed);
      onTheWay.delete(callId);
      collect();
    },
    forget: (callId) => {
      if (onTheWay.delete(callId)) collect();
    },
  };
}

function deedOf({ via, integrations, server, calledName, tools, possible, toolStatus }: Call): Deed {
  return { via, integrations, server, calledName, tools, possible, toolStatus };
}
