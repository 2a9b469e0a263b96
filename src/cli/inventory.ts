/** The tools of the upstreams, written down before they are shown, and what the owner said of them. */
import { writeEvents } from '../audit/chain.ts';
import { seeTool, toolStatus } from '../audit/tools.ts';
import type { ReviewStatus } from '../call.ts';
import { definitionOf, type KnownTool, type KnownUpstream } from '../gateway/door.ts';
import { statusInFile } from '../policy/tool-status.ts';
import type { Upstream } from '../upstream/connection.ts';
import type { House } from './house.ts';

/** Puts the tools of an upstream into the inventory. */
export async function noteTools(house: House, upstream: Upstream, known: KnownUpstream): Promise<void> {
  const now = Date.now();
  const server = upstream.spec.key;
  await house.store.write((tx) => {
    const fresh: string[] = [];
    const changed: string[] = [];
    for (const { exposed, toolClass, definitionHash } of known.tools.values()) {
      const { integrations, tools, operation, source } = toolClass.tool;
      const tool = tools.map(({ id }) => id).join('|');
      const integration = integrations[0]?.id ?? server;
      const seen = seeTool(
        tx,
        {
          server,
          name: exposed.name,
          definitionHash,
          definition: JSON.stringify(definitionOf(exposed)),
          integration,
          tool,
          operation,
          source,
        },
        now,
      );
      if (seen === 'new') fresh.push(exposed.name);
      if (seen === 'changed') changed.push(exposed.name);
    }
    const common = {
      ts: now,
      'toolgate.server': server,
      'toolgate.integration': known.recognised.integration.title,
      'toolgate.recognised': known.recognised.why,
    };
    writeEvents(tx, [
      ...(fresh.length > 0 ? [{ type: 'tool.discovered' as const, ...common, 'toolgate.tools': fresh }] : []),
      ...(changed.length > 0
        ? [{ type: 'tool.definition_changed' as const, ...common, 'toolgate.tools': changed }]
        : []),
    ]);
  });
  await house.statuses.refresh();
}

/**
 * The file's word first, then the command's, and only for the definition that was accepted: as the upstream shows it
 * now. What the file says of an integration counts for a server that only calls itself so if it is Disallowed.
 */
export function statusOfTool(house: House, known: KnownTool): ReviewStatus {
  const { exposed, definitionHash } = known;
  const rules = house.rules.current()?.rules ?? null;
  const row = house.statuses.tool(exposed.upstream.spec.key, exposed.name);
  const file = rules?.policies.file.tools ?? NO_TOOLS;
  return toolStatus(
    row,
    file === NO_TOOLS || Object.keys(file).length === 0 ? null : statusInFile(file, exposed.name, known.toolClass.tool),
    definitionHash,
  );
}

const NO_TOOLS = {};
