/** One client's connection: every method of the protocol by a closed table. What isn't in it is refused. */
import { type Call, isObject, type JsonObject, type ReviewStatus } from '../call.ts';
import { GatewayError } from '../errors.ts';
import type { Upstream } from '../upstream/connection.ts';
import type { Progress } from '../upstream/stdio.ts';
import { normaliseArguments } from './arguments.ts';
import {
  askUpstream,
  type DoorPorts,
  INTERNAL_ERROR,
  isReadMethod,
  type KnownTool,
  type ReadMethod,
  type Reply,
  readCall,
  refusalReply,
  toolCall,
} from './door.ts';
import type { Gate } from './gate.ts';

const INVALID_PARAMS = -32602;
const METHOD_NOT_FOUND = -32601;

/** How a request in progress talks back to its client. */
export interface Exchange {
  readonly signal: AbortSignal | null;
  /** null if the client asked for no progress */
  readonly onProgress: ((progress: Progress) => void) | null;
  /** the client understands a result that asks it for more (protocol of 2026) */
  readonly acceptsInput: boolean;
}

export interface SessionPorts {
  readonly door: DoorPorts;
  readonly statusOf: (known: KnownTool) => ReviewStatus;
}

/** Fixed, whatever the upstreams offer, so that `initialize` need not wait for them. */
export const CAPABILITIES = {
  tools: { listChanged: true },
  resources: { listChanged: true, subscribe: true },
  prompts: { listChanged: true },
  completions: {},
  logging: {},
} as const;

/** What a connection to the SDK's server does not handle by itself. */
export class Session {
  readonly #gate: Gate;
  readonly #ports: SessionPorts;
  readonly #subscriptions = new Map<string, { readonly upstream: Upstream; readonly judged: JsonObject }>();

  constructor(gate: Gate, ports: SessionPorts) {
    this.#gate = gate;
    this.#ports = ports;
  }

  async handle(method: string, params: JsonObject, exchange: Exchange): Promise<Reply> {
    switch (method) {
      case 'tools/list':
        return this.#list(params, 'tools', () => this.#gate.exposure.toolList());
      case 'prompts/list':
        return this.#list(params, 'prompts', () => this.#gate.exposure.promptList());
      case 'resources/list':
        return this.#list(params, 'resources', () => this.#gate.exposure.resourceList());
      case 'resources/templates/list':
        return this.#list(params, 'resourceTemplates', () => this.#gate.exposure.templateList());
      case 'tools/call':
        return this.#callTool(params, exchange);
      case 'logging/setLevel':
        return this.#setLevel(params);
      case 'resources/unsubscribe':
        return this.#unsubscribe(params);
      default:
        if (isReadMethod(method)) return this.#read(method, params, exchange);
        return fault(METHOD_NOT_FOUND, `toolgate does not carry the method "${method}"`);
    }
  }

  async #list(params: JsonObject, field: string, items: () => readonly JsonObject[]): Promise<Reply> {
    if (params['cursor'] !== undefined) return fault(INVALID_PARAMS, 'unknown cursor: this list has one page');
    await this.#gate.ready();
    const silence = this.#gate.silence();
    if (silence !== null) return fault(INTERNAL_ERROR, `no server behind toolgate is ready: ${silence}`);
    return { kind: 'value', value: { [field]: items() } };
  }

  async #callTool(params: JsonObject, exchange: Exchange): Promise<Reply> {
    const { name } = params;
    if (typeof name !== 'string') return fault(INVALID_PARAMS, 'the request names no tool');
    if (params['task'] !== undefined)
      return fault(INVALID_PARAMS, 'toolgate does not carry tasks: call the tool without "task"');
    let known = this.#gate.tool(name);
    if (known === undefined) {
      await this.#gate.ready(name);
      known = this.#gate.tool(name);
    }
    if (known === undefined) {
      const why = this.#gate.faultOf(name);
      return why === null
        ? fault(INVALID_PARAMS, `Unknown tool: ${name}`)
        : refusalReply('tools/call', { text: `toolgate: ${name} can't be called: ${why}`, meta: {} });
    }
    const args = normaliseArguments(params['arguments']);
    if (args === null) return fault(INVALID_PARAMS, '"arguments" must be an object');
    const upstreamParams = rebuilt(params, {
      name: known.exposed.name,
      ...(params['arguments'] !== undefined && { arguments: args }),
    });
    return askUpstream(
      {
        method: 'tools/call',
        upstream: known.exposed.upstream,
        params: upstreamParams,
        classify: () => {
          // While it was held its definition, or its upstream's state, may have changed.
          const now = this.#gate.tool(name);
          if (now === undefined)
            throw new GatewayError('upstream_unavailable', this.#gate.faultOf(name) ?? `${name} is no longer offered`);
          return toolCall(now, args, this.#ports.statusOf(now));
        },
        ...exchange,
      },
      this.#ports.door,
    );
  }

  async #read(method: ReadMethod, params: JsonObject, exchange: Exchange): Promise<Reply> {
    await this.#gate.ready();
    const found =
      method === 'prompts/get'
        ? this.#promptOf(params)
        : method === 'completion/complete'
          ? this.#referenceOf(params)
          : this.#resourceOf(params);
    if ('fault' in found) return fault(found.code, found.fault, found.data);
    const classify = () => readCall(method, found.upstream, this.#gate.known(found.upstream).recognised, found.judged);
    const reply = await askUpstream(
      { method, upstream: found.upstream, params: rebuilt(params, found.params), classify, ...exchange },
      this.#ports.door,
    );
    if (method === 'resources/subscribe' && reply.kind !== 'error')
      this.#subscriptions.set(subscriptionKey(found.upstream, String(found.params['uri'])), {
        upstream: found.upstream,
        judged: found.judged,
      });
    return reply;
  }

  /** Whether a client has asked, and may still ask, to hear of changes of a resource of this upstream. */
  isSubscribed(upstream: Upstream, uri: string): boolean {
    return this.#subscriptions.has(subscriptionKey(upstream, uri));
  }

  /** The rules changed: subscriptions that they no longer allow are ended. */
  async rejudgeSubscriptions(allows: (call: Call) => Promise<boolean>): Promise<void> {
    for (const [key, { upstream, judged }] of this.#subscriptions) {
      const call = readCall('resources/subscribe', upstream, this.#gate.known(upstream).recognised, judged);
      if (await allows(call)) continue;
      this.#subscriptions.delete(key);
      upstream.ask('resources/unsubscribe', judged).catch(() => {});
    }
  }

  #resourceOf(params: JsonObject): Found {
    const { uri } = params;
    if (typeof uri !== 'string') return { fault: 'the request names no resource', code: INVALID_PARAMS };
    const owner = this.#gate.exposure.ownerOf(uri);
    if ('fault' in owner) return { fault: owner.fault, code: INVALID_PARAMS, data: { uri } };
    return { upstream: owner.upstream, params: { uri: owner.uri }, judged: { uri: owner.uri } };
  }

  #promptOf(params: JsonObject): Found {
    const { name } = params;
    const known = typeof name === 'string' ? this.#gate.exposure.prompts.get(name) : undefined;
    if (known === undefined) return { fault: `Unknown prompt: ${printable(name)}`, code: INVALID_PARAMS };
    const args = params['arguments'];
    const own = { name: known.name, ...(args !== undefined && { arguments: args }) };
    return { upstream: known.upstream, params: own, judged: { ...(isObject(args) && args), name: known.name } };
  }

  #referenceOf(params: JsonObject): Found {
    const { ref, argument, context } = params;
    if (!isObject(ref)) return { fault: 'the request refers to nothing', code: INVALID_PARAMS };
    if (!isObject(argument)) return { fault: 'the request names no argument', code: INVALID_PARAMS };
    const given = isObject(context) && isObject(context['arguments']) ? context['arguments'] : null;
    // Only what is judged goes on: the reference, the argument, and the arguments already given.
    const rest = {
      argument: { name: argument['name'] ?? null, value: argument['value'] ?? null },
      ...(given !== null && { context: { arguments: given } }),
    };
    const judged = { ...given, argument: rest.argument.name, value: rest.argument.value };
    if (ref['type'] === 'ref/prompt') {
      const known = typeof ref['name'] === 'string' ? this.#gate.exposure.prompts.get(ref['name']) : undefined;
      if (known === undefined) return { fault: `Unknown prompt: ${printable(ref['name'])}`, code: INVALID_PARAMS };
      return {
        upstream: known.upstream,
        params: { ref: { type: 'ref/prompt', name: known.name }, ...rest },
        judged: { ...judged, name: known.name },
      };
    }
    const uri = ref['uri'];
    if (ref['type'] !== 'ref/resource' || typeof uri !== 'string')
      return { fault: 'a reference must be to a prompt or to a resource', code: INVALID_PARAMS };
    const owner = this.#templateOwner(uri);
    if ('fault' in owner) return { fault: owner.fault, code: INVALID_PARAMS };
    return {
      upstream: owner.upstream,
      params: { ref: { type: 'ref/resource', uri: owner.uri }, ...rest },
      judged: { ...judged, uri: owner.uri },
    };
  }

  #templateOwner(uri: string): { upstream: Upstream; uri: string } | { fault: string } {
    const owners = this.#gate.upstreams.filter(({ lists }) =>
      lists.templates.some(({ uriTemplate }) => uriTemplate === uri),
    );
    return owners.length === 1 ? { upstream: owners[0]!, uri } : this.#gate.exposure.ownerOf(uri);
  }

  /** The gateway's own request to every upstream that logs: no Call. */
  async #setLevel(params: JsonObject): Promise<Reply> {
    const { level } = params;
    if (typeof level !== 'string') return fault(INVALID_PARAMS, 'the request names no level');
    await Promise.allSettled(
      this.#gate.upstreams
        .filter(({ capabilities }) => capabilities['logging'] !== undefined)
        .map((upstream) => upstream.ask('logging/setLevel', { level })),
    );
    return { kind: 'value', value: {} };
  }

  async #unsubscribe(params: JsonObject): Promise<Reply> {
    const found = this.#resourceOf(params);
    if ('fault' in found) return fault(found.code, found.fault, found.data);
    this.#subscriptions.delete(subscriptionKey(found.upstream, String(found.params['uri'])));
    await found.upstream.ask('resources/unsubscribe', found.params);
    return { kind: 'value', value: {} };
  }
}

function subscriptionKey(upstream: Upstream, uri: string): string {
  return `${upstream.spec.key}\u0000${uri}`;
}

/** A value of any kind, for a message. */
function printable(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, 200) : typeof value;
}

type Found =
  | { readonly upstream: Upstream; readonly params: JsonObject; readonly judged: JsonObject }
  | { readonly fault: string; readonly code: number; readonly data?: JsonObject };

/** Keys that belong to one hop, or to toolgate alone. */
const PER_HOP = /^(io\.modelcontextprotocol|toolgate)\//i;

/** The request as the upstream gets it: only what was judged, and the client's `_meta` without keys of ours. */
function rebuilt(params: JsonObject, judged: JsonObject): JsonObject {
  const own = withInput(params, judged);
  const meta = params['_meta'];
  if (!isObject(meta)) return own;
  const kept = Object.fromEntries(
    Object.entries(meta).filter(([key]) => key !== 'progressToken' && !PER_HOP.test(key)),
  );
  return Object.keys(kept).length === 0 ? own : { ...own, _meta: kept };
}

/** What the client answers to an upstream that asked for more is part of the request, and of what is approved. */
function withInput(params: JsonObject, own: JsonObject): JsonObject {
  const { inputResponses, requestState } = params;
  return {
    ...own,
    ...(inputResponses !== undefined && { inputResponses }),
    ...(requestState !== undefined && { requestState }),
  };
}

function fault(code: number, message: string, data?: unknown): Reply {
  return { kind: 'error', error: data === undefined ? { code, message } : { code, message, data } };
}
