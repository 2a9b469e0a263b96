/**
 * After an agent has used a tool: whether toolgate had let it. A hook that was killed, hung or switched off leaves no decision,
 * and most agents then run the command; so does one that ignores a refusal. That is written down, and told.
 */

import { identify } from '../agents/identify.ts';
import { writeEvents } from '../audit/chain.ts';
import { type ToolUse, wasReleased } from '../audit/tool-uses.ts';
import type { Call } from '../call.ts';
import { insertAlerts } from '../notify/alerts.ts';
import { redact } from '../redact.ts';
import { HOOK_AGENTS, type HookAgent, type HookAsks, type HookEvent } from '../shell/payload.ts';
import { shorten, titleOf } from './call-words.ts';
import { wakeDesk } from './desk-process.ts';
import { requestOf } from './hook-asks.ts';
import { goesThroughGate, hookCalls, openHookHouse } from './hook-calls.ts';
import { channelsOf, type House, type HouseFlags } from './house.ts';

export async function afterTool(agent: HookAgent, event: HookEvent, asks: HookAsks, flags: HouseFlags): Promise<void> {
  const house = await openHookHouse(asks, flags);
  try {
    await look(house, agent, event, asks);
  } finally {
    await house.close();
  }
}

async function look(house: House, agent: HookAgent, event: HookEvent, asks: HookAsks): Promise<void> {
  const { rules } = await house.rules.load();
  // Without rules every command is refused: this one ran all the same.
  const calls = rules === null ? [] : (await hookCalls(house, event, asks))(rules).calls;
  if (rules !== null && calls.length === 0) return;
  if (await goesThroughGate(house, event, asks)) return;
  const use: ToolUse = {
    id: event.toolUse,
    session: event.session,
    name: calls[0]?.calledName ?? null,
    since: Date.now() - LOOK_BACK_MS,
  };
  if (await house.store.read((tx) => wasReleased(tx, use))) return;
  await report(house, agent, event, asks, calls[0] ?? null);
}

/** A build may have run for hours since it was judged. */
const LOOK_BACK_MS = 12 * 3_600_000;

async function report(
  house: House,
  agent: HookAgent,
  event: HookEvent,
  asks: HookAsks,
  call: Call | null,
): Promise<void> {
  const now = Date.now();
  const { name } = identify({ flag: HOOK_AGENTS[agent], keyMatches: false, clientInfo: null });
  const what = call === null ? 'a command' : `${titleOf(call)} · ${call.tools[0]?.title ?? call.calledName}`;
  const request = shorten(redact(requestOf(event, asks)) as string);
  const channels = channelsOf(house);
  await house.store.write((tx) => {
    writeEvents(tx, [
      {
        type: 'command.unjudged',
        ts: now,
        'gen_ai.agent.name': name,
        'mcp.session.id': event.session,
        ...(event.toolUse !== null && { 'gen_ai.tool.call.id': event.toolUse }),
        ...(call !== null && {
          'gen_ai.tool.name': call.calledName,
          'toolgate.via': call.via,
          'toolgate.integration': titleOf(call),
          'toolgate.operation': call.operation,
        }),
        'toolgate.request': request,
      },
    ]);
    const alert = {
      severity: 'high' as const,
      kind: 'command',
      policy: null,
      agent: name,
      title: `${name} ran ${what}, and toolgate had not let it`,
      detail: {
        Agent: name,
        Operation: call?.operation ?? 'unknown',
        Request: request,
        Mend: 'the hook was killed, hung or switched off, or the agent ignored its answer: toolgate doctor',
      },
      callId: null,
    };
    insertAlerts(tx, [alert], channels, now);
  });
  if (channels.length > 0) wakeDesk(house);
}
