/** `toolgate agents [list | allow | disallow | unreview | register]`. */
import { fixedStatus } from '../agents/identify.ts';
import { agentNamed } from '../agents/names.ts';
import { clearDisallowedRaised, findAgent, listAgents, registerAgent, setAgentStatus } from '../agents/registry.ts';
import { writeEvents } from '../audit/chain.ts';
import type { ReviewStatus } from '../call.ts';
import { bumpStatuses } from '../config/statuses.ts';
import { didYouMean } from '../problem.ts';
import { wakeDesk } from './desk-process.ts';
import { type HouseFlags, openHouse } from './house.ts';
import { meet } from './meet.ts';
import { complain, print, printJson, table, when } from './output.ts';
import { surroundingsUnseen } from './surroundings.ts';

export async function agentsList(flags: HouseFlags & { json?: boolean }): Promise<number> {
  const house = await openHouse(flags);
  const rows = await house.store.read(listAgents);
  const fixed = (await house.rules.load()).rules?.policies.file.agents ?? {};
  await house.close();
  const agents = rows.map((row) => {
    const inFile = fixedStatus(fixed, {
      id: row.id,
      name: row.name,
      aliases: [],
      claims: [],
      strength: row.strength,
      knownBy: row.known_by,
      mixedScripts: false,
    });
    return {
      ...row,
      key_hash: undefined,
      registered: row.key_hash !== null,
      status: inFile ?? row.status ?? 'Unreviewed',
      status_from: inFile === null ? (row.status === null ? 'default' : 'command') : 'policies.yaml',
    };
  });
  if (flags.json) printJson(agents);
  else if (agents.length === 0)
    complain("no agent has been seen yet: register toolgate in an agent's client, and start it");
  else
    print(
      table(
        ['AGENT', 'STATUS', 'FROM', 'IDENTITY', 'KNOWN BY', 'FIRST SEEN', 'LAST SEEN'],
        agents.map((agent) => [
          agent.name,
          agent.status,
          agent.status_from,
          agent.strength,
          agent.known_by,
          when(agent.first_seen),
          when(agent.last_seen),
        ]),
      ),
    );
  return 0;
}

/** An empty name is most likely an unset variable. */
function isBlank(name: string): boolean {
  if (name.trim() !== '') return false;
  complain('the name is empty: name an agent, such as Cursor');
  return true;
}

export async function agentsSet(name: string, status: ReviewStatus, flags: HouseFlags): Promise<number> {
  if (isBlank(name)) return 2;
  const house = await openHouse(flags);
  try {
    const agent = agentNamed(name);
    const fixed = fixedStatus((await house.rules.load()).rules?.policies.file.agents ?? {}, {
      ...agent,
      aliases: [],
      claims: [],
      strength: 'claimed',
      knownBy: '',
      mixedScripts: false,
    });
    if (fixed !== null && fixed !== status) {
      complain(`policies.yaml says that ${agent.name} is ${fixed}, and its word counts: change it there`);
      return 1;
    }
    const seen = await house.store.write((tx) => {
      setAgentStatus(tx, agent, status);
      if (status !== 'Disallowed') clearDisallowedRaised(tx, agent.id);
      bumpStatuses(tx);
      writeEvents(tx, [
        {
          type: 'agent.review_changed',
          ts: Date.now(),
          'gen_ai.agent.id': agent.id,
          'gen_ai.agent.name': agent.name,
          'toolgate.agent.status': status,
          'toolgate.by': house.owner,
        },
      ]);
      return findAgent(tx, agent.id);
    });
    if (seen?.first_seen == null) {
      const names = (await house.store.read(listAgents))
        .filter(({ first_seen }) => first_seen !== null)
        .map((row) => row.name);
      const guess = didYouMean(agent.name, names);
      complain(
        `${agent.name} is now ${status}; no agent of that name has been seen yet${guess === null ? '' : ` (did you mean "${guess}"?)`}`,
      );
    }
    // It became Disallowed: that is a discovery again, whether or not it is connected now.
    if (status === 'Disallowed' && seen !== undefined && seen.first_seen !== null) {
      const identity = {
        ...agent,
        aliases: [],
        claims: [],
        strength: seen.strength,
        knownBy: seen.known_by,
        mixedScripts: false,
      };
      const { alerted } = await meet(house, identity, surroundingsUnseen(house.owner));
      if (alerted) wakeDesk(house);
    }
    return 0;
  } finally {
    await house.close();
  }
}

/** Prints the lines to paste; the key is shown this once. */
export async function agentsRegister(name: string, flags: HouseFlags & { json?: boolean }): Promise<number> {
  if (isBlank(name)) return 2;
  const house = await openHouse(flags);
  const agent = agentNamed(name);
  const earlier = await house.store.read((tx) => findAgent(tx, agent.id)?.key_hash ?? null);
  const key = await house.store.write((tx) => {
    writeEvents(tx, [
      {
        type: 'agent.registered',
        ts: Date.now(),
        'gen_ai.agent.id': agent.id,
        'gen_ai.agent.name': agent.name,
        'toolgate.by': house.owner,
      },
    ]);
    return registerAgent(tx, agent);
  });
  const launcher = process.argv[1]?.replace(/dist[/\\]toolgate\.js$/, 'dist/toolgate.js') ?? 'toolgate';
  const entry = {
    command: process.execPath,
    args: [launcher, '--config', house.folders.config, '--state', house.folders.state, 'serve', '--agent', agent.name],
    env: { TOOLGATE_AGENT_KEY: key },
  };
  await house.close();
  if (flags.json) printJson({ agent, key, entry });
  else {
    print(JSON.stringify({ mcpServers: { toolgate: entry } }, null, 2));
    if (earlier !== null) complain(`The earlier key of ${agent.name} no longer works: replace it where it is used.`);
    complain(
      `Paste this into the configuration of ${agent.name}. The key is shown only now: whoever has it is taken for ${agent.name}.`,
    );
  }
  return 0;
}
