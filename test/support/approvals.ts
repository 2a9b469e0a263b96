/** Calls that wait for a person: a server that offers Linear's tools, and the people who answer. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { mintReviewerKey } from '../../src/approvals/keys.ts';
import { openStore } from '../../src/store/store.ts';
import { eventually, type GateOptions, type Ran, type RunningGate, run, startGate } from './gate.ts';
import { type Scratch, scratch } from './scratch.ts';
import { scripted, watched } from './servers.ts';

export const ASK_BEFORE_DELETING = `version: 1
policies:
  - name: Require human approval before deleting a Linear issue
    when: an agent makes a tool call
    if: { integration: Linear, tool: Delete issue }
    action: Require human approval
`;

/** A scratch folder whose desk is stopped after the test. */
export function folder(): Scratch {
  const where = scratch();
  onTestFinished(async () => {
    await run(where, ['desk', '--stop']);
  });
  return where;
}

/** A server that offers Linear's tools; every byte that reaches it is kept. */
export function linear(where: Scratch, script: object = {}) {
  const tools = ['list_issues', 'get_issue', 'create_issue', 'delete_issue'];
  const seen = join(where.folder, 'linear-stdin');
  const ran = (): { name: string; arguments: any; _meta?: object }[] =>
    existsSync(seen)
      ? readFileSync(seen, 'utf8')
          .split('\n')
          .filter((line) => line.includes('"tools/call"'))
          .map((line) => JSON.parse(line).params)
      : [];
  return { server: { ...watched(scripted({ tools, ...script }), seen), integration: 'Linear' }, ran };
}

export interface HoldingGate extends RunningGate {
  /** the tool calls that reached Linear */
  readonly ran: () => { name: string; arguments: any; _meta?: object }[];
}

export async function holdingGate(options: Partial<GateOptions> & { script?: object } = {}): Promise<HoldingGate> {
  const where = options.where ?? folder();
  const { server, ran } = linear(where, options.script);
  const gate = await startGate({ where, servers: { linear: server }, policies: ASK_BEFORE_DELETING, ...options });
  await gate.client.listTools();
  return { ...holding(gate), ran };
}

/** What is held when a test fails ends with its gate: that is no second failure. */
export function holding<Gate extends Pick<RunningGate, 'client'>>(gate: Gate): Gate {
  const callTool = gate.client.callTool.bind(gate.client);
  gate.client.callTool = (...args) => {
    const call = callTool(...args);
    call.catch(() => {});
    return call;
  };
  return gate;
}

export const deleteIssue = (id: unknown = 'ENG-12') => ({ name: 'linear__delete_issue', arguments: { id } });

/** The approvals as `toolgate approvals --json` gives them, the open ones first. */
export async function approvals(where: Scratch, ...flags: string[]): Promise<any[]> {
  return JSON.parse((await run(where, ['approvals', '--json', ...flags])).out);
}

/** Waits until exactly so many are open, and gives them. */
export function open(where: Scratch, count = 1): Promise<any[]> {
  return eventually(async () => {
    const found = (await approvals(where)).filter(({ state }) => state === 'open');
    return found.length === count && found;
  });
}

/** A file with the key of a reviewer; by default of the owner, whom policies ask that name nobody. */
export async function reviewerKey(where: Scratch, reviewer = `@${userInfo().username}`): Promise<string> {
  const path = join(where.folder, `${reviewer.replace(/\W/g, '')}.key`);
  if (existsSync(path)) return path;
  const store = openStore(where.state);
  const key = await store.write((tx) => mintReviewerKey(tx, reviewer, Date.now()));
  store.close();
  writeFileSync(path, key, { mode: 0o600 });
  return path;
}

/** Answers on the command line, with the key of a reviewer. */
export async function say(
  where: Scratch,
  verdict: 'approve' | 'deny',
  code: string,
  options: { as?: string; reason?: string; remember?: boolean } = {},
): Promise<Ran> {
  const key = await reviewerKey(where, options.as);
  const reason = options.reason === undefined ? [] : ['--reason', options.reason];
  const remember = options.remember === true ? ['--remember'] : [];
  return run(where, [verdict, code, '--reviewer-key', key, ...reason, ...remember]);
}
