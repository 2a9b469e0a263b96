/** Whose process is at the other end of a loopback connection; on Linux the system tells. */
import { readFileSync } from 'node:fs';

/** Both ends of a connection, as our side sees it. */
export interface Ends {
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

const ESTABLISHED = '01';

/**
 * The user id that owns the other end; null where the system doesn't tell. One that can't be found, or not surely, is
 * nobody's: -1.
 */
export function ownerOfPeer(ends: Ends): number | null {
  const tables = [
    { text: read('/proc/net/tcp'), prefix: '' },
    // A browser's socket may be of the other family, and its address mapped.
    { text: read('/proc/net/tcp6'), prefix: '0000000000000000FFFF0000' },
  ];
  if (tables.every(({ text }) => text === null)) return null;
  const [theirs, ours] = [endOf(ends.remoteAddress, ends.remotePort), endOf(ends.localAddress, ends.localPort)];
  if (theirs === null || ours === null) return -1;
  const owners = tables.flatMap(({ text, prefix }) =>
    (text?.split('\n').slice(1) ?? []).flatMap((line) => {
      // proc(5): after the number come the local end, the remote one, the state, and as the 8th the user id.
      const fields = line.trim().split(/\s+/);
      const found = fields[1] === prefix + theirs && fields[2] === prefix + ours && fields[3] === ESTABLISHED;
      return found ? [Number(fields[7])] : [];
    }),
  );
  return owners.length === 1 ? owners[0]! : -1;
}

/** `0100007F:1D09`: the bytes of the address in the machine's order, and the port. */
function endOf(address: string | undefined, port: number | undefined): string | null {
  const bytes = address
    ?.replace(/^::ffff:/, '')
    .split('.')
    .map(Number);
  if (bytes?.length !== 4 || port === undefined) return null;
  const hex = (value: number, digits: number) => value.toString(16).toUpperCase().padStart(digits, '0');
  return `${bytes
    .reverse()
    .map((byte) => hex(byte, 2))
    .join('')}:${hex(port, 4)}`;
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
