/** `toolgate catalog list | show <integration>`. */

import { join } from 'node:path';
import { canonicalArguments, describeTools } from '../catalog/describe.ts';
import { buildCatalog, type Catalog, readCatalogFolder } from '../catalog/load.ts';
import { didYouMean, formatProblems } from '../problem.ts';
import { type HouseFlags, openHouse } from './house.ts';
import { complain, print, printJson, table } from './output.ts';

/** Ours and the owner's; what is wrong with the owner's is said, and ours stay. */
export async function openCatalog(flags: HouseFlags): Promise<Catalog> {
  const house = await openHouse(flags);
  const owners = await readCatalogFolder(join(house.folders.config, 'catalog'));
  await house.close();
  if (owners.problems.length > 0) complain(formatProblems(owners.problems));
  return buildCatalog(house.ours, owners.files);
}

export async function catalogList(flags: HouseFlags & { json?: boolean }): Promise<number> {
  const catalog = await openCatalog(flags);
  const rows = [...catalog.integrations.values()].map(({ id, title, servers, tools }) => ({
    id,
    title,
    servers: servers.length,
    tools: tools.size,
  }));
  if (flags.json) printJson(rows);
  else
    print(
      table(
        ['INTEGRATION', 'ID', 'SERVERS', 'TOOLS'],
        rows.map(({ id, title, servers, tools }) => [title, id, String(servers), String(tools)]),
      ),
    );
  return 0;
}

export async function catalogShow(name: string, flags: HouseFlags & { json?: boolean }): Promise<number> {
  const catalog = await openCatalog(flags);
  const integration = catalog.find(name);
  if (integration === null) {
    const titles = [...catalog.integrations.values()].map(({ title }) => title);
    const guess = didYouMean(name, titles);
    complain(
      `"${name}" is not in the catalog${guess === null ? '' : `: did you mean "${guess}"?`}; "toolgate catalog list" shows what is`,
    );
    return 1;
  }
  const tools = describeTools(integration);
  const args = canonicalArguments(integration);
  if (flags.json)
    printJson({
      id: integration.id,
      title: integration.title,
      aliases: integration.aliases,
      servers: integration.servers.map(({ name: server }) => server),
      arguments: args,
      tools,
    });
  else
    print(
      `${table(
        ['TOOL', 'ID', 'OPERATION', 'BY ITS ARGUMENTS', 'CALLED'],
        tools.map(({ id, title, operation, changes, names }) => [
          title,
          id,
          operation,
          changes.join('; '),
          names.join(', '),
        ]),
      )}\n\narguments that are the same for all its servers: ${args.join(', ')}; others by the server's own names`,
    );
  return 0;
}
