/** One upstream: connected in the background, its lists kept, connected again when it goes away. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CLIENT_CAPABILITIES_META_KEY,
  Client,
  type JSONRPCNotification,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';
import { z } from 'zod';
import type { JsonObject } from '../call.ts';
import { isDeeperThan } from '../digest.ts';
import { GatewayError, messageOf, toGatewayError } from '../errors.ts';
import { createMask, type Mask } from '../mask.ts';
import { visibleLine } from '../problem.ts';
import { redactText } from '../redact.ts';
import { type Answer, errorAnswer, resultAnswer, stripOurMeta } from './answers.ts';
import type { UpstreamSpec } from './schema.ts';
import { MAX_RESULT_BYTES, type Progress, StdioUpstream, tooLarge } from './stdio.ts';

const LISTS = {
  tools: { method: 'tools/list', field: 'tools' },
  resources: { method: 'resources/list', field: 'resources' },
  templates: { method: 'resources/templates/list', field: 'resourceTemplates' },
  prompts: { method: 'prompts/list', field: 'prompts' },
} as const;

type ListName = keyof typeof LISTS;

/** An entry of a list, with every field that the upstream gave it. */
export type ListItem = JsonObject & { readonly name?: string; readonly uri?: string; readonly uriTemplate?: string };

export interface Lists {
  readonly tools: readonly ListItem[];
  readonly resources: readonly ListItem[];
  readonly templates: readonly ListItem[];
  readonly prompts: readonly ListItem[];
}

const NO_LISTS: Lists = { tools: [], resources: [], templates: [], prompts: [] };
const MAX_PAGES = 200;
const MAX_ITEMS = 10_000;
const MAX_ITEM_DEPTH = 100;
const PROBE_MS = 5000;
const LIST_MS = 30_000;
/** How soon after one reading of a list the next may begin. */
const REFRESH_INTERVAL_MS = 100;
const RECONNECT_MS = [500, 1000, 2000, 5000, 15_000, 60_000] as const;

export type UpstreamState =
  | { readonly kind: 'starting' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly error: GatewayError }
  | { readonly kind: 'closed' };

export interface UpstreamEvents {
  /** its state or one of its lists changed */
  readonly onChange: (upstream: Upstream) => void;
  /** a log message or a resource update, to be passed on */
  readonly onNotification: (upstream: Upstream, notification: JSONRPCNotification) => void;
  readonly log: (message: string) => void;
  /** a process of its own was started, or has ended */
  readonly onProcess: (pid: number, runs: boolean) => void;
}

/** What one call asks for; `paramsOf` gives its params as JSON text, with the progress token to use. */
export interface UpstreamCall {
  readonly method: string;
  readonly params: JsonObject;
  readonly onProgress: ((progress: Progress) => void) | null;
  readonly signal: AbortSignal | null;
  /** the client can be asked for more by the result, and then calls again (protocol of 2026) */
  readonly acceptsInput: boolean;
}

const anyResult = z.looseObject({});

export class Upstream {
  readonly spec: UpstreamSpec;
  state: UpstreamState = { kind: 'starting' };
  lists: Lists = NO_LISTS;
  instructions: string | undefined;
  serverInfo: { readonly name: string; readonly version: string } | undefined;
  capabilities: Readonly<Record<string, unknown>> = {};
  /** resolves when the first attempt to connect has ended, well or not; never rejects */
  readonly started: Promise<void>;
  readonly #firstAttempt = Promise.withResolvers<void>();
  readonly #events: UpstreamEvents;
  #client: Client | null = null;
  #stdio: StdioUpstream | null = null;
  readonly #masked = new Set<string>();
  #failures = 0;
  #timer: NodeJS.Timeout | null = null;
  #connecting: Promise<void> | null = null;
  #refreshing = new Map<ListName, { again: boolean; done: Promise<void> }>();

  constructor(spec: UpstreamSpec, events: UpstreamEvents) {
    this.spec = spec;
    this.#events = events;
    this.started = this.#firstAttempt.promise;
  }

  /** Connects in the background, and again whenever it goes away. */
  start(): void {
    void this.#connect().then(this.#firstAttempt.resolve);
  }

  /** Sends one judged request. Throws `upstream_unavailable`, `timeout`, `result_too_large`. */
  async call(call: UpstreamCall): Promise<Answer> {
    if (call.signal?.aborted === true) throw new GatewayError('timeout', 'the call was cancelled before it was sent');
    await this.#ready();
    if (this.#stdio !== null)
      return this.#stdio.call(
        call.method,
        (token) => paramsText(call.params, call.onProgress === null ? null : token),
        call.onProgress,
        call.signal,
      );
    return this.#callThroughSdk(call);
  }

  /** What is taken out of its log messages from now on, beside what already is (`mask.ts`). */
  maskLogs(items: readonly string[]): void {
    for (const item of items) this.#masked.add(item);
  }

  get logMask(): Mask | null {
    return createMask([...this.#masked]);
  }

  /** A request of the gateway's own, such as `logging/setLevel`. */
  async ask(method: string, params: JsonObject): Promise<void> {
    if (this.#client === null || this.state.kind !== 'ready') return;
    await this.#client.request({ method, params: params as Record<string, unknown> }, anyResult, { timeout: LIST_MS });
  }

  async close(): Promise<void> {
    this.state = { kind: 'closed' };
    if (this.#timer !== null) clearTimeout(this.#timer);
    const [client, stdio] = [this.#client, this.#stdio];
    this.#client = null;
    await stdio?.close();
    await client?.close().catch(() => {});
  }

  #connect(): Promise<void> {
    this.#connecting ??= this.#attempt().finally(() => {
      this.#connecting = null;
    });
    return this.#connecting;
  }

  async #attempt(): Promise<void> {
    const { launch } = this.spec;
    const stdio =
      launch.kind === 'stdio' ? new StdioUpstream(this.spec, launch, this.#events.log, this.#events.onProcess) : null;
    const client = this.#newClient();
    try {
      const transport = stdio ?? this.#httpTransport();
      client.onclose = () => this.#onClose(client);
      this.#stdio = stdio;
      await client.connect(transport, { timeout: this.spec.startupTimeoutMs });
      this.#client = client;
      this.serverInfo = client.getServerVersion();
      this.instructions = client.getInstructions();
      this.capabilities = (client.getServerCapabilities() ?? {}) as Record<string, unknown>;
      const lists = await Promise.all(listNames().map((name) => this.#fetchList(client, name)));
      if (this.#isClosed()) return await this.close();
      this.lists = Object.fromEntries(listNames().map((name, index) => [name, lists[index]!])) as unknown as Lists;
      this.#failures = 0;
      this.#setState({ kind: 'ready' });
    } catch (error) {
      client.onclose = () => {};
      await stdio?.close();
      await client.close().catch(() => {});
      this.#fail(this.#startError(error, stdio));
    }
  }

  #newClient(): Client {
    const client = new Client(
      { name: 'toolgate', version: '0.1.0' },
      // Over stdio a probe would start a second process; every server there answers `initialize`.
      {
        capabilities: {},
        // What an upstream asks for is the client's to give, or nobody's.
        inputRequired: { autoFulfill: false },
        ...(this.spec.launch.kind === 'http' && {
          versionNegotiation: { mode: 'auto', probe: { timeoutMs: PROBE_MS } },
        }),
      },
    );
    client.onerror = (error) =>
      this.#events.log(`${this.spec.key}: ${visibleLine(redactText(messageOf(error))).slice(0, 300)}`);
    client.fallbackNotificationHandler = async (notification) =>
      this.#onNotification(notification as JSONRPCNotification);
    return client;
  }

  #httpTransport(): StreamableHTTPClientTransport {
    const launch = this.spec.launch as UpstreamSpec['launch'] & { kind: 'http' };
    return new StreamableHTTPClientTransport(new URL(launch.url), { requestInit: { headers: { ...launch.headers } } });
  }

  #startError(error: unknown, stdio: StdioUpstream | null): GatewayError {
    if (error instanceof GatewayError) return error;
    const said = visibleLine(redactText(`${messageOf(error)}${causeOf(error)}`)).slice(0, 300);
    return new GatewayError(
      'upstream_unavailable',
      `${this.spec.key} did not start: ${said}${stdio?.lastWords() ?? ''}`,
      { cause: error },
    );
  }

  #isClosed(): boolean {
    return this.state.kind === 'closed';
  }

  #setState(state: UpstreamState): void {
    if (this.#isClosed()) return;
    this.state = state;
    this.#events.onChange(this);
  }

  #onClose(client: Client): void {
    if (this.#client !== client || this.#isClosed()) return;
    this.#fail(new GatewayError('upstream_unavailable', `${this.spec.key} went away${this.#stdio?.lastWords() ?? ''}`));
  }

  #fail(error: GatewayError): void {
    if (this.#isClosed()) return;
    this.#client = null;
    this.#stdio = null;
    this.#setState({ kind: 'failed', error });
    const wait = RECONNECT_MS[Math.min(this.#failures++, RECONNECT_MS.length - 1)]!;
    this.#timer = setTimeout(() => this.#connect(), wait).unref();
  }

  /** A call to an upstream that went away waits for one more attempt, no longer than a start may take. */
  async #ready(): Promise<void> {
    if (this.state.kind === 'ready') return;
    if (!this.#isClosed()) await this.#connect();
    const { state } = this as { state: UpstreamState };
    if (state.kind === 'ready') return;
    throw state.kind === 'failed'
      ? state.error
      : new GatewayError('upstream_unavailable', `${this.spec.key} is closed`);
  }

  async #callThroughSdk(call: UpstreamCall): Promise<Answer> {
    const client = this.#client!;
    const { progressToken: _, ...given } = (call.params['_meta'] ?? {}) as Record<string, unknown>;
    const meta = {
      ...given,
      // What this client can do, for this call: the connection is every client's.
      ...(call.acceptsInput &&
        client.getProtocolEra() === 'modern' && { [CLIENT_CAPABILITIES_META_KEY]: { elicitation: {} } }),
    };
    try {
      const result = await client.request(
        {
          method: call.method,
          params: { ...call.params, ...(Object.keys(meta).length > 0 && { _meta: meta }) } as Record<string, unknown>,
        },
        anyResult,
        {
          timeout: this.spec.timeoutMs,
          resetTimeoutOnProgress: true,
          allowInputRequired: call.acceptsInput,
          ...(call.signal !== null && { signal: call.signal }),
          ...(call.onProgress !== null && { onprogress: call.onProgress }),
        },
      );
      // The SDK hands notifications on a little later than answers: progress comes before what it led to.
      if (call.onProgress !== null) await new Promise(setImmediate);
      labelInputRequests(result, this.spec.key);
      const text = JSON.stringify(result);
      if (Buffer.byteLength(text) > MAX_RESULT_BYTES) throw tooLarge(this.spec.key);
      return resultAnswer(text, result);
    } catch (error) {
      return answerOfThrown(error, this.spec.key, call.signal);
    }
  }

  /** Reads a list again: one reading at a time and one more after it, however often it is said to have changed. */
  #refresh(name: ListName): Promise<void> {
    const running = this.#refreshing.get(name);
    if (running !== undefined) {
      running.again = true;
      return running.done;
    }
    const state = { again: false, done: Promise.resolve() };
    this.#refreshing.set(name, state);
    state.done = this.#reread(name)
      .catch((error) => this.#events.log(`${this.spec.key}: ${messageOf(error)}`))
      .then(async () => {
        await sleep(REFRESH_INTERVAL_MS, undefined, { ref: false });
        this.#refreshing.delete(name);
        if (state.again) void this.#refresh(name);
      });
    return state.done;
  }

  async #reread(name: ListName): Promise<void> {
    const client = this.#client;
    if (client === null) return;
    const items = await this.#fetchList(client, name);
    if (this.#client !== client) return;
    this.lists = { ...this.lists, [name]: items };
    this.#events.onChange(this);
  }

  /** All pages of a list. An empty text is a cursor like any other; a server that never ends is cut off. */
  async #fetchList(client: Client, name: ListName): Promise<readonly ListItem[]> {
    const { method, field } = LISTS[name];
    const capability = name === 'templates' ? 'resources' : name;
    if (client.getServerCapabilities()?.[capability as 'tools'] === undefined) return [];
    const items: ListItem[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < MAX_PAGES; page++) {
      let result: Record<string, unknown>;
      try {
        result = await client.request({ method, params: cursor === undefined ? {} : { cursor } }, anyResult, {
          timeout: LIST_MS,
        });
      } catch (error) {
        // Many servers offer resources but no templates.
        if (name === 'templates' && (error as { code?: unknown }).code === -32601) return [];
        throw error;
      }
      const entries = result[field];
      if (Array.isArray(entries)) items.push(...entries.filter(isListItem));
      if (items.length > MAX_ITEMS)
        throw new GatewayError('upstream_unavailable', `${this.spec.key} lists more than ${MAX_ITEMS} ${name}`);
      if (typeof result['nextCursor'] !== 'string') {
        stripOurMeta(items);
        return items;
      }
      cursor = result['nextCursor'];
    }
    throw new GatewayError(
      'upstream_unavailable',
      `${this.spec.key} lists its ${name} on more than ${MAX_PAGES} pages`,
    );
  }

  #onNotification(notification: JSONRPCNotification): void {
    switch (notification.method) {
      case 'notifications/tools/list_changed':
        void this.#refresh('tools');
        return;
      case 'notifications/prompts/list_changed':
        void this.#refresh('prompts');
        return;
      case 'notifications/resources/list_changed':
        void this.#refresh('resources');
        void this.#refresh('templates');
        return;
      default:
        stripOurMeta(notification);
        this.#events.onNotification(this, notification);
    }
  }
}

/** The system's own word for what failed, such as ECONNREFUSED; a URL never, it may hold a key. */
function causeOf(error: unknown): string {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as { code?: unknown };
    if (typeof code === 'string' && /^E[A-Z]+$/.test(code)) return ` (${code})`;
  }
  return '';
}

/**
 * A person who is asked must see who asks. Anything but a question to the user, such as sampling with what other
 * servers have said, is not handed on.
 */
function labelInputRequests(result: Record<string, unknown>, key: string): void {
  if (result['resultType'] !== 'input_required') return;
  for (const request of Object.values((result['inputRequests'] ?? {}) as Record<string, unknown>)) {
    const { method, params } = (request ?? {}) as { method?: unknown; params?: { message?: unknown } };
    if (method !== 'elicitation/create' || typeof params?.message !== 'string')
      throw new GatewayError(
        'upstream_unavailable',
        `${key} asks the client for ${visibleLine(String(method))}, which toolgate does not hand on`,
      );
    params.message = `[${key}] ${params.message}`;
  }
}

/** An entry that can be shown: an object no deeper than schemas are. */
function isListItem(entry: unknown): entry is ListItem {
  return entry !== null && typeof entry === 'object' && !Array.isArray(entry) && !isDeeperThan(entry, MAX_ITEM_DEPTH);
}

function listNames(): ListName[] {
  return Object.keys(LISTS) as ListName[];
}

/** The judged params as text. The client's own progress token never goes upstream. */
function paramsText(params: JsonObject, progressToken: number | null): string {
  const meta = params['_meta'] as JsonObject | undefined;
  if (meta === undefined && progressToken === null) return JSON.stringify(params);
  const { progressToken: _, ...rest } = meta ?? {};
  return JSON.stringify({ ...params, _meta: progressToken === null ? rest : { ...rest, progressToken } });
}

function answerOfThrown(error: unknown, key: string, signal: AbortSignal | null): Answer {
  if (error instanceof GatewayError) throw error;
  const { code, data } = error as { code?: unknown; data?: unknown };
  if (signal?.aborted) throw new GatewayError('timeout', 'the call was cancelled', { cause: error });
  if (typeof code === 'number') {
    const message = messageOf(error).replace(/^(MCP error -?\d+: )+/, '');
    return errorAnswer({ code, message, data });
  }
  if (code === 'REQUEST_TIMEOUT') throw new GatewayError('timeout', `${key} gave no answer in time`, { cause: error });
  throw toGatewayError(
    new GatewayError('upstream_unavailable', `${key}: ${visibleLine(redactText(messageOf(error)))}`, { cause: error }),
  );
}
