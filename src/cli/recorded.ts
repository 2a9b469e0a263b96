/** A call, or a command, that was recorded, as the rules would see it now. What the record doesn't hold nobody can tell. */
import { fixedStatus } from '../agents/identify.ts';
import type { AuditEvent } from '../audit/events.ts';
import { listTools } from '../audit/tools.ts';
import type {
  Agent,
  Argument,
  Call,
  Door,
  IdentityStrength,
  JsonObject,
  Operation,
  ReviewStatus,
  Surroundings,
  Workspace,
} from '../call.ts';
import type { ToolClass } from '../catalog/classify.ts';
import { classifyNamed } from '../catalog/named.ts';
import type { OwnPlaces } from '../catalog/own.ts';
import type { Rules } from '../config/rules.ts';
import { statusInFile } from '../policy/tool-status.ts';
import type { House } from './house.ts';
import { definitionIn, launches } from './on-record.ts';
import { ownPlaces } from './own-places.ts';
import { deedIn, fieldsOf, operationIn } from './recorded-deeds.ts';
import { callsOfLineAlone, statusByFile } from './shell-calls.ts';
import { localZone } from './surroundings.ts';

export interface RecordedCall {
  readonly agent: Agent;
  /** several for a shell line; none if it runs nothing that these rules are about */
  readonly calls: readonly Call[];
  readonly surroundings: Surroundings;
  readonly at: number;
}

/** Reads the `call.decided` events of a log. Equal agents and surroundings come back as the same values. */
export async function createRecordReader(house: House, rules: Rules): Promise<(body: AuditEvent) => RecordedCall> {
  const rows = await house.store.read(listTools);
  const launchOf = launches(house, rows);
  const { catalog, policies } = rules;
  const own = ownPlaces(house.folders);
  const agents = new Map<string, Agent>();
  const places = new Map<string, Surroundings>();
  const classes = new Map<string, ToolClass>();

  const classOf = (server: string, name: string, integration: string): ToolClass => {
    const key = `${server}\n${name}\n${integration}`;
    let found = classes.get(key);
    if (found === undefined) {
      const row = rows.find((each) => each.server === server && each.name === name);
      const launch = launchOf(server) ?? { key: server, integration };
      found = classifyNamed(catalog, launch, definitionIn(row, name), false).toolClass;
      classes.set(key, found);
    }
    return found;
  };

  const agentOf = (body: AuditEvent): Agent => {
    const id = String(body['gen_ai.agent.id']);
    const strength = body['toolgate.agent.strength'] as IdentityStrength;
    const recorded = body['toolgate.agent.status'] as ReviewStatus;
    const key = `${id}\n${strength}\n${recorded}`;
    let agent = agents.get(key);
    if (agent === undefined) {
      const known = {
        id,
        name: String(body['gen_ai.agent.name']),
        aliases: [],
        claims: [],
        strength,
        knownBy: 'the log',
      };
      const fixed = fixedStatus(policies.file.agents, { ...known, mixedScripts: false });
      agent = { ...known, status: fixed ?? recorded };
      agents.set(key, agent);
    }
    return agent;
  };

  const surroundingsOf = (body: AuditEvent): Surroundings => {
    const session = String(body['mcp.session.id'] ?? '');
    // The folders may change in the middle of one.
    const key = `${session}\n${JSON.stringify(body['toolgate.workspaces'])}`;
    let place = places.get(key);
    if (place === undefined) {
      place = {
        session,
        user: (body['toolgate.user'] as string | undefined) ?? null,
        workspaces: (body['toolgate.workspaces'] as Workspace[] | undefined) ?? [],
        zone: localZone,
      };
      places.set(key, place);
    }
    return place;
  };

  return (body) => ({
    agent: agentOf(body),
    calls:
      body['toolgate.via'] === 'cli' ? commandCalls(body, rules, own) : [callOf(body, classOf, policies.file.tools)],
    surroundings: surroundingsOf(body),
    at: body.ts,
  });
}

/** The line is read again, as in a folder of which git knows nothing by now. */
function commandCalls(body: AuditEvent, rules: Rules, own: OwnPlaces): Call[] {
  const { catalog } = rules;
  const { values, whole } = argumentsOf(body);
  const { command: line } = values;
  const [workspace] = (body['toolgate.workspaces'] as Workspace[] | undefined) ?? [];
  if (whole && typeof line === 'string')
    return callsOfLineAlone(catalog, line, workspace?.spellings[0] ?? null, own, statusByFile(rules));
  return fieldsOf(body).map((fields) => ({
    ...deedIn(fields, catalog),
    operation: operationIn(fields),
    source: 'unknown',
    reasons: ['as it was recorded'],
    definitionHash: null,
    rawArguments: values,
    argument: () => LOST,
    namesOf: (canonical) => [canonical],
  }));
}

function callOf(
  body: AuditEvent,
  classOf: (server: string, name: string, integration: string) => ToolClass,
  statuses: Rules['policies']['file']['tools'],
): Call {
  const name = String(body['gen_ai.tool.name']);
  const server = (body['toolgate.server'] as string | null) ?? null;
  const integration = String(body['toolgate.integration']);
  const toolClass = classOf(server ?? integration, name, integration);
  const args = argumentsOf(body);
  const reader = toolClass.reader(args.values);
  const method = body['mcp.method.name'];
  const isTool = method === undefined || method === 'tools/call';
  return {
    ...(isTool ? toolClass.ofCall(args.values) : readOf(toolClass, name, String(body['toolgate.tool.title']))),
    via: (body['toolgate.via'] as Door | undefined) ?? 'mcp',
    server,
    calledName: name,
    toolStatus: statusInFile(statuses, name, toolClass.tool) ?? (body['toolgate.tool.status'] as ReviewStatus),
    definitionHash: (body['toolgate.tool.definition'] as string | undefined) ?? null,
    rawArguments: args.values,
    argument: args.whole ? reader : (path) => (args.lost ? LOST : known(reader, path)),
    namesOf: toolClass.namesOf,
  };
}

/** Requests that are no tool calls are all Reads of their integration. */
function readOf(toolClass: ToolClass, id: string, title: string) {
  const possible: Operation[] = ['Read'];
  return { ...toolClass.tool, tools: [{ id, title }], possible, operation: 'Read' as const };
}

const LOST: Argument = { state: 'unreadable', why: 'the log does not hold it whole' };
const CUT = /\[redacted:|\[\d+ characters, sha256 |\[too deep\]/;

/** `whole`: nothing was taken out; `lost`: there is nothing left of them but their size. */
function argumentsOf(body: AuditEvent): { values: JsonObject; whole: boolean; lost: boolean } {
  const values = body['gen_ai.tool.call.arguments'];
  if (values === null || typeof values !== 'object' || Array.isArray(values))
    return { values: {}, whole: false, lost: true };
  const lost = ['bytes', 'sha256', 'start', 'end'].every((key) => key in values);
  const whole = !lost && body['toolgate.arguments.digest'] === undefined;
  return { values: lost ? {} : (values as JsonObject), whole, lost };
}

/** What was masked or cut, or stands below it, nobody knows. */
function known(reader: (path: string) => Argument, path: string): Argument {
  const steps = path.split('.');
  for (let length = 1; length <= steps.length; length++) {
    const found = reader(steps.slice(0, length).join('.'));
    if (found.state === 'value' && CUT.test(JSON.stringify(found.value))) return LOST;
  }
  return reader(path);
}
