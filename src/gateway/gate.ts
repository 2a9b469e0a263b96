/** The upstreams behind the gate, what they expose, and what each tool means under the rules in force. */
import type { JSONRPCNotification } from '@modelcontextprotocol/client';
import type { Catalog } from '../catalog/load.ts';
import { type GatewayError, messageOf } from '../errors.ts';
import { Upstream } from '../upstream/connection.ts';
import type { UpstreamSpec } from '../upstream/schema.ts';
import { type KnownTool, type KnownUpstream, knowUpstream } from './door.ts';
import { Exposure, type Withheld } from './exposure.ts';

const FIRST_LIST_MS = 5000;
/** So many withheld tools are told of; a server that invents more is not worth more lines. */
const MAX_TOLD = 1000;

/** What the gate tells the rest of the house. */
export interface GateHooks {
  readonly log: (message: string) => void;
  /** an upstream's tools are about to be shown; resolves once they are in the inventory */
  readonly onTools: (upstream: Upstream, known: KnownUpstream) => Promise<void>;
  readonly onUpstreamFailed: (upstream: Upstream, error: GatewayError) => void;
  readonly onWithheld: (withheld: Withheld) => void;
  readonly onProcess: (pid: number, runs: boolean) => void;
}

export interface GateListener {
  readonly onListChanged: (list: 'tools' | 'prompts' | 'resources') => void;
  readonly onNotification: (upstream: Upstream, notification: JSONRPCNotification) => void;
}

export class Gate {
  readonly upstreams: readonly Upstream[];
  readonly exposure: Exposure;
  /** why configured servers are not running */
  readonly off: readonly string[];
  readonly #hooks: GateHooks;
  readonly #catalog: () => Catalog;
  readonly #listeners = new Set<GateListener>();
  readonly #told = new Set<string>();
  readonly #known = new Map<Upstream, KnownUpstream>();
  #tools: ReadonlyMap<string, KnownTool> = new Map();
  #shown = { tools: '', prompts: '', resources: '' };
  #rebuilding: Promise<void> = Promise.resolve();
  /** not started yet: the first request may come before that */
  #startedAt = performance.now();

  constructor(specs: readonly UpstreamSpec[], off: readonly string[], catalog: () => Catalog, hooks: GateHooks) {
    this.#catalog = catalog;
    this.#hooks = hooks;
    this.off = off;
    this.upstreams = specs.map(
      (spec) =>
        new Upstream(spec, {
          log: hooks.log,
          onProcess: hooks.onProcess,
          onChange: (upstream) => void this.#onChange(upstream),
          onNotification: (upstream, notification) => this.#onNotification(upstream, notification),
        }),
    );
    this.exposure = new Exposure(this.upstreams);
  }

  /** Starts every upstream, side by side; nothing waits for it. */
  start(): void {
    this.#startedAt = performance.now();
    for (const upstream of this.upstreams) upstream.start();
  }

  /**
   * Waits for the upstreams that are still starting and for what they list to be known; of `name`, only those that it
   * could belong to. All waiting ends five seconds after the start: a slow upstream appears later, by `list_changed`.
   */
  async ready(name?: string): Promise<void> {
    const awaited = this.upstreams.filter(
      ({ state, spec }) =>
        state.kind === 'starting' && (name === undefined || spec.prefix === '' || name.startsWith(`${spec.prefix}__`)),
    );
    const restMs = this.#startedAt + FIRST_LIST_MS - performance.now();
    if (awaited.length > 0 && restMs > 0) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, restMs);
      });
      await Promise.race([Promise.all(awaited.map(({ started }) => started)), late]);
      clearTimeout(timer);
    }
    await this.#rebuilding;
  }

  /** Why a list would be empty for no good reason; null if there is something to list, or nothing is configured. */
  silence(): string | null {
    if (this.upstreams.length === 0 && this.off.length === 0) return null;
    if (this.upstreams.some(({ state }) => state.kind === 'ready')) return null;
    const reasons = this.upstreams.map(({ spec, state }) =>
      state.kind === 'failed' ? state.error.message : `${spec.key} is still starting`,
    );
    return [...reasons, ...this.off].join('; ');
  }

  tool(exposedName: string): KnownTool | undefined {
    return this.#tools.get(exposedName);
  }

  /** Why a name that looks like a server's has no tool behind it; null if there is no such server. */
  faultOf(exposedName: string): string | null {
    for (const { spec, state } of this.upstreams) {
      if (state.kind === 'ready' || spec.prefix === '' || !exposedName.startsWith(`${spec.prefix}__`)) continue;
      return state.kind === 'failed' ? state.error.message : `${spec.key} is still starting: try again`;
    }
    const off = this.off.find((why) => exposedName.startsWith(`${why.split(' ')[0]}__`));
    return off ?? null;
  }

  known(upstream: Upstream): KnownUpstream {
    const found = this.#known.get(upstream);
    if (found !== undefined) return found;
    return knowUpstream(this.#catalog(), upstream, []);
  }

  listen(listener: GateListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The catalog changed: what each tool means is worked out anew. */
  reclassify(): Promise<void> {
    return this.#rebuild(this.upstreams);
  }

  async close(): Promise<void> {
    await Promise.all(this.upstreams.map((upstream) => upstream.close()));
  }

  async #onChange(upstream: Upstream): Promise<void> {
    if (upstream.state.kind === 'failed') this.#hooks.onUpstreamFailed(upstream, upstream.state.error);
    await this.#rebuild([upstream]);
  }

  /** One at a time: names are given in the order in which upstreams became known. Never rejects. */
  #rebuild(changed: readonly Upstream[]): Promise<void> {
    this.#rebuilding = this.#rebuilding.then(async () => {
      try {
        this.exposure.rebuild();
        for (const upstream of changed) await this.#learn(upstream);
        this.#tools = new Map([...this.#known.values()].flatMap(({ tools }) => [...tools]));
        this.#tellWithheld();
        this.#tellChanges();
      } catch (error) {
        this.#hooks.log(`the tools could not be listed anew: ${messageOf(error)}`);
      }
    });
    return this.#rebuilding;
  }

  async #learn(upstream: Upstream): Promise<void> {
    const exposed = [...this.exposure.tools.values()].filter((item) => item.upstream === upstream);
    const known = knowUpstream(this.#catalog(), upstream, exposed);
    this.#known.set(upstream, known);
    if (upstream.state.kind !== 'ready') return;
    // What isn't in the inventory has no review status but Unreviewed: it may be shown.
    await this.#hooks.onTools(upstream, known).catch((error) => this.#hooks.log(messageOf(error)));
  }

  #tellWithheld(): void {
    for (const withheld of this.exposure.withheld) {
      const sign = JSON.stringify(withheld);
      if (this.#told.has(sign) || this.#told.size > MAX_TOLD) continue;
      this.#told.add(sign);
      this.#hooks.onWithheld(withheld);
    }
  }

  #tellChanges(): void {
    const now = {
      tools: JSON.stringify(this.exposure.toolList()),
      prompts: JSON.stringify(this.exposure.promptList()),
      resources: JSON.stringify([this.exposure.resourceList(), this.exposure.templateList()]),
    };
    const before = this.#shown;
    this.#shown = now;
    for (const list of ['tools', 'prompts', 'resources'] as const) {
      if (now[list] !== before[list]) for (const listener of this.#listeners) listener.onListChanged(list);
    }
  }

  /** Log messages carry their server's key: an upstream doesn't speak as another, nor as toolgate. */
  #onNotification(upstream: Upstream, notification: JSONRPCNotification): void {
    const { method, params } = notification;
    if (method === 'notifications/message') {
      const mask = upstream.logMask;
      const masked = mask === null ? params : (mask(params) as typeof params);
      const logger =
        typeof masked?.['logger'] === 'string' ? `${upstream.spec.key}/${masked['logger']}` : upstream.spec.key;
      this.#tell(upstream, { ...notification, params: { ...masked, logger } });
    } else if (method === 'notifications/resources/updated' && typeof params?.['uri'] === 'string')
      this.#tell(upstream, notification);
  }

  #tell(upstream: Upstream, notification: JSONRPCNotification): void {
    for (const listener of this.#listeners) listener.onNotification(upstream, notification);
  }
}
