/** What was found in a shell line so far: calls, what can't be resolved, and code that nobody sees. Pure. */
import type { CommandCall } from './command.ts';
import type { Catalog, Integration } from './load.ts';
import { holdsCall, mentions } from './mentions.ts';

/** Something whose operation can't be told. */
export interface Unresolved {
  /** those it may concern */
  readonly integrations: 'every' | readonly Integration[];
  readonly why: string;
}

export interface Reading {
  readonly calls: readonly CommandCall[];
  readonly unresolved: readonly Unresolved[];
  /** programs that run code which is not in the line */
  readonly opaque: readonly string[];
  /** the folders that its git commands work in: what git knows there is to be read, and the line once more */
  readonly gitFolders: ReadonlySet<string>;
}

export class Findings implements Reading {
  readonly calls: CommandCall[] = [];
  readonly unresolved: Unresolved[] = [];
  readonly opaque: string[] = [];
  readonly gitFolders = new Set<string>();
  readonly #catalog: Catalog;
  /** of the calls, to tell which is there already */
  readonly #keys = new Set<string>();

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  /** What is read twice is there once: a function where it stands and where it is called, a loop. */
  add(call: CommandCall): void {
    const { integration, name, possible, tools, canonical, argument } = call;
    const key = JSON.stringify([integration.id, name, possible, tools, canonical.map(argument)]);
    if (this.#keys.has(key)) return;
    this.#keys.add(key);
    this.calls.push(call);
  }

  every(why: string): void {
    this.unresolved.push({ integrations: 'every', why });
  }

  /** What may concern these; nothing if there are none. Says whether there are any. */
  some(integrations: readonly Integration[], why: string): boolean {
    if (integrations.length > 0) this.unresolved.push({ integrations, why });
    return integrations.length > 0;
  }

  /** The integrations whose programs or API hosts stand in a text. Says whether there are any. */
  mentioned(text: string, why: string): boolean {
    const lower = text.toLowerCase();
    const found = this.#where(
      ({ commands, apiHosts }) =>
        [...commands].some(([name, command]) => mentions(lower, name, command)) || speaksOfHost(lower, apiHosts),
    );
    return this.some(found, why);
  }

  /** The integrations of whose programs words hold a call. Says whether there are any. */
  holding(words: readonly string[], why: string): boolean {
    const found = this.#where(({ commands }) =>
      [...commands].some(([program, command]) => holdsCall(words, program, command)),
    );
    return this.some(found, why);
  }

  /** The integrations whose API hosts stand in a text. */
  hostsIn(text: string): Integration[] {
    return this.#where(({ apiHosts }) => speaksOfHost(text, apiHosts));
  }

  #where(fits: (integration: Integration) => boolean): Integration[] {
    return [...this.#catalog.integrations.values()].filter(fits);
  }
}

function speaksOfHost(text: string, hosts: readonly string[]): boolean {
  const lower = text.toLowerCase();
  return hosts.some((host) => lower.includes(host.replace(/^\*\.?/, '').toLowerCase()));
}
