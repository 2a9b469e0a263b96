/** The thinnest client: what is measured is the server behind it. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

export class RawClient {
  readonly pid: number;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #waiting = new Map<number, (message: { readonly result: Record<string, unknown> }) => void>();
  #parts: Buffer[] = [];
  #next = 1;

  private constructor(command: readonly string[]) {
    const [program, ...args] = command;
    this.#child = spawn(program!, args, { stdio: ['pipe', 'pipe', 'ignore'] });
    this.pid = this.#child.pid!;
    this.#child.stdout.on('data', (chunk: Buffer) => this.#take(chunk));
  }

  /** Starts a server and shakes hands. */
  static async start(command: readonly string[]): Promise<RawClient> {
    const client = new RawClient(command);
    await client.ask('initialize', {
      protocolVersion: '2025-06-18',
      capabilities: {},
      clientInfo: { name: 'bench', version: '1' },
    });
    client.#child.stdin.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n');
    return client;
  }

  ask(method: string, params: object): Promise<{ readonly result: Record<string, unknown> }> {
    const id = this.#next++;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    });
  }

  async close(): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.stdin.end();
    await gone;
  }

  #take(chunk: Buffer): void {
    let start = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, start)) {
      this.#parts.push(chunk.subarray(start, at));
      const message = JSON.parse(Buffer.concat(this.#parts).toString());
      this.#parts = [];
      start = at + 1;
      if (message.method === undefined) {
        if (message.error !== undefined || message.result.isError === true)
          throw new Error(JSON.stringify(message).slice(0, 500));
        this.#waiting.get(message.id)?.(message);
        this.#waiting.delete(message.id);
      }
    }
    if (start < chunk.length) this.#parts.push(chunk.subarray(start));
  }
}
