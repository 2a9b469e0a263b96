/** Whose process is at the other end of a loopback connection; on Linux the system tells. */
import { readFileSync } from 'node:fs';

/**
 * The user id that owns the socket of that port, connected to ours; null where the system doesn't tell. A connection
 * that can't be found is nobody's: -1.
 */
export function ownerOfPeer(peerPort: number, ourPort: number): number | null {
  const tables = ['/proc/net/tcp', '/proc/net/tcp6'].map(read);
  if (tables.every((table) => table === null)) return null;
  for (const line of tables.flatMap((table) => table?.split('\n').slice(1) ?? [])) {
    // proc(5): the 2nd field is the local address, the 3rd the remote one, the 8th the user id.
    const fields = line.trim().split(/\s+/);
    if (portOf(fields[1]) === peerPort && portOf(fields[2]) === ourPort) return Number(fields[7]);
  }
  return -1;
}

function portOf(address: string | undefined): number | null {
  const hex = address?.split(':')[1];
  return hex === undefined ? null : Number.parseInt(hex, 16);
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
