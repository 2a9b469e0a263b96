/** `toolgate serve`: the gate for one client over stdio. */
import { pino } from 'pino';
import { buildCatalog, type Catalog } from '../catalog/load.ts';
import { inForceMeanwhile, isReviewed, type LoadedRules, rulesFault } from '../config/rules.ts';
import { sha256 } from '../digest.ts';
import { messageOf } from '../errors.ts';
import { type McpAsked, requestText } from '../gateway/door.ts';
import { Gate } from '../gateway/gate.ts';
import { patienceMs } from '../gateway/patience.ts';
import { Session } from '../gateway/session.ts';
import { serveClient } from '../gateway/stdio.ts';
import { newId } from '../ids.ts';
import { openDeliveries } from '../notify/alerts.ts';
import { formatProblems } from '../problem.ts';
import { sweepCounters } from '../store/counters.ts';
import { forgetProcess, noteProcess, processId, sweepOrphans } from '../upstream/orphans.ts';
import { INSIDE } from '../upstream/process.ts';
import { wakeDesk } from './desk-process.ts';
import { watchGuards } from './guards.ts';
import { createHolder } from './hold.ts';
import { type House, type HouseFlags, openHouse, VERSION } from './house.ts';
import { noteTools, statusOfTool } from './inventory.ts';
import { createJudge } from './judge.ts';
import { giveBackWhenQuiet } from './memory.ts';
import { tellOfRules } from './rules-news.ts';
import { configuredServers } from './servers.ts';
import { surroundingsHere, withRoots } from './surroundings.ts';
import { createVisitor, readCredentials } from './visitor.ts';

export interface ServeFlags extends HouseFlags {
  readonly agent?: string | undefined;
  readonly logLevel?: string | undefined;
  /** how long a call is held at most, in milliseconds; else by client */
  readonly hold?: number | undefined;
}

/** Serves until the client goes; resolves with the exit code. */
export async function serve(flags: ServeFlags): Promise<number> {
  const log = pino({ level: flags.logLevel ?? 'warn', base: null }, pino.destination({ fd: 2, sync: true }));
  if (process.env[INSIDE] !== undefined) {
    log.error('servers.json starts toolgate itself: take that server out');
    return 3;
  }
  const house = await openHouse(flags);
  const sessionId = newId();
  const credentials = await readCredentials(house, flags.agent ?? null, (text) => log.warn(text));
  if (credentials === null) {
    log.error(
      `the key in TOOLGATE_AGENT_KEY is not the one registered for "${flags.agent}": register it again with "toolgate agents register"`,
    );
    await house.close();
    return 3;
  }
  const { servers, off } = configuredServers(
    house.folders.config,
    (text) => log.error(text),
    (text) => log.warn(text),
  );

  // Before any server is started: one whose change nobody has accepted must not be.
  const reviewed = await house.store.read((tx) => isReviewed(tx, house.folders.config)).catch(() => false);
  const heldBack = reviewed ? ((await house.rules.load().catch(() => null))?.heldBack ?? []) : [];
  const waiting = heldBack.map(
    (key) => `${key} is not started: its change waits to be accepted (toolgate policy accept); then restart your agent`,
  );
  for (const why of waiting) log.warn(why);

  const closing = Promise.withResolvers<void>();
  const here = surroundingsHere(sessionId, house.owner);
  let surroundings = here;
  const visitor = createVisitor(house, credentials, () => surroundings);
  const record = (event: Parameters<typeof house.recorder.now>[0][number]) =>
    void house.recorder.now([event]).catch((error) => log.error(messageOf(error)));

  const gate = new Gate(
    servers.flatMap((server) => (server.kind === 'ready' && !heldBack.includes(server.key) ? [server.spec] : [])),
    [...off, ...waiting],
    () => house.rules.current()?.rules?.catalog ?? oursAlone(house),
    {
      log: (message) => log.info(message),
      onTools: (upstream, known) => noteTools(house, upstream, known),
      onProcess: (pid, runs) =>
        void noteUpstreamProcess(house, pid, runs).catch((error) => log.error(messageOf(error))),
      onUpstreamFailed: (upstream, error) => {
        log.warn(error.message);
        record({
          type: 'upstream.failed',
          ts: Date.now(),
          'toolgate.server': upstream.spec.key,
          'error.type': error.code,
          'toolgate.error': error.message,
        });
      },
      onWithheld: (withheld) => {
        log.warn(`${withheld.server}: the tool ${JSON.stringify(withheld.name)} is not shown: ${withheld.why}`);
        record({
          type: 'tool.withheld',
          ts: Date.now(),
          'toolgate.server': withheld.server,
          'gen_ai.tool.name': withheld.name,
          'toolgate.error': withheld.why,
        });
      },
    },
  );

  const digestKey = await house.digestKey().catch(() => '');
  const judge = createJudge(
    house,
    () => surroundings,
    digestKey,
    () => wakeDesk(house),
  );
  const holder = createHolder(house, {
    gate: house.process,
    sessionId,
    digestKey,
    wakeDesk: () => wakeDesk(house),
    log: (message) => log.error(message),
  });
  /** Who asks and what tools mean is known under some rules: under others it is worked out anew. */
  let inStepWith: string | null = null;
  const keepInStep = async () => {
    const hash = house.rules.current()?.rules?.hash ?? null;
    if (hash === inStepWith) return;
    visitor.forget();
    await gate.reclassify();
    inStepWith = hash;
  };
  const identify = async () => {
    const { agent, alerted } = await visitor.agent();
    if (alerted) wakeDesk(house);
    return agent;
  };
  const session = new Session(gate, {
    door: {
      ...judge,
      identify,
      recordDecision: (asked, judged) => judge.recordDecision(asked.method, judged),
      hold: (asked, judged) =>
        holder.hold(judged, {
          method: asked.method,
          request: requestText(asked),
          launch: sha256(JSON.stringify(asked.upstream.spec.launch)),
          patienceMs: flags.hold ?? patienceMs(visitor.clientName(), asked.onProgress !== null),
          signal: asked.signal,
          tell: progressTeller(asked.onProgress),
          judgeAgain: async (callId) => {
            await house.rules.latest();
            await keepInStep();
            const agent = await identify();
            const call = asked.classify();
            const gathered = await judge.count(callId, agent, [call], judge.gather());
            return { agent, calls: [call], ...judge.decide(agent, [call], gathered) };
          },
        }),
    },
    statusOf: (known) => statusOfTool(house, known),
  });

  const start = async () => {
    gate.start();
    try {
      const orphans = await house.store.write((tx) => {
        sweepCounters(tx, Date.now());
        return sweepOrphans(tx);
      });
      if (orphans > 0) log.warn(`ended ${orphans} servers that a gate which was killed had left`);
      const loaded = await house.rules.load();
      await keepInStep();
      noteRules(loaded, log);
      const told = await tellOfRules(house, loaded);
      record({
        type: 'gateway.started',
        ts: Date.now(),
        'mcp.session.id': sessionId,
        'toolgate.version': VERSION,
        'process.pid': process.pid,
        'toolgate.servers': servers.map(({ key }) => key),
      });
      const { alerted } = await visitor.agent();
      unguard = watchGuards(
        house,
        () => wakeDesk(house),
        (error) => log.error(messageOf(error)),
      );
      // An earlier desk may have ended before everything was delivered.
      if (told || alerted || (await house.store.read(openDeliveries)) > 0) wakeDesk(house);
    } catch (error) {
      log.error(messageOf(error));
    }
    void gate.ready().then(giveBackWhenQuiet);
  };
  // What follows from the rules comes before what is told of them: telling needs the store, and is tried again.
  const onRules = async (loaded: LoadedRules) => {
    noteRules(loaded, log);
    await keepInStep();
    holder.rulesChanged();
    const { agent } = await visitor.agent();
    await session.rejudgeSubscriptions((call) => judge.allows(agent, call));
    if (await tellOfRules(house, loaded)) wakeDesk(house);
  };
  let unguard = () => {};
  const unwatch = house.rules.watch(onRules, (fault) => log.error(`the rules could not be read again: ${fault}`));

  serveClient(gate, session, VERSION, {
    input: process.stdin,
    output: process.stdout,
    log: (message) => log.warn(message),
    onClient: (clientInfo) => visitor.introduce(clientInfo),
    onRoots: (uris) => {
      surroundings = withRoots(here, uris);
    },
    onFirstMessage: () => void start(),
    onEnd: () => closing.resolve(),
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => closing.resolve());
  process.once('disconnect', () => closing.resolve());

  await closing.promise;
  unwatch();
  unguard();
  await gate.close();
  await house.recorder.now([{ type: 'gateway.stopped', ts: Date.now(), 'mcp.session.id': sessionId }]).catch(() => {});
  await house.close();
  return 0;
}

/** Written down while it runs, so that the next gate can end it should this one be killed. */
async function noteUpstreamProcess(house: House, pid: number, runs: boolean): Promise<void> {
  const [upstream, gate] = [processId(pid), processId(process.pid)];
  await house.store.write((tx) => {
    if (!runs) forgetProcess(tx, pid);
    else if (upstream !== null && gate !== null) noteProcess(tx, upstream, gate);
  });
}

/** Each message is one step further: what it grows to nobody knows. */
function progressTeller(onProgress: McpAsked['onProgress']): (message: string) => void {
  let progress = 0;
  return (message) => onProgress?.({ progress: ++progress, message });
}

function oursAlone(house: House): Catalog {
  return buildCatalog(house.ours);
}

function noteRules(loaded: LoadedRules, log: { error: (text: string) => void; warn: (text: string) => void }): void {
  const warnings = loaded.problems.filter(({ severity }) => severity === 'warning');
  if (loaded.stale) log.error(`${rulesFault(loaded)}\n${inForceMeanwhile(loaded)}`);
  if (loaded.proposed !== null)
    log.warn('a change of the rules waits to be accepted: toolgate policy accept; those before stay in force');
  if (warnings.length > 0) log.warn(formatProblems(warnings));
}
