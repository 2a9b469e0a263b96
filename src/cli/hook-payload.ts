/** Reads what an agent's hook is given on stdin. Node's own stream would cost a hook more than its whole reading of a line. */
import { read } from 'node:fs';
import { GatewayError } from '../errors.ts';

const MAX_PAYLOAD = 16 * 1024 * 1024;
const PIECE = 64 * 1024;
/** A payload that comes in many pieces is not parsed for each of them: so many bytes in all. */
const MAX_LOOKED = 64 * 1024 * 1024;
/** A stdin that doesn't wait says that nothing is there yet. */
const RETRY_MS = 5;

/** All of stdin, or as much of it as is one whole JSON value: not every agent closes it. */
export async function payloadText(): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  let looked = 0;
  for (;;) {
    const piece = await readPiece();
    pieces.push(piece);
    size += piece.length;
    if (size > MAX_PAYLOAD) throw new GatewayError('config_invalid', `its payload is larger than ${MAX_PAYLOAD} bytes`);
    if (piece.length === 0) return textOf(pieces);
    if (!/\}\s*$/.test(piece.toString('latin1').slice(-100))) continue;
    looked += size;
    if (looked > MAX_LOOKED) continue;
    const text = textOf(pieces);
    if (isWhole(text)) return text;
  }
}

function textOf(pieces: readonly Buffer[]): string {
  return Buffer.concat(pieces).toString('utf8');
}

function isWhole(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

let reading = false;

/** Whether a read still waits: Node would wait for it too. */
export function isReading(): boolean {
  return reading;
}

/** Empty at the end. */
async function readPiece(): Promise<Buffer> {
  for (;;) {
    const buffer = Buffer.allocUnsafe(PIECE);
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    reading = true;
    read(0, buffer, 0, PIECE, null, (error, length) => {
      reading = false;
      if (error === null) resolve(length);
      else reject(error);
    });
    try {
      return buffer.subarray(0, await promise);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Windows says the end of a pipe as an error.
      if (code === 'EOF') return buffer.subarray(0, 0);
      if (code !== 'EAGAIN') throw error;
      await new Promise((retry) => setTimeout(retry, RETRY_MS));
    }
  }
}
