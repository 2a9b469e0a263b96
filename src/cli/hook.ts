/**
 * `toolgate hook <agent>`: an agent asks before it runs a command. One payload in, one answer out, in the agent's own form.
 * Whatever goes wrong on the way is a refusal: most agents take any other end for leave.
 */
import { existsSync, writeSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { buildCatalog } from '../catalog/load.ts';
import { portsHere } from '../catalog/own.ts';
import { type Folders, folders } from '../config/paths.ts';
import { messageOf } from '../errors.ts';
import { didYouMean } from '../problem.ts';
import { aliasesOf } from '../shell/aliases.ts';
import { deny, type HookAnswer, noDecision } from '../shell/answer.ts';
import { type InContext, readInContext } from '../shell/gather.ts';
import { HOOK_AGENTS, type HookAgent, type HookAsks, type HookEvent, readPayload } from '../shell/payload.ts';
import { HOOK_TIMEOUT_MS } from '../shell/registration.ts';
import { builtInCatalog } from './built-in.ts';
import { keptGit, lineOf, touchedFiles } from './hook-asks.ts';
import { isReading, payloadText } from './hook-payload.ts';
import type { HouseFlags } from './house.ts';
import { complain } from './output.ts';
import { ownPlaces } from './own-places.ts';

export interface HookFlags extends HouseFlags {
  /** show what to paste into the agent's configuration */
  readonly print?: boolean;
  /** how long a command may wait for a person, in milliseconds */
  readonly hold?: number;
}

const [STDOUT, STDERR] = [1, 2];
/** How long a reader that is slow is waited for. */
const SAY_MS = 2000;
/** For everything but a person's answer. */
const OWN_TIME_MS = 20_000;
const HOLD_MS = HOOK_TIMEOUT_MS - OWN_TIME_MS - 10_000;

/** Exit 0: no decision; 2: the command must not run, with the reason. `onJudging` is told when it takes the corridor. */
export async function hook(named: string, flags: HookFlags, onJudging = () => {}): Promise<number> {
  const agent = agentOf(named);
  if (agent === null) {
    const guess = didYouMean(named, Object.keys(HOOK_AGENTS));
    complain(
      `toolgate hook: "${named}" is none of ${Object.keys(HOOK_AGENTS).join(', ')}${guess === null ? '' : `: did you mean "${guess}"?`}`,
    );
    return 2;
  }
  if (flags.print === true) return (await import('./hook-print.ts')).printRegistration(agent, flags);
  // Nothing of the environment that an agent may have had its hands in counts: only flags and the platform's own folders.
  const answer = await answerInTime(agent, { ...flags, ...folders(flags, {}) }, onJudging);
  const isSaid = [say(STDERR, answer.stderr), say(STDOUT, answer.stdout)].every((said) => said);
  // Some agents are told in words alone: a refusal that nobody can read must be no leave either.
  const code = !isSaid && answer.stderr !== '' ? 2 : answer.exitCode;
  if (isReading()) endAtOnce(code);
  return code;
}

/**
 * Written at once, without Node's streams, which cost a hook more than all of its judging; false if not all could be. A reader
 * that has gone must not turn a refusal into leave.
 */
function say(file: number, text: string): boolean {
  const until = Date.now() + SAY_MS;
  for (let rest = Buffer.from(text); rest.length > 0; )
    try {
      rest = rest.subarray(writeSync(file, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || Date.now() > until) return false;
    }
  return true;
}

/** Node can't end by itself while it waits for a payload that never comes. */
function endAtOnce(code: number): void {
  try {
    process.execve?.('/bin/sh', ['sh', '-c', `exit ${code}`], {});
  } catch {
    // Not on this system.
  }
  process.kill(process.pid, 'SIGKILL');
}

function agentOf(named: string): HookAgent | null {
  return Object.hasOwn(HOOK_AGENTS, named) ? (named as HookAgent) : null;
}

/** What is thrown anywhere, also where nobody waits for it, and what takes too long, is a refusal. */
function answerInTime(agent: HookAgent, flags: HookFlags, onJudging: () => void): Promise<HookAnswer> {
  const answered = Promise.withResolvers<HookAnswer>();
  let asked: Pick<HookEvent, 'form' | 'event'> = { form: agent, event: 'PreToolUse' };
  const refuse = (why: string) =>
    answered.resolve(deny(asked, `toolgate could not judge this command, so it must not run: ${why}`));
  const late = () => refuse('it took too long; "toolgate doctor" says what may be wrong');
  const timer = setTimeout(late, (flags.hold ?? HOLD_MS) + OWN_TIME_MS);
  for (const event of ['uncaughtException', 'unhandledRejection'] as const)
    process.on(event, (error) => refuse(messageOf(error)));
  const answer = async () => {
    const text = await payloadText();
    const event = readPayload(text, agent);
    asked = event;
    if (event.asks === null) return noDecision(event.form);
    if (!event.isBefore) return looked(agent, event, event.asks, flags);
    const { isNothing, read } = await firstLook(event, event.asks, folders(flags));
    if (isNothing) return noDecision(event.form);
    const { throughCorridor } = await import('./hook-corridor.ts');
    onJudging();
    return throughCorridor({ agent, event, asks: event.asks, read, holdMs: flags.hold ?? HOLD_MS }, flags);
  };
  answer().then(answered.resolve, (error) => refuse(messageOf(error)));
  return answered.promise.finally(() => clearTimeout(timer));
}

/** It has run already: nothing is left to refuse. */
async function looked(agent: HookAgent, event: HookEvent, asks: HookAsks, flags: HookFlags): Promise<HookAnswer> {
  const nothing = noDecision(event.form);
  if ((await firstLook(event, asks, folders(flags))).isNothing) return nothing;
  try {
    const { afterTool } = await import('./hook-after.ts');
    await afterTool(agent, event, asks, flags);
    return nothing;
  } catch (error) {
    return { ...nothing, stderr: `toolgate could not look at what ran: ${messageOf(error)}\n` };
  }
}

/** What was seen of what is asked without the store. */
interface FirstLook {
  /** it concerns no integration */
  readonly isNothing: boolean;
  /** a shell line as it was read, if that is how it will be judged */
  readonly read: InContext | null;
}

/** A program that asks a host; which one, the shell may put together. */
const ASKS_A_HOST = /\b(curl|wget2?|https?|xhs?)\b/;

const UNSEEN: FirstLook = { isNothing: false, read: null };

/** What concerns no integration doesn't wait for the store. The owner's catalog may know more. */
async function firstLook({ cwd, form }: HookEvent, asks: HookAsks, where: Folders): Promise<FirstLook> {
  if (asks.kind === 'mcp' || existsSync(join(where.config, 'catalog'))) return UNSEEN;
  const catalog = buildCatalog((await builtInCatalog('commands')).judging());
  const own = ownPlaces(where);
  if (asks.kind === 'files') return { isNothing: touchedFiles(asks, own, catalog, cwd).length === 0, read: null };
  // On which port of this machine the desk is only the store knows.
  if (portsHere(asks.text).size > 0 || ASKS_A_HOST.test(asks.text)) return UNSEEN;
  const around = { cwd, home: homedir(), aliases: aliasesOf(form, homedir()), own };
  const read = readInContext(catalog, lineOf(asks), around, keptGit(where));
  const { calls, unresolved, opaque } = read.reading;
  return { isNothing: calls.length + unresolved.length + opaque.length === 0, read };
}
