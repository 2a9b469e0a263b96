/**
 * The transport to an upstream over stdio. The SDK speaks the handshake and the lists through it; calls take a path of
 * their own: written as text, answered as text, with ids that the SDK's never reach.
 */
import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client';
import { isDeeperThan } from '../digest.ts';
import { GatewayError, messageOf } from '../errors.ts';
import { keepExact } from '../exact.ts';
import { visibleLine } from '../problem.ts';
import { redactText } from '../redact.ts';
import { type Answer, errorAnswer, idOfCutAnswer, resultAnswer, splitAnswer } from './answers.ts';
import { createBatchWriter, createLineReader } from './framing.ts';
import { endProcess, startProcess, sweepGroup, type UpstreamProcess } from './process.ts';
import type { UpstreamSpec } from './schema.ts';

/** The SDK counts its own requests from 0. */
const FIRST_CALL_ID = 1_000_000_000;
const EXIT_GRACE_MS = 300;
const DEADLINE_CHECK_MS = 1000;
/** So much of what an upstream says on stderr is kept. */
const MAX_WORDS = 8000;
/** A client's own limit for one message is 10 MiB: a longer result would end its session with every integration. */
export const MAX_RESULT_BYTES = 10 * 1024 * 1024 - 64 * 1024;

/** A list of tools with their schemas is deeper than an answer. */
const MAX_MESSAGE_DEPTH = 250;

/** What is said of a result that no client could take. */
export function tooLarge(key: string): GatewayError {
  return new GatewayError(
    'result_too_large',
    `${key} answered with more than ${Math.floor(MAX_RESULT_BYTES / 1024 / 1024)} MiB: ask for less at once`,
  );
}

export interface Progress {
  readonly progress: number;
  readonly total?: number | undefined;
  readonly message?: string | undefined;
}

interface Pending {
  /** on the monotonic clock; progress puts it off */
  deadline: number;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: GatewayError) => void;
  readonly onProgress: ((progress: Progress) => void) | null;
}

export class StdioUpstream implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  readonly #spec: UpstreamSpec;
  readonly #launch: UpstreamSpec['launch'] & { kind: 'stdio' };
  readonly #log: (message: string) => void;
  readonly #onProcess: (pid: number, runs: boolean) => void;
  #child: UpstreamProcess | null = null;
  #write: (line: string) => void = () => {};
  readonly #pending = new Map<number, Pending>();
  #clock: NodeJS.Timeout | null = null;
  #nextId = FIRST_CALL_ID;
  #lastWords = '';
  #closed = false;
  #gone = false;

  constructor(
    spec: UpstreamSpec,
    launch: UpstreamSpec['launch'] & { kind: 'stdio' },
    log: (message: string) => void,
    onProcess: (pid: number, runs: boolean) => void,
  ) {
    this.#onProcess = onProcess;
    this.#spec = spec;
    this.#launch = launch;
    this.#log = log;
  }

  /** Resolves once the process runs. Throws `upstream_unavailable` with what the system said. */
  async start(): Promise<void> {
    const child = startProcess(this.#launch);
    this.#child = child;
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) =>
        reject(new GatewayError('upstream_unavailable', this.#startFault(error), { cause: error })),
      );
    });
    this.#onProcess(child.pid!, true);
    const reader = createLineReader(
      MAX_RESULT_BYTES,
      (line) => this.#onLine(line),
      (head, tail) => this.#onTooLong(head, tail),
    );
    child.stdout.on('data', reader.push);
    child.stderr.on('data', (chunk: Buffer) => this.#onStderr(chunk));
    child.stdin.on('error', (error) => this.onerror?.(error));
    child.on('error', (error) => this.onerror?.(error));
    child.once('exit', (code, signal) => {
      sweepGroup(child);
      this.#onProcess(child.pid!, false);
      // Who left the group may still hold the pipe: what was written before the end is read, then it is over.
      const grace = setTimeout(() => child.stdout.destroy(), EXIT_GRACE_MS);
      child.stdout.once('close', () => {
        clearTimeout(grace);
        this.#onGone(code, signal);
      });
      if (child.stdout.destroyed) this.#onGone(code, signal);
    });
    this.#write = createBatchWriter((text) => {
      if (!this.#closed && child.stdin.writable) child.stdin.write(text);
    });
  }

  async send(message: JSONRPCMessage): Promise<void> {
    if (this.#closed) throw new GatewayError('upstream_unavailable', `${this.#spec.key} is not running`);
    this.#write(JSON.stringify(message));
  }

  /** Sends one request, whose params are JSON text, and resolves with its answer; cancelling tells the upstream. */
  call(
    method: string,
    paramsOf: (progressToken: number) => string,
    onProgress: ((progress: Progress) => void) | null,
    signal: AbortSignal | null,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(new GatewayError('upstream_unavailable', `${this.#spec.key} is not running`));
        return;
      }
      if (signal?.aborted === true) {
        reject(new GatewayError('timeout', 'the call was cancelled before it was sent'));
        return;
      }
      const id = this.#nextId++;
      const done = () => {
        this.#pending.delete(id);
        signal?.removeEventListener('abort', cancel);
      };
      const cancel = () => {
        pending.reject(new GatewayError('timeout', 'the call was cancelled'));
        this.#tellCancelled(id, 'cancelled by the client');
      };
      const pending: Pending = {
        deadline: performance.now() + this.#spec.timeoutMs,
        resolve: (answer) => {
          done();
          resolve(answer);
        },
        reject: (error) => {
          done();
          reject(error);
        },
        onProgress: (progress) => {
          pending.deadline = performance.now() + this.#spec.timeoutMs;
          onProgress?.(progress);
        },
      };
      this.#pending.set(id, pending);
      this.#watchDeadlines();
      signal?.addEventListener('abort', cancel, { once: true });
      this.#write(`{"jsonrpc":"2.0","id":${id},"method":${JSON.stringify(method)},"params":${paramsOf(id)}}`);
    });
  }

  async close(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    this.#closed = true;
    await endProcess(child);
  }

  /** One clock for all calls: each second, those without an answer or progress in time are given up. */
  #watchDeadlines(): void {
    this.#clock ??= setInterval(() => {
      const now = performance.now();
      for (const [id, pending] of this.#pending) {
        if (pending.deadline > now) continue;
        pending.reject(
          new GatewayError('timeout', `${this.#spec.key} gave no answer within ${this.#spec.timeoutMs / 1000} s`),
        );
        this.#tellCancelled(id, 'timed out');
      }
      if (this.#pending.size > 0) return;
      clearInterval(this.#clock ?? undefined);
      this.#clock = null;
    }, DEADLINE_CHECK_MS).unref();
  }

  #tellCancelled(id: number, reason: string): void {
    this.#write(
      JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id, reason } }),
    );
  }

  /** Nothing that an upstream sends may throw out of here: it costs its own call, or is passed over. */
  #onLine(line: string): void {
    const split = splitAnswer(line);
    const pending = split === null ? undefined : this.#pending.get(split.id);
    try {
      if (split !== null && pending !== undefined) {
        pending.resolve(resultAnswer(split.result));
        return;
      }
    } catch {
      // The result alone is not one value: read the whole line below.
    }
    try {
      this.#onMessage(JSON.parse(line), line);
    } catch (error) {
      if (pending !== undefined)
        pending.reject(
          new GatewayError(
            'upstream_unavailable',
            `${this.#spec.key} gave an answer that can't be read: ${messageOf(error)}`,
          ),
        );
      else if (line.trim() !== '')
        this.#log(
          `${this.#spec.key} printed a line that can't be read: ${visibleLine(redactText(line.slice(0, 200)))}`,
        );
    }
  }

  #onMessage(message: unknown, line: string): void {
    if (message === null || typeof message !== 'object' || Array.isArray(message))
      throw new SyntaxError('it is not an object');
    if (isDeeperThan(message, MAX_MESSAGE_DEPTH)) {
      this.#refuseDeep((message as { id?: unknown }).id);
      return;
    }
    if (!this.#takeOurs(message as Record<string, unknown>, line)) this.onmessage?.(message as JSONRPCMessage);
  }

  /** Whoever waits for the answer is told; the SDK's own requests too. */
  #refuseDeep(id: unknown): void {
    const fault = `${this.#spec.key} gave an answer that is nested too deeply`;
    const pending = this.#pending.get(id as number);
    if (pending !== undefined) pending.reject(new GatewayError('upstream_unavailable', fault));
    else if (typeof id === 'number') this.onmessage?.({ jsonrpc: '2.0', id, error: { code: -32603, message: fault } });
    else this.#log(fault);
  }

  /** Answers and progress of our own calls; anything else is the SDK's. */
  #takeOurs(message: Record<string, unknown>, line: string): boolean {
    if (message['method'] === 'notifications/progress') {
      const params = message['params'] as ({ progressToken?: unknown } & Progress) | undefined;
      const pending = this.#pending.get(params?.progressToken as number);
      if (params !== undefined) pending?.onProgress?.(params);
      return pending !== undefined || Number(params?.progressToken) >= FIRST_CALL_ID;
    }
    if (message['method'] !== undefined || typeof message['id'] !== 'number' || message['id'] < FIRST_CALL_ID)
      return false;
    const pending = this.#pending.get(message['id']);
    if (pending === undefined) return true;
    const { error, result } = message;
    if (error !== null && typeof error === 'object') pending.resolve(errorAnswer(error));
    else if (result !== undefined)
      pending.resolve(resultAnswer(JSON.stringify(JSON.parse(line, keepExact).result), result));
    else
      pending.reject(
        new GatewayError('upstream_unavailable', `${this.#spec.key} answered with neither a result nor an error`),
      );
    return true;
  }

  #onTooLong(head: string, tail: string): void {
    const error = tooLarge(this.#spec.key);
    const id = idOfCutAnswer(head, tail);
    const pending = id === null ? undefined : this.#pending.get(id);
    if (pending !== undefined) pending.reject(error);
    else {
      // Whose answer it was can't be told: all that wait on this upstream are told, and it starts anew.
      this.#failAll(error);
      this.close().catch(() => {});
    }
  }

  #onStderr(chunk: Buffer): void {
    const text = this.#lastWords + chunk.toString('utf8');
    // Cut where a line begins: the rest of a secret would not be known for one.
    const start = text.length <= MAX_WORDS ? 0 : text.indexOf('\n', text.length - MAX_WORDS) + 1;
    this.#lastWords = start === 0 && text.length > MAX_WORDS ? '' : text.slice(start);
  }

  #onGone(code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#closed = true;
    this.#failAll(
      new GatewayError(
        'upstream_unavailable',
        `${this.#spec.key} ended (${signal ?? `exit ${code}`})${this.lastWords()}`,
      ),
    );
    this.onclose?.();
  }

  /** What it said last on stderr, the line that names an error if there is one; made safe to show. */
  lastWords(): string {
    const lines = this.#lastWords.split('\n').filter((each) => each.trim() !== '');
    const line =
      lines.findLast((each) => /\berror\b|cannot|not found|denied|fatal/i.test(each) && !/^\s*at /.test(each)) ??
      lines.at(-1);
    return line === undefined ? '' : `: ${visibleLine(redactText(line.trim())).slice(0, 300)}`;
  }

  #failAll(error: GatewayError): void {
    for (const pending of [...this.#pending.values()]) pending.reject(error);
  }

  #startFault(error: unknown): string {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT')
      return `${this.#spec.key}: the command "${this.#launch.command}" was not found${this.#launch.cwd === undefined ? '' : `, or the folder ${this.#launch.cwd} isn't there`}`;
    if (code === 'EACCES') return `${this.#spec.key}: the command "${this.#launch.command}" may not be executed`;
    return `${this.#spec.key} can't be started: ${messageOf(error)}`;
  }
}
