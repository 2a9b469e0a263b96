/** Who speaks at this command: a person at a terminal, or the holder of a reviewer's key. Never an agent. */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { ancestors } from '../agents/ancestors.ts';
import { agentSign } from '../agents/markers.ts';
import { reviewerOfKey } from '../approvals/keys.ts';
import { voterOfKey, voterOfUser } from '../approvals/reviewers.ts';
import { messageOf } from '../errors.ts';
import type { House } from './house.ts';

export type Person =
  | { readonly kind: 'person'; readonly voter: string; readonly byKey: boolean }
  | { readonly kind: 'nobody'; readonly why: string /** what the command ends with */; readonly exitCode: 1 | 2 };

/** Why this must be an agent; null if nothing shows it. */
export function underAgent(): string | null {
  return agentSign(process.env, ancestors());
}

/** Whether somebody could be asked here. */
export function isTerminal(): boolean {
  return Boolean(process.stdin.isTTY && process.stderr.isTTY);
}

/** With a key, whose key it is; without one the user of this terminal. */
export async function whoSpeaks(house: House, keyFile: string | undefined): Promise<Person> {
  const sign = underAgent();
  if (sign !== null)
    return {
      kind: 'nobody',
      exitCode: 1,
      why: `an agent can't answer for a person: ${sign}. Answer from a terminal of your own, the console or a notification`,
    };
  if (keyFile !== undefined) {
    let key: string;
    try {
      key = readFileSync(keyFile, 'utf8');
    } catch (error) {
      return { kind: 'nobody', exitCode: 2, why: `the key can't be read: ${messageOf(error)}` };
    }
    const reviewer = await house.store.read((tx) => reviewerOfKey(tx, key));
    return reviewer === null
      ? {
          kind: 'nobody',
          exitCode: 1,
          why: `the key in ${keyFile} is no reviewer's: mint one with "toolgate reviewers register <id>"`,
        }
      : { kind: 'person', voter: voterOfKey(reviewer), byKey: true };
  }
  if (!isTerminal())
    return {
      kind: 'nobody',
      exitCode: 1,
      why: 'this is no terminal, so nobody can be asked: use a terminal, or --reviewer-key FILE',
    };
  return { kind: 'person', voter: voterOfUser(house.owner), byKey: false };
}

/** Asks on the terminal; anything but a clear yes is no. The question is taken back when `signal` aborts. */
export function confirm(question: string, signal: AbortSignal | null = null): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  return new Promise((resolve) => {
    terminal.once('close', () => resolve(false));
    // Ctrl-C is the program's own affair, not an answer.
    terminal.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
    signal?.addEventListener('abort', () => terminal.close(), { once: true });
    terminal.question(`${question} [y/N] `, (answer) => {
      resolve(/^y(es)?$/i.test(answer.trim()));
      terminal.close();
    });
  });
}

/** A line of text; null if the terminal was closed. */
export function askLine(question: string): Promise<string | null> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  return new Promise((resolve) => {
    terminal.once('close', () => resolve(null));
    terminal.question(`${question} `, (answer) => {
      resolve(answer.trim());
      terminal.close();
    });
  });
}
