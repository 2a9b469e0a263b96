/** The MCP door: turns a client's request into a Call, takes it through the corridor, and words the reply. */
import { type Argument, type Call, isObject, type JsonObject, type ReviewStatus } from '../call.ts';
import { argumentReader } from '../catalog/arguments.ts';
import { classifyTool, type ToolClass, unplacedIntegrations } from '../catalog/classify.ts';
import type { ToolDefinition } from '../catalog/infer.ts';
import type { Catalog } from '../catalog/load.ts';
import { type Recognised, recognise } from '../catalog/recognise.ts';
import { digestOf } from '../digest.ts';
import { keepExact } from '../exact.ts';
import { type Approved, flow, type Judged, type Ports } from '../flow.ts';
import { createMask } from '../mask.ts';
import type { Answer } from '../upstream/answers.ts';
import type { Upstream } from '../upstream/connection.ts';
import type { Progress } from '../upstream/stdio.ts';
import type { Exposed } from './exposure.ts';
import { maskedAnswer, maskedProgress } from './masking.ts';
import { brokenOf, type Refusal, refusalOf } from './refusal.ts';

/** A request that an upstream would get, before it is judged. */
export interface McpAsked {
  readonly method: string;
  readonly upstream: Upstream;
  /** as the upstream will get them: its own names, no key of ours */
  readonly params: JsonObject;
  /** what it means, under what is known at that moment; throws if it can't be sent any more */
  readonly classify: () => Call;
  readonly onProgress: ((progress: Progress) => void) | null;
  readonly signal: AbortSignal | null;
  readonly acceptsInput: boolean;
}

export type Reply =
  | { readonly kind: 'raw'; readonly text: string }
  | { readonly kind: 'value'; readonly value: JsonObject }
  | {
      readonly kind: 'error';
      readonly error: { readonly code: number; readonly message: string; readonly data?: unknown };
    };

/** What the corridor needs that isn't the gateway's own: wired in `cli/serve.ts`. */
export type DoorPorts = Omit<Ports<McpAsked, Answer>, 'classify' | 'forward'>;

/** JSON-RPC's code for what went wrong on our side. */
export const INTERNAL_ERROR = -32603;

export async function askUpstream(asked: McpAsked, ports: DoorPorts): Promise<Reply> {
  const outcome = await flow<McpAsked, Answer>(asked, {
    ...ports,
    classify: classifyAsked,
    forward: forwardWith(ports.clock),
  });
  switch (outcome.kind) {
    case 'forwarded':
      return outcome.result.kind === 'result'
        ? { kind: 'raw', text: outcome.result.raw }
        : { kind: 'error', error: outcome.result.error };
    case 'refused':
      return refusalReply(asked.method, refusalOf(outcome.judged, outcome.why));
    case 'broken':
      return refusalReply(asked.method, brokenOf(outcome.judged, outcome.error));
  }
}

/** A tool's refusal is a result the model can read; other methods have no place for one but an error. */
export function refusalReply(method: string, refusal: Refusal): Reply {
  if (method !== 'tools/call')
    return { kind: 'error', error: { code: INTERNAL_ERROR, message: refusal.text, data: refusal.meta } };
  return {
    kind: 'value',
    value: { content: [{ type: 'text', text: refusal.text }], isError: true, _meta: refusal.meta as JsonObject },
  };
}

function classifyAsked(asked: McpAsked): readonly Call[] {
  return [asked.classify()];
}

function forwardWith(clock: () => number) {
  return async (asked: McpAsked, judged: Judged, approved: Approved | null) => {
    const started = clock();
    const { upstream } = asked;
    const taken = [...new Set([...judged.decision.redact.result, ...(approved?.redact ?? [])])];
    const mask = createMask(taken);
    // What it logs belongs to no call: from now on all of it is masked.
    if (mask !== null) upstream.maskLogs(taken);
    const onProgress = approved === null ? asked.onProgress : countedOn(asked.onProgress, approved.toldTimes);
    const answer = await upstream.call({
      method: asked.method,
      params: approved === null ? asked.params : (JSON.parse(approved.request, keepExact) as JsonObject),
      onProgress: mask === null ? onProgress : maskedProgress(onProgress, mask),
      signal: asked.signal,
      acceptsInput: asked.acceptsInput,
    });
    const result = mask === null ? answer : maskedAnswer(answer, mask);
    const durationMs = clock() - started;
    if (result.kind === 'error')
      return {
        result,
        completion: { status: 'error' as const, durationMs, bytes: null, error: `${result.error.code}` },
      };
    return {
      result,
      completion: {
        status: result.isError ? ('tool_error' as const) : ('ok' as const),
        durationMs,
        bytes: result.raw.length,
        error: null,
      },
    };
  };
}

/** What may be approved of a request: all that would be sent but `_meta`, which changes with every call and is shown to nobody. */
export function requestText({ params }: McpAsked): string {
  const { _meta: _, ...rest } = params;
  return JSON.stringify(rest);
}

/** Progress only ever grows: the upstream's goes on where that of the wait ended. */
function countedOn(onProgress: McpAsked['onProgress'], from: number): McpAsked['onProgress'] {
  if (onProgress === null) return null;
  return ({ progress, total, message }) =>
    onProgress({ progress: progress + from, total: total === undefined ? undefined : total + from, message });
}

/** How one upstream was recognised, and what each of its tools means: made once per change of lists or rules. */
export interface KnownUpstream {
  readonly recognised: Recognised;
  readonly tools: ReadonlyMap<string, KnownTool>;
}

export interface KnownTool {
  readonly exposed: Exposed;
  readonly toolClass: ToolClass;
  readonly definitionHash: string;
}

export function knowUpstream(catalog: Catalog, upstream: Upstream, exposed: readonly Exposed[]): KnownUpstream {
  const { key, integration, launch } = upstream.spec;
  const recognised = recognise(catalog, {
    key,
    integration,
    ...(launch.kind === 'stdio' ? { command: launch.command, args: launch.args } : { url: launch.url }),
    serverInfoName: upstream.serverInfo?.name,
    toolNames: upstream.lists.tools.flatMap(({ name }) => (typeof name === 'string' ? [name] : [])),
  });
  const tools = new Map<string, KnownTool>();
  for (const each of exposed)
    tools.set(each.exposedName, {
      exposed: each,
      toolClass: classifyTool(recognised, definitionOf(each)),
      definitionHash: digestOf(each.item),
    });
  return { recognised, tools };
}

/** What classifying needs of a tool's definition. */
export function definitionOf({ item, name }: Exposed): ToolDefinition {
  const schema = item['inputSchema'];
  const annotations = item['annotations'];
  const description = item['description'];
  return {
    name,
    ...(typeof description === 'string' && { description }),
    ...(isObject(annotations) && { annotations: annotations as ToolDefinition['annotations'] & object }),
    ...(isObject(schema) && { inputSchema: schema }),
  };
}

/** A `tools/call` as a Call. */
export function toolCall(known: KnownTool, args: JsonObject, status: ReviewStatus): Call {
  const { exposed, toolClass, definitionHash } = known;
  const found = toolClass.ofCall(args);
  let reader: ((path: string) => Argument) | null = null;
  return {
    via: 'mcp',
    integrations: found.integrations,
    server: exposed.upstream.spec.key,
    calledName: exposed.name,
    tools: found.tools,
    possible: found.possible,
    operation: found.operation,
    source: found.source,
    reasons: found.reasons,
    toolStatus: status,
    definitionHash,
    rawArguments: args,
    argument: (path) => {
      reader ??= toolClass.reader(args);
      return reader(path);
    },
    namesOf: toolClass.namesOf,
  };
}

/** The other requests that reach an upstream: all are Reads of the integration that owns what they ask for. */
const READS = {
  'resources/read': { id: 'read_resource', title: 'Read resource' },
  'resources/subscribe': { id: 'subscribe_resource', title: 'Subscribe to resource' },
  'prompts/get': { id: 'get_prompt', title: 'Get prompt' },
  'completion/complete': { id: 'complete', title: 'Complete' },
} as const;

export type ReadMethod = keyof typeof READS;

export function isReadMethod(method: string): method is ReadMethod {
  return Object.hasOwn(READS, method);
}

export function readCall(method: ReadMethod, upstream: Upstream, recognised: Recognised, args: JsonObject): Call {
  const tool = READS[method];
  return {
    via: 'mcp',
    integrations: unplacedIntegrations(recognised),
    server: upstream.spec.key,
    calledName: tool.id,
    tools: [tool],
    possible: ['Read'],
    operation: 'Read',
    source: 'catalog',
    reasons: [`${method} only reads`],
    toolStatus: 'Unreviewed',
    definitionHash: null,
    rawArguments: args,
    argument: argumentReader(args, {
      names: new Map(),
      kindOf: (name) => (name === 'uri' ? 'uri' : null),
      declared: null,
    }),
    namesOf: (canonical) => [canonical],
  };
}
