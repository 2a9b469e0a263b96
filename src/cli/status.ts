/** `toolgate status`: whether the rules are good, and what happened in the last day. */
import { listAgents } from '../agents/registry.ts';
import { liveApprovals } from '../approvals/book.ts';
import { type CommandCounts, commandsSince } from '../audit/tool-uses.ts';
import { listTools } from '../audit/tools.ts';
import { readRuleFiles, rulesFault } from '../config/rules.ts';
import { readServers } from '../config/servers.ts';
import { deskFacts } from '../desk/facts.ts';
import { isLocked } from '../desk/lock.ts';
import { messageOf } from '../errors.ts';
import { listAlerts, openDeliveries } from '../notify/alerts.ts';
import { addressOf, answers } from './console.ts';
import { guardsHere, guardWords, nameOfAgent } from './guards.ts';
import { type HouseFlags, openHouse } from './house.ts';
import { configuredLaunches, unrecognised } from './on-record.ts';
import { counted, print, printJson } from './output.ts';
import { serversOff } from './servers.ts';

const DAY_MS = 86_400_000;

/** Exit 1 if the rules are stale, missing or not yet accepted, or the store can't be written. */
export async function status(flags: HouseFlags & { json?: boolean }): Promise<number> {
  const house = await openHouse(flags);
  try {
    const loaded = await house.rules.load();
    const since = Date.now() - DAY_MS;
    const facts = await house.store.read((tx) => ({
      decisions: Object.fromEntries(
        tx
          .all<{ decision: string; n: number }>(
            `SELECT body ->> '$."toolgate.policy.decision"' AS decision, count(*) AS n FROM events WHERE type = 'call.decided' AND ts >= ? GROUP BY 1`,
            since,
          )
          .map(({ decision, n }) => [decision, n]),
      ),
      agents: listAgents(tx).filter(({ first_seen }) => first_seen !== null).length,
      tools: listTools(tx),
      commands: commandsSince(tx, since),
      alerts: listAlerts(tx, 1000).filter(({ created_at }) => created_at >= since).length,
      undelivered: openDeliveries(tx),
    }));
    const files = readRuleFiles(house.folders.config);
    const servers = 'text' in files.servers ? readServers(files.servers.text).servers : null;
    const off = servers === null ? [] : serversOff(house.folders.config);
    const unwritable = await house.store.write(() => null).catch((error) => messageOf(error));
    const desk = isLocked(house.folders.state) ? await house.store.read(deskFacts) : null;
    const answering = desk !== null && (await answers(desk));
    const waiting = (await house.store.read(liveApprovals)).filter(({ state }) => state === 'open').length;
    const strangers =
      loaded.rules === null ? [] : unrecognised(loaded.rules.catalog, configuredLaunches(house, facts.tools));
    const guards = guardsHere();
    const unclassified = facts.tools.filter(({ operation }) => operation === null).length;
    const usable = loaded.rules !== null && !loaded.stale && loaded.proposed === null && unwritable === null;
    if (flags.json) {
      printJson({
        config: house.folders.config,
        state: house.folders.state,
        rules: {
          hash: loaded.rules?.hash ?? null,
          stale: loaded.stale,
          proposed: loaded.proposed,
          problems: loaded.problems,
        },
        policies: loaded.rules?.policies.file.policies.length ?? 0,
        servers: { configured: Object.keys(servers?.entries ?? {}).length, off, notRecognised: strangers },
        agents: facts.agents,
        tools: { seen: facts.tools.length, unclassified },
        last24h: { decisions: facts.decisions, alerts: facts.alerts, commands: facts.commands },
        hooks: guards.map(({ agent, state, file }) => ({ agent, state, file })),
        undelivered: facts.undelivered,
        desk: desk === null ? null : { pid: desk.pid, address: addressOf(desk), answers: answering },
        approvals: { open: waiting },
        unwritable,
      });
    } else {
      const decided = Object.entries(facts.decisions).map(([decision, n]) => `${n} ${decision}`);
      print(
        [
          `rules      ${loaded.rules === null ? 'none: every call is refused' : `${loaded.rules.hash.slice(0, 12)}, ${counted(loaded.rules.policies.file.policies.length, 'policy', 'policies')}${loaded.stale ? '; STALE: the files have errors' : ''}`}`,
          ...(loaded.proposed === null
            ? []
            : ['           a change of them waits to be accepted: toolgate policy accept']),
          `servers    ${Object.keys(servers?.entries ?? {}).length} configured`,
          ...(strangers.length === 0
            ? []
            : [`           not recognised: ${strangers.join(', ')} (toolgate catalog coverage)`]),
          ...off.map((why) => `           ${why} (as seen from this shell)`),
          `agents     ${facts.agents} seen`,
          `tools      ${facts.tools.length} seen${unclassified === 0 ? '' : `, ${unclassified} unclassified`}`,
          `last 24 h  ${decided.length === 0 ? 'no call' : decided.join(', ')}; ${counted(facts.alerts, 'alert', 'alerts')}`,
          ...commandLines(facts.commands),
          ...guards.map((guard) => `hooks      ${nameOfAgent(guard.agent)}: ${guardWords(guard)}`),
          `approvals  ${waiting === 0 ? 'nothing waits for a person' : `${counted(waiting, 'call waits', 'calls wait')} for a person: toolgate approvals, or toolgate console`}`,
          `desk       ${desk === null ? 'not running (it starts when a call is held or an alert is raised)' : `running at ${addressOf(desk)}${answering ? '' : ', which does not answer'}`}${facts.undelivered === 0 ? '' : `; ${facts.undelivered} deliveries waiting`}`,
          ...(unwritable === null ? [] : [`store      every call is refused: ${unwritable}`]),
          `config     ${house.folders.config}`,
          `state      ${house.folders.state}`,
          ...(loaded.rules === null || loaded.stale ? ['', rulesFault(loaded)] : []),
        ].join('\n'),
      );
    }
    return usable ? 0 : 1;
  } finally {
    await house.close();
  }
}

/** What the hooks saw, and how much of it could not be read. */
function commandLines({ judged, unreadable, hidden, unjudged }: CommandCounts): string[] {
  if (judged + unjudged === 0) return [];
  return [
    `commands   ${counted(judged, 'line', 'lines')} judged; ${unreadable} not readable, ${hidden} with code that is not in the line`,
    ...(unjudged === 0 ? [] : [`           ${unjudged} RAN WITHOUT LEAVE: toolgate log --type command.unjudged`]),
  ];
}
