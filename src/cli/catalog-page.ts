/** The page that lists every integration, tool and operation of our catalog: docs/catalog-tools.md. Pure. */
import { describeTools } from '../catalog/describe.ts';
import type { Catalog } from '../catalog/load.ts';

export function catalogPage(catalog: Catalog): string {
  const integrations = [...catalog.integrations.values()];
  const count = integrations.reduce((sum, { tools }) => sum + tools.size, 0);
  return [
    '# Every tool of the catalog',
    '',
    '<!-- Generated: npm run generate -->',
    '',
    `${integrations.length} integrations, ${count} tools. What the operations mean, and how arguments change them: [the catalog](catalog.md).`,
    ...integrations.flatMap((integration) => [
      '',
      `## ${integration.title}`,
      '',
      `Id \`${integration.id}\`; servers: ${integration.servers.map(({ name, server }) => server.title ?? name).join(', ')}.`,
      '',
      '| Tool | Id | Operation | By its arguments | Called |',
      '|---|---|---|---|---|',
      ...describeTools(integration).map(({ id, title, operation, changes, names }) =>
        row([title, `\`${id}\``, operation, changes.join('; '), names.map((name) => `\`${name}\``).join(', ')]),
      ),
    ]),
    '',
  ].join('\n');
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
