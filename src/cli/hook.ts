/**
 * `toolgate hook <agent>`: an agent asks before it runs a command. One payload in, one answer out, in the agent's own form.
 * Whatever goes wrong on the way is a refusal: most agents take any other end for leave.
 */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { identify } from '../agents/identify.ts';
import { buildCatalog } from '../catalog/load.ts';
import { readShell } from '../catalog/shell-reading.ts';
import { folders } from '../config/paths.ts';
import { rulesFault } from '../config/rules.ts';
import { GatewayError, messageOf } from '../errors.ts';
import { flow, type Ports } from '../flow.ts';
import { brokenOf, refusalOf } from '../gateway/refusal.ts';
import { didYouMean } from '../problem.ts';
import { deny, type HookAnswer, noDecision } from '../shell/answer.ts';
import { callsOf } from '../shell/calls.ts';
import { readInContext } from '../shell/gather.ts';
import { decideLine } from '../shell/judging.ts';
import {
  HOOK_AGENTS,
  type HookAgent,
  type HookCommand,
  type HookEvent,
  quoted,
  readPayload,
} from '../shell/payload.ts';
import { HOOK_TIMEOUT_MS, registrationOf } from '../shell/registration.ts';
import { wakeDesk } from './desk-process.ts';
import { NO_HISTORY } from './history.ts';
import { createHolder } from './hold.ts';
import { builtInCatalog, type House, type HouseFlags, openHouse, ownerOf } from './house.ts';
import { statusInFile } from './inventory.ts';
import { createJudge } from './judge.ts';
import { meet } from './meet.ts';
import { atExit, complain, print } from './output.ts';
import { surroundingsHere } from './surroundings.ts';

export interface HookFlags extends HouseFlags {
  /** show what to paste into the agent's configuration */
  readonly print?: boolean;
  /** how long a command may wait for a person, in milliseconds */
  readonly hold?: number;
}

const MAX_PAYLOAD = 16 * 1024 * 1024;
/** For everything but a person's answer. */
const OWN_TIME_MS = 20_000;
const HOLD_MS = HOOK_TIMEOUT_MS - OWN_TIME_MS - 10_000;

/** Exit 0: no decision; 2: the command must not run, with the reason. */
export async function hook(named: string, flags: HookFlags): Promise<number> {
  const agent = agentOf(named);
  if (agent === null) {
    const guess = didYouMean(named, Object.keys(HOOK_AGENTS));
    complain(
      `toolgate hook: "${named}" is none of ${Object.keys(HOOK_AGENTS).join(', ')}${guess === null ? '' : `: did you mean "${guess}"?`}`,
    );
    return 2;
  }
  if (flags.print === true) return printRegistration(agent, flags);
  // Nothing of the environment that an agent may have had its hands in counts: only flags and the platform's own folders.
  const answer = await answerInTime(agent, { ...flags, ...folders(flags, {}) });
  // A reader that has gone must not turn a refusal into leave, as it does for what people read.
  process.stdout.removeAllListeners('error').on('error', () => process.exit(answer.exitCode));
  if (answer.stderr !== '') process.stderr.write(answer.stderr);
  if (answer.stdout !== '') process.stdout.write(answer.stdout);
  return answer.exitCode;
}

function agentOf(named: string): HookAgent | null {
  return Object.hasOwn(HOOK_AGENTS, named) ? (named as HookAgent) : null;
}

/** What is thrown anywhere, also where nobody waits for it, and what takes too long, is a refusal. */
function answerInTime(agent: HookAgent, flags: HookFlags): Promise<HookAnswer> {
  const answered = Promise.withResolvers<HookAnswer>();
  let asked: Pick<HookEvent, 'form' | 'event'> = { form: agent, event: 'PreToolUse' };
  const refuse = (why: string) =>
    answered.resolve(deny(asked, `toolgate could not judge this command, so it must not run: ${why}`));
  const late = () => refuse('it took too long; "toolgate doctor" says what may be wrong');
  const timer = setTimeout(late, (flags.hold ?? HOLD_MS) + OWN_TIME_MS);
  atExit.add(() => clearTimeout(timer));
  for (const event of ['uncaughtException', 'unhandledRejection'] as const)
    process.on(event, (error) => refuse(messageOf(error)));
  const answer = async () => {
    const text = await payloadText();
    const event = readPayload(text, agent);
    asked = event;
    return event.command === null ? noDecision(event.form) : judged(agent, event, event.command, flags);
  };
  answer().then(answered.resolve, (error) => refuse(messageOf(error)));
  return answered.promise.finally(() => clearTimeout(timer));
}

async function payloadText(): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of process.stdin) {
    pieces.push(piece as Buffer);
    size += (piece as Buffer).length;
    if (size > MAX_PAYLOAD) throw new GatewayError('config_invalid', `its payload is larger than ${MAX_PAYLOAD} bytes`);
  }
  return Buffer.concat(pieces).toString('utf8');
}

/** A line for another shell is read as what that shell is given. */
function lineOf({ text, shell }: HookCommand): string {
  return shell === 'powershell' ? `powershell -Command ${quoted(text)}` : text;
}

async function judged(agent: HookAgent, event: HookEvent, command: HookCommand, flags: HookFlags): Promise<HookAnswer> {
  // What concerns no integration is none of our affair, and doesn't wait for the store. The owner's catalog may know more.
  if (!existsSync(join(flags.config!, 'catalog'))) {
    const ours = buildCatalog((await builtInCatalog()).files);
    const { calls, unresolved, opaque } = readShell(ours, lineOf(command), { ...around(event), git: new Map() });
    if (calls.length + unresolved.length + opaque.length === 0) return noDecision(event.form);
  }
  const house = await openHouse(flags);
  try {
    return await throughCorridor(house, agent, event, command, flags.hold ?? HOLD_MS);
  } finally {
    await house.close();
  }
}

function around({ cwd }: HookEvent) {
  return { cwd, home: homedir(), aliases: new Map<string, string>() };
}

async function throughCorridor(
  house: House,
  agent: HookAgent,
  event: HookEvent,
  command: HookCommand,
  holdMs: number,
): Promise<HookAnswer> {
  const loaded = await house.rules.load();
  if (loaded.rules === null)
    throw new GatewayError('policy_invalid', `there are no rules to judge it by\n${rulesFault(loaded)}`);
  const surroundings = surroundingsHere(event.session, house.owner, event.cwd ?? process.cwd());
  const digestKey = await house.digestKey();
  const ports = { gate: null, sessionId: event.session, digestKey, wakeDesk: () => wakeDesk(house), log: complain };
  const judge = createJudge(house, () => surroundings, digestKey, ports.wakeDesk, NO_HISTORY);
  const holder = createHolder(house, ports);

  // The form may be another agent's than the one that the hook was installed for: both names match policies.
  const clientInfo = event.form === agent ? null : { name: HOOK_AGENTS[event.form] };
  const identity = identify({ flag: HOOK_AGENTS[agent], keyMatches: false, clientInfo });
  const whoAsks = async () => {
    const met = await meet(house, { ...identity, knownBy: 'hook' }, surroundings);
    if (met.alerted) wakeDesk(house);
    return met.agent;
  };
  const rulesNow = () => house.rules.current()!.rules!;
  const classify = () => {
    const { catalog, policies } = rulesNow();
    return callsOf(
      readInContext(catalog, lineOf(command), around(event)),
      command.text,
      catalog,
      (deed) => statusInFile(policies.file.tools, deed.calledName, deed) ?? 'Unreviewed',
    );
  };
  const decide: Ports<null, null>['decide'] = (who, calls, gathered) => {
    const { policies, hash } = rulesNow();
    return {
      decision: decideLine(policies, calls, { agent: who, gathered }, ownerOf(house)).decision,
      rulesHash: hash,
    };
  };
  const calls = classify();
  if (calls.length === 0) return noDecision(event.form);

  const gone = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => gone.abort());
  const unwatch = house.rules.watch(
    async () => holder.rulesChanged(),
    () => {},
  );
  try {
    const outcome = await flow<null, null>(null, {
      ...judge,
      identify: whoAsks,
      classify: () => calls,
      decide,
      recordDecision: (_, decided) => judge.recordDecision(null, decided),
      hold: (_, decided) =>
        holder.hold(decided, {
          method: 'shell',
          request: JSON.stringify({ command: command.text, ...(event.cwd !== null && { cwd: event.cwd }) }),
          launch: '',
          patienceMs: holdMs,
          signal: gone.signal,
          tell: () => {},
          judgeAgain: async (callId) => {
            await house.rules.latest();
            const [who, again] = [await whoAsks(), classify()];
            const gathered = await judge.count(callId, who, again, judge.gather());
            return { agent: who, calls: again, ...decide(who, again, gathered) };
          },
        }),
      forward: async () => ({
        result: null,
        completion: { status: 'released', durationMs: 0, bytes: null, error: null },
      }),
    });
    switch (outcome.kind) {
      case 'forwarded':
        return noDecision(event.form);
      case 'refused':
        return deny(event, refusalOf(outcome.judged, outcome.why).text);
      case 'broken':
        return deny(event, brokenOf(outcome.judged, outcome.error).text);
    }
  } finally {
    unwatch();
  }
}

function printRegistration(agent: HookAgent, flags: HookFlags): number {
  const { config, state } = folders(flags);
  const program = fileURLToPath(new URL('./toolgate.js', import.meta.url));
  const argv = [process.execPath, program, '--config', config, '--state', state, 'hook', agent];
  const { file, notes, config: registration } = registrationOf(agent, argv);
  complain(`Put this into ${file}, beside what is there already:`);
  print(JSON.stringify(registration, null, 2));
  for (const note of notes) complain(note);
  complain('It judges the commands that the agent runs in a shell. Paste it anew when Node or toolgate moves.');
  return 0;
}
