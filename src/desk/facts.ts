/** What the store says of the desk: for those who look for it, and need nothing else of it. */
import { getMeta } from '../store/meta.ts';
import type { Transaction } from '../store/store.ts';

/** Of the desk that runs, or ran last. */
export interface DeskFacts {
  readonly id: string;
  readonly pid: number;
  readonly startedAt: number;
  readonly port: number;
}

export function deskFacts(tx: Transaction): DeskFacts | null {
  const text = getMeta(tx, 'desk');
  return text === null ? null : JSON.parse(text);
}
