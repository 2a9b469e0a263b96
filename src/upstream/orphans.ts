/**
 * A gate that is killed can't end its upstreams. Most end by themselves when their stdin closes; those that don't are
 * ended by the next gate of the same store. A process is known by its id and the time it started, since ids come again.
 */
import { readFileSync } from 'node:fs';
import type { Transaction } from '../store/store.ts';

/** A process, for as long as both numbers are its own. */
export interface ProcessId {
  readonly pid: number;
  /** in clock ticks since the system's start; null where the system doesn't say */
  readonly startedAt: string | null;
}

/** Null if there is no such process, or only a dead one that nobody has collected. */
export function processId(pid: number): ProcessId | null {
  try {
    // After the name, which may hold anything: state is the 1st field, the start time the 20th (proc(5)).
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? null : { pid, startedAt: fields[19] ?? null };
  } catch {
    return null;
  }
}

/** Whether that process still runs, and, where the system tells its start, not another under its number. */
export function isSameProcess(pid: number, startedAt: string | null): boolean {
  if (startedAt !== null) return processId(pid)?.startedAt === startedAt;
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

export function noteProcess(tx: Transaction, upstream: ProcessId, gate: ProcessId): void {
  tx.run(
    'INSERT OR REPLACE INTO processes (pid, started_at, gate_pid, gate_started_at) VALUES (?, ?, ?, ?)',
    upstream.pid,
    upstream.startedAt,
    gate.pid,
    gate.startedAt,
  );
}

export function forgetProcess(tx: Transaction, pid: number): void {
  tx.run('DELETE FROM processes WHERE pid = ?', pid);
}

/** Ends the process groups that dead gates have left, and gives how many there were. */
export function sweepOrphans(tx: Transaction): number {
  const rows = tx.all<{ pid: number; started_at: string; gate_pid: number; gate_started_at: string }>(
    'SELECT * FROM processes',
  );
  let ended = 0;
  for (const row of rows) {
    if (isSameProcess(row.gate_pid, row.gate_started_at)) continue;
    if (isSameProcess(row.pid, row.started_at)) {
      try {
        process.kill(-row.pid, 'SIGKILL');
        ended++;
      } catch {
        // It ended in this moment.
      }
    }
    forgetProcess(tx, row.pid);
  }
  return ended;
}
