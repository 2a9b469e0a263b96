/** The processes above ours, nearest first, as far as the system tells. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Ancestor } from './markers.ts';

/** Deeper than any terminal, multiplexer and shell stand in each other. */
const MAX_DEPTH = 32;

export function ancestors(pid: number = process.ppid): Ancestor[] {
  const found: Ancestor[] = [];
  for (let at = pid; at > 1 && found.length < MAX_DEPTH; ) {
    const one = process.platform === 'linux' ? fromProc(at) : fromPs(at);
    if (one === null) break;
    found.push(one);
    at = one.parent;
  }
  return found;
}

function fromProc(pid: number): (Ancestor & { parent: number }) | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name may hold anything, a parenthesis too (proc(5)): it ends at the last one.
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      .split('\0')
      .filter((arg) => arg !== '');
    return { name, args, parent };
  } catch {
    return null;
  }
}

/** Where there is no /proc; on Windows, where there is no `ps` either, nothing is known. */
function fromPs(pid: number): (Ancestor & { parent: number }) | null {
  try {
    const line = execFileSync('/bin/ps', ['-o', 'ppid=,comm=', '-p', String(pid)], {
      encoding: 'utf8',
      timeout: 2000,
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
    const args = execFileSync('/bin/ps', ['-o', 'args=', '-p', String(pid)], {
      encoding: 'utf8',
      timeout: 2000,
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
    const match = /^(\d+)\s+(.*)$/.exec(line);
    return match === null ? null : { name: match[2]!, args: args.split(' '), parent: Number(match[1]) };
  } catch {
    return null;
  }
}
