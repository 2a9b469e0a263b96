/** Finds the tool that a person names, as `github/create_issue`, `Linear/Delete issue` or `my-server/tool`. Pure. */
import { foldName } from '../call.ts';
import { classifyTool, type ToolClass } from './classify.ts';
import type { ToolDefinition } from './infer.ts';
import type { Catalog, Integration, IntegrationServer } from './load.ts';
import { type Recognised, recognise, type ServerLaunch } from './recognise.ts';

/**
 * Classifies a tool that is named by its own name on a server, or by its canonical id or title. With `byName` the key
 * may be an integration's or a server's name in the catalog; without, it is the owner's, and its launch tells.
 */
export function classifyNamed(
  catalog: Catalog,
  launch: ServerLaunch,
  definition: ToolDefinition,
  byName = true,
): { recognised: Recognised; toolClass: ToolClass } {
  const recognised = (byName ? namedServer(catalog, launch.key) : null) ?? recognise(catalog, launch);
  const toolClass = classifyTool(recognised, definition);
  if (toolClass.tool.source === 'owner' || toolClass.tool.source === 'catalog' || recognised.known === null)
    return { recognised, toolClass };
  const canonical = canonicalTool(recognised.known, definition.name);
  if (canonical === null) return { recognised, toolClass };
  const server = canonicalServer(recognised.known, canonical, definition.name);
  return { recognised, toolClass: classifyTool({ ...recognised, by: 'owner', servers: [server] }, definition) };
}

/** Whether the catalog has an integration, or a server, by that name. */
export function isNamed(catalog: Catalog, name: string): boolean {
  return (
    catalog.find(name) !== null ||
    [...catalog.integrations.values()].some(({ servers }) => servers.some((server) => server.name === name))
  );
}

/** A server by its name in the catalog, or all of an integration. */
function namedServer(catalog: Catalog, name: string): Recognised | null {
  const all = [...catalog.integrations.values()].flatMap((each) => each.servers);
  const byName = all.filter((server) => server.name === name);
  // One package may serve several integrations: first the one that it serves most.
  const servers = (byName.length > 0 ? byName : all.filter(({ server }) => server.title === name)).sort(
    (a, b) => Object.keys(b.server.tools).length - Object.keys(a.server.tools).length,
  );
  if (servers.length > 0) {
    const known = servers[0]!.integration;
    return { by: 'launch', servers, integration: known, own: known, known, why: 'it is named so in the catalog' };
  }
  const integration = catalog.find(name);
  return integration === null
    ? null
    : {
        by: 'owner',
        servers: integration.servers,
        integration,
        own: integration,
        known: integration,
        why: 'it names the integration',
      };
}

function canonicalTool(integration: Integration, name: string): string | null {
  const folded = foldName(name);
  for (const [id, { tool }] of integration.tools)
    if (foldName(id) === folded || foldName(tool.title) === folded) return id;
  return null;
}

/** A server that offers exactly this canonical tool, with canonical arguments. */
function canonicalServer(integration: Integration, tool: string, calledName: string): IntegrationServer {
  const entry = { calledName, entry: { tool }, origin: 'catalog' as const };
  return {
    name: 'canonical',
    integration,
    server: { tools: { [calledName]: { tool } } },
    byName: new Map([[foldName(calledName), [entry]]]),
  };
}
