/** The words that policies may use. */
import type { Operation } from '../call.ts';

/** The words that policies may use: what the catalog and servers.json know. */
export interface Vocabulary {
  readonly integrations: readonly IntegrationWords[];
  /** keys of servers.json */
  readonly servers: readonly string[];
  /** the integrations that these servers surely are; null if one of them may be any */
  readonly offered: readonly string[] | null;
}

export interface IntegrationWords {
  readonly id: string;
  readonly title: string;
  readonly aliases: readonly string[];
  /** titles, ids and called names; empty if its tools aren't known */
  readonly tools: readonly string[];
  /** for messages: titles only */
  readonly toolTitles: readonly string[];
  /** what each tool does; `fixed`: whatever its arguments */
  readonly facts: readonly {
    readonly id: string;
    readonly title: string;
    readonly operation: Operation;
    readonly fixed: boolean;
  }[];
}
