/** `toolgate tools [list | allow | disallow | unreview]`. */
import { writeEvents } from '../audit/chain.ts';
import { listTools, setToolStatus, toolStatus } from '../audit/tools.ts';
import type { ReviewStatus } from '../call.ts';
import { bumpStatuses } from '../config/statuses.ts';
import { type HouseFlags, openHouse } from './house.ts';
import { complain, print, printJson, table, when } from './output.ts';

export async function toolsList(flags: HouseFlags & { json?: boolean }): Promise<number> {
  const house = await openHouse(flags);
  const rows = await house.store.read(listTools);
  await house.close();
  const tools = rows.map((row) => ({
    ...row,
    status: toolStatus(row, null, row.definition_hash),
    changed: row.definition_hash !== row.accepted_hash,
  }));
  // What nobody could classify stands on top.
  tools.sort((a, b) => Number(a.operation !== null) - Number(b.operation !== null));
  if (flags.json) printJson(tools);
  else if (tools.length === 0) complain('no tool has been seen yet: they are listed once an agent has connected');
  else
    print(
      table(
        ['SERVER', 'TOOL', 'INTEGRATION', 'OPERATION', 'FROM', 'STATUS', 'DEFINITION', 'FIRST SEEN'],
        tools.map((tool) => [
          tool.server,
          tool.name,
          tool.integration,
          tool.operation ?? 'unknown',
          tool.source,
          tool.status,
          tool.changed ? 'changed' : '',
          when(tool.first_seen),
        ]),
      ),
    );
  return 0;
}

/** Sets a status and accepts the definition as it is now. */
export async function toolsSet(server: string, name: string, status: ReviewStatus, flags: HouseFlags): Promise<number> {
  const house = await openHouse(flags);
  const known = await house.store.write((tx) => {
    const done = setToolStatus(tx, server, name, status);
    if (done) {
      bumpStatuses(tx);
      writeEvents(tx, [
        {
          type: 'tool.review_changed',
          ts: Date.now(),
          'toolgate.server': server,
          'gen_ai.tool.name': name,
          'toolgate.tool.status': status,
          'toolgate.by': house.owner,
        },
      ]);
    }
    return done;
  });
  await house.close();
  if (!known) complain(`the server "${server}" has shown no tool "${name}"; "toolgate tools list" shows them`);
  return known ? 0 : 1;
}
