/** Parts of the catalog, for those who start often and need little of it. Pure. */
import { once } from '../once.ts';
import type { LoadedFile } from './load.ts';
import { OWN_INTEGRATION } from './own.ts';
import type { CatalogCommand, CatalogFile } from './schema.ts';

/** Enough to judge commands: no servers, and of the tools those that a command or a request to the API may be. */
export function commandsOnly(files: readonly CatalogFile[]): CatalogFile[] {
  return files.map((file) => {
    const used = new Set(['call_api', ...file.api.map(({ tool }) => tool)]);
    const visit = (command: CatalogCommand): void => {
      if (command.tool !== undefined) used.add(command.tool);
      for (const each of command.cases ?? []) used.add(each.tool);
      for (const { select } of [command, ...(command.cases ?? [])])
        for (const meaning of Object.values(select?.values ?? {})) used.add(meaning);
      for (const inner of Object.values(command.subcommands ?? {})) visit(inner);
    };
    for (const command of Object.values(file.commands)) visit(command);
    const isUsed = ([id]: [string, unknown]) => used.has(id) || file.integration === OWN_INTEGRATION;
    return { ...file, servers: {}, tools: Object.fromEntries(Object.entries(file.tools).filter(isUsed)) };
  });
}

/** What tells whether a file is needed at all. */
type Head = Pick<LoadedFile, 'integration' | 'title' | 'aliases' | 'api_hosts' | 'programs'>;

/** As text of lines: the heads of all files in the first, then the rest of each file in its own. */
export function packed(files: readonly CatalogFile[]): string {
  const heads = files.map(
    ({ integration, title, aliases, api_hosts, commands }): Head => ({
      integration,
      title,
      ...(aliases && { aliases }),
      ...(api_hosts && { api_hosts }),
      programs: Object.keys(commands),
    }),
  );
  return [heads, ...files.map(({ api, commands, tools }) => ({ api, commands, tools }))]
    .map((line) => JSON.stringify(line))
    .join('\n');
}

/** Files whose contents stay text until they are looked at: of many a hook needs one. They have no servers. */
export function unpacked(text: string): LoadedFile[] {
  const [heads = '[]', ...rest] = text.split('\n');
  return (JSON.parse(heads) as Head[]).map((head, index) => {
    const contents = once(() => JSON.parse(rest[index]!) as Pick<CatalogFile, 'api' | 'commands' | 'tools'>);
    return {
      ...head,
      get api() {
        return contents().api;
      },
      get commands() {
        return contents().commands;
      },
      servers: {},
      get tools() {
        return contents().tools;
      },
    };
  });
}
