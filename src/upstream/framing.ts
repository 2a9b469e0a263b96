/** Lines out of a byte stream: no copying per chunk, a bound on each line, and an over-long line costs only itself. */

const NEWLINE = 10;
/** Of an over-long line, its two ends are kept: the id of the answer stands at one of them. */
const KEEP_BYTES = 4096;

export interface LineReader {
  readonly push: (chunk: Buffer) => void;
}

/** Calls `onLine` with each whole line, and `onTooLong` with both ends of a line of more than `maxBytes`. */
export function createLineReader(
  maxBytes: number,
  onLine: (line: string) => void,
  onTooLong: (head: string, tail: string) => void,
): LineReader {
  let parts: Buffer[] = [];
  let size = 0;
  let tail = Buffer.alloc(0);

  const take = (piece: Buffer) => {
    if (piece.length === 0) return;
    size += piece.length;
    if (size <= maxBytes) parts.push(piece);
    else {
      if (parts.length > 1 || (parts[0]?.length ?? 0) > KEEP_BYTES) {
        const whole = Buffer.concat(parts);
        parts = [Buffer.from(whole.subarray(0, KEEP_BYTES))];
        tail = Buffer.from(whole.subarray(-KEEP_BYTES));
      }
      tail = Buffer.concat([tail, piece.subarray(-KEEP_BYTES)]).subarray(-KEEP_BYTES);
    }
  };
  const end = () => {
    if (size === 0) return;
    const first = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    const tooLong = size > maxBytes;
    parts = [];
    size = 0;
    if (tooLong) onTooLong(first.toString('utf8'), tail.toString('utf8'));
    else onLine(first.toString('utf8'));
  };
  return {
    push: (chunk) => {
      let start = 0;
      for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, start)) {
        take(chunk.subarray(start, at));
        end();
        start = at + 1;
      }
      take(chunk.subarray(start));
    },
  };
}

/** Joins the lines written in one turn of the loop into one write. */
export function createBatchWriter(write: (text: string) => void): (line: string) => void {
  let lines: string[] = [];
  return (line) => {
    lines.push(line);
    if (lines.length > 1) return;
    queueMicrotask(() => {
      const text = `${lines.join('\n')}\n`;
      lines = [];
      write(text);
    });
  };
}
