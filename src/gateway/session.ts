/** One client's connection: every method of the protocol by a closed table. What isn't in it is refused. */
import type { JSONRPCNotification } from '@modelcontextprotocol/client';
import type { JsonObject, ReviewStatus } from '../call.ts';
import type { Upstream } from '../upstream/connection.ts';
import type { Progress } from '../upstream/stdio.ts';
import { normaliseArguments } from './arguments.ts';
import {
  askUpstream,
  type DoorPorts,
  isObject,
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
const INTERNAL_ERROR = -32603;

/** How a request in progress talks back to its client. */
export interface Exchange {
  readonly signal: AbortSignal | null;
  /** null if the client asked for no progress */
  readonly onProgress: ((progress: Progress) => void) | null;
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

  /** Passes a notification of an upstream on, if it is one of those that clients know. */
  static passes(notification: JSONRPCNotification): boolean {
    return notification.method === 'notifications/message' || notification.method === 'notifications/resources/updated';
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
    const call = toolCall(known, args, this.#ports.statusOf(known));
    const upstreamParams = rebuilt(params, {
      name: known.exposed.name,
      ...(params['arguments'] !== undefined && { arguments: args }),
    });
    return askUpstream(
      { method: 'tools/call', upstream: known.exposed.upstream, params: upstreamParams, call, ...exchange },
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
    const call = readCall(method, found.upstream, this.#gate.known(found.upstream).recognised, found.judged);
    return askUpstream(
      { method, upstream: found.upstream, params: rebuilt(params, found.params), call, ...exchange },
      this.#ports.door,
    );
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
    if (known === undefined) return { fault: `Unknown prompt: ${String(name)}`, code: INVALID_PARAMS };
    const args = params['arguments'];
    const own = { name: known.name, ...(args !== undefined && { arguments: args }) };
    return { upstream: known.upstream, params: own, judged: { name: known.name, ...(isObject(args) && args) } };
  }

  #referenceOf(params: JsonObject): Found {
    const { ref, argument, context } = params;
    if (!isObject(ref)) return { fault: 'the request refers to nothing', code: INVALID_PARAMS };
    const rest = { ...(argument !== undefined && { argument }), ...(context !== undefined && { context }) };
    const judgedArgument = isObject(argument) ? argument : {};
    if (ref['type'] === 'ref/prompt') {
      const known = typeof ref['name'] === 'string' ? this.#gate.exposure.prompts.get(ref['name']) : undefined;
      if (known === undefined) return { fault: `Unknown prompt: ${String(ref['name'])}`, code: INVALID_PARAMS };
      return {
        upstream: known.upstream,
        params: { ref: { ...ref, name: known.name }, ...rest },
        judged: { ...judgedArgument, name: known.name },
      };
    }
    const uri = ref['uri'];
    if (ref['type'] !== 'ref/resource' || typeof uri !== 'string')
      return { fault: 'a reference must be to a prompt or to a resource', code: INVALID_PARAMS };
    const owner = this.#templateOwner(uri);
    if ('fault' in owner) return { fault: owner.fault, code: INVALID_PARAMS };
    return {
      upstream: owner.upstream,
      params: { ref: { ...ref, uri: owner.uri }, ...rest },
      judged: { ...judgedArgument, uri: owner.uri },
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
    await found.upstream.ask('resources/unsubscribe', found.params);
    return { kind: 'value', value: {} };
  }
}

type Found =
  | { readonly upstream: Upstream; readonly params: JsonObject; readonly judged: JsonObject }
  | { readonly fault: string; readonly code: number; readonly data?: JsonObject };

/** Keys that belong to one hop, or to toolgate alone. */
const PER_HOP = /^(io\.modelcontextprotocol|toolgate)\//i;

/** The request as the upstream gets it: only what was judged, and the client's `_meta` without keys of ours. */
function rebuilt(params: JsonObject, own: JsonObject): JsonObject {
  const meta = params['_meta'];
  if (!isObject(meta)) return own;
  const kept = Object.fromEntries(
    Object.entries(meta).filter(([key]) => key !== 'progressToken' && !PER_HOP.test(key)),
  );
  return Object.keys(kept).length === 0 ? own : { ...own, _meta: kept };
}

function fault(code: number, message: string, data?: unknown): Reply {
  return { kind: 'error', error: data === undefined ? { code, message } : { code, message, data } };
}
