/**
 * The client's side over stdio. The SDK serves the handshake of both protocol eras and whatever is rare; `tools/call`
 * of a 2025-era client takes a path of its own: one line in, one line out, several of a turn in one write.
 */
import type { Readable, Writable } from 'node:stream';
import { type JSONRPCMessage, Server, type Transport } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { isObject, type JsonObject } from '../call.ts';
import { messageOf } from '../errors.ts';
import { keepExact } from '../exact.ts';
import { createBatchWriter, createLineReader } from '../upstream/framing.ts';
import type { Progress } from '../upstream/stdio.ts';
import type { Reply } from './door.ts';
import type { Gate } from './gate.ts';
import { readClientLine } from './inbound.ts';
import { CAPABILITIES, type Session } from './session.ts';

/** The longest message that a client may send. */
const MAX_UNREAD_BYTES = 4 * 1024 * 1024;
const MAX_REQUEST_BYTES = 32 * 1024 * 1024;

export interface StdioPorts {
  readonly input: Readable;
  readonly output: Writable;
  readonly log: (message: string) => void;
  /** the client has said who it is */
  readonly onClient: (clientInfo: { name: string; version: string }) => void;
  /** the folders that the client says its user works in, as URIs; null while it has been asked and hasn't answered */
  readonly onRoots: (uris: readonly string[] | null) => void;
  /** the first message has been answered or is being worked on: now there is time for everything else */
  readonly onFirstMessage: () => void;
  /** the client has gone */
  readonly onEnd: () => void;
}

/** Serves one client on a pair of streams until it goes. */
export function serveClient(gate: Gate, session: Session, version: string, ports: StdioPorts): void {
  const wire = new ClientWire(session, ports);
  const stop = gate.listen({
    onListChanged: (list) => wire.notifyListChanged(list),
    onNotification: (upstream, { method, params }) => {
      const uri = params?.['uri'];
      if (method !== 'notifications/resources/updated') wire.notify({ method, params } as unknown as JSONRPCMessage);
      else if (typeof uri === 'string' && session.isSubscribed(upstream, uri))
        wire.notify({
          method,
          params: { ...params, uri: gate.exposure.exposedUri(upstream, uri) },
        } as unknown as JSONRPCMessage);
    },
  });
  wire.whenClosed = () => {
    stop();
    ports.onEnd();
  };
  serveStdio(() => newServer(session, version, () => wire.acceptsInput(), ports.onRoots), {
    transport: wire,
    onerror: (error) => ports.log(messageOf(error)),
  });
}

/** The SDK's server, with every method that it doesn't know handed to the session. */
function newServer(
  session: Session,
  version: string,
  acceptsInput: () => boolean,
  onRoots: StdioPorts['onRoots'],
): Server {
  const server = new Server({ name: 'toolgate', title: 'toolgate', version }, { capabilities: CAPABILITIES });
  server.fallbackRequestHandler = async (request, context) => {
    const token = (request.params?.['_meta'] as { progressToken?: string | number } | undefined)?.progressToken;
    const onProgress =
      token === undefined
        ? null
        : (progress: Progress) =>
            void context.mcpReq
              .notify({ method: 'notifications/progress', params: { ...progress, progressToken: token } })
              .catch(() => {});
    const { inputResponses } = context.mcpReq;
    const requestState = context.mcpReq.requestState();
    // The SDK has taken them out of the params.
    const params = {
      ...request.params,
      ...(inputResponses !== undefined && { inputResponses }),
      ...(requestState !== undefined && { requestState }),
    } as JsonObject;
    const reply = await session.handle(request.method, params, {
      signal: context.mcpReq.signal,
      onProgress,
      acceptsInput: acceptsInput(),
    });
    if (reply.kind === 'error')
      throw Object.assign(new Error(reply.error.message), { code: reply.error.code, data: reply.error.data });
    return (reply.kind === 'raw' ? JSON.parse(reply.text, keepExact) : reply.value) as Record<string, unknown>;
  };
  server.removeRequestHandler('logging/setLevel');
  const askForRoots = () => {
    if (server.getClientCapabilities()?.roots === undefined) return;
    onRoots(null);
    server.listRoots(undefined, { timeout: ROOTS_MS }).then(
      ({ roots }) => onRoots(roots.slice(0, MAX_ROOTS).map(({ uri }) => uri)),
      () => onRoots([]),
    );
  };
  server.oninitialized = askForRoots;
  server.setNotificationHandler('notifications/roots/list_changed', askForRoots);
  return server;
}

/** A client that doesn't say in time where it works, says nothing of it. */
const ROOTS_MS = 5000;
const MAX_ROOTS = 50;

class ClientWire implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  whenClosed: () => void = () => {};
  readonly #session: Session;
  readonly #ports: StdioPorts;
  readonly #write: (line: string) => void;
  readonly #running = new Map<string | number, AbortController>();
  #legacyReady = false;
  #closed = false;
  #opened = false;
  #introduced = false;
  #elicits = false;

  constructor(session: Session, ports: StdioPorts) {
    this.#session = session;
    this.#ports = ports;
    this.#write = createBatchWriter((text) => {
      if (!this.#closed && ports.output.writable) ports.output.write(text);
    });
  }

  /** a client of 2026 that can ask its user for what an upstream wants to know */
  acceptsInput(): boolean {
    return !this.#legacyReady && this.#elicits;
  }

  async start(): Promise<void> {
    const { input, output } = this.#ports;
    const reader = createLineReader(
      MAX_REQUEST_BYTES,
      (line) => this.#onLineSafely(line),
      () => this.#answerBad(null, -32600, `a message may have at most ${MAX_REQUEST_BYTES / 1024 / 1024} MiB`),
    );
    input.on('data', reader.push);
    input.once('end', () => this.#end());
    input.once('close', () => this.#end());
    input.on('error', () => this.#end());
    output.on('error', () => this.#end());
  }

  async send(message: JSONRPCMessage): Promise<void> {
    this.#write(JSON.stringify(message));
  }

  async close(): Promise<void> {
    this.#end();
  }

  /** A client that doesn't read gets its answers, in the end; what only informs it is dropped meanwhile. */
  notify(message: JSONRPCMessage): void {
    if (this.#legacyReady && this.#ports.output.writableLength < MAX_UNREAD_BYTES)
      this.#write(JSON.stringify({ ...message, jsonrpc: '2.0' }));
  }

  notifyListChanged(list: 'tools' | 'prompts' | 'resources'): void {
    this.notify({ method: `notifications/${list}/list_changed` } as unknown as JSONRPCMessage);
  }

  /** Nothing that a client sends may end the gate. */
  #onLineSafely(line: string): void {
    try {
      this.#onLine(line);
    } catch (error) {
      this.#answerBad(null, -32603, `the message could not be read: ${messageOf(error)}`);
    }
  }

  #onLine(line: string): void {
    if (line.trim() === '') return;
    if (!this.#opened) {
      this.#opened = true;
      setTimeout(this.#ports.onFirstMessage, 2);
    }
    const inbound = readClientLine(line);
    if (inbound.kind === 'bad') {
      this.#answerBad(inbound.id, inbound.code, inbound.why);
      return;
    }
    const { message } = inbound;
    const { method, id } = message;
    if (method === 'tools/call' && this.#legacyReady && isRequestId(id)) {
      void this.#callTool(id, message['params']);
      return;
    }
    if (method === 'notifications/cancelled') {
      const target = (message['params'] as { requestId?: string | number } | undefined)?.requestId;
      const running = target === undefined ? undefined : this.#running.get(target);
      if (running !== undefined) {
        running.abort();
        return;
      }
    }
    if (method === 'initialize') this.#noteClient(message['params'], 'clientInfo');
    else if (!this.#legacyReady) {
      const meta = isObject(message['params']) ? message['params']['_meta'] : undefined;
      this.#noteClient(meta, 'io.modelcontextprotocol/clientInfo');
      const capabilities = isObject(meta) ? meta['io.modelcontextprotocol/clientCapabilities'] : undefined;
      this.#elicits = isObject(capabilities) && capabilities['elicitation'] !== undefined;
    }
    if (method === 'notifications/initialized') this.#legacyReady = true;
    this.onmessage?.(message as unknown as JSONRPCMessage);
  }

  async #callTool(id: string | number, params: unknown): Promise<void> {
    const controller = new AbortController();
    this.#running.set(id, controller);
    const given = isObject(params) ? params : {};
    const token = isObject(given['_meta']) ? given['_meta']['progressToken'] : undefined;
    const onProgress =
      typeof token === 'string' || typeof token === 'number'
        ? (progress: Progress) => this.#progress(token, progress)
        : null;
    const reply = await this.#session
      .handle('tools/call', given, { signal: controller.signal, onProgress, acceptsInput: false })
      .catch((error): Reply => ({ kind: 'error', error: { code: -32603, message: messageOf(error) } }));
    this.#running.delete(id);
    // A cancelled request gets no answer.
    if (!controller.signal.aborted) this.#write(replyLine(id, reply));
  }

  #progress(token: string | number, { progress, total, message }: Progress): void {
    this.#write(
      JSON.stringify({
        jsonrpc: '2.0',
        method: 'notifications/progress',
        params: { progressToken: token, progress, total, message },
      }),
    );
  }

  /** A 2025-era client says once who it is, a later one with every request. */
  #noteClient(holder: unknown, key: string): void {
    const info = isObject(holder) ? holder[key] : undefined;
    if (!isObject(info)) return;
    // Whoever has said who it is does not become another on the same connection.
    if (this.#introduced) return;
    this.#introduced = true;
    const text = (value: unknown) => (typeof value === 'string' ? value : '');
    this.#ports.onClient({ name: text(info['name']), version: text(info['version']) });
  }

  #answerBad(id: string | number | null, code: number, why: string): void {
    this.#ports.log(`the client sent a message that was refused: ${why}`);
    this.#write(JSON.stringify({ jsonrpc: '2.0', id, error: { code, message: why } }));
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const controller of this.#running.values()) controller.abort();
    this.onclose?.();
    this.whenClosed();
  }
}

function isRequestId(id: unknown): id is string | number {
  return typeof id === 'string' || typeof id === 'number';
}

function replyLine(id: string | number, reply: Reply): string {
  const start = `{"jsonrpc":"2.0","id":${JSON.stringify(id)},`;
  switch (reply.kind) {
    case 'raw':
      return `${start}"result":${reply.text}}`;
    case 'value':
      return `${start}"result":${JSON.stringify(reply.value)}}`;
    case 'error':
      return `${start}"error":${JSON.stringify(reply.error)}}`;
  }
}
