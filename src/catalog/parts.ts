/** Parts of the catalog, for those who start often and need little of it. Pure. */
import { once } from '../once.ts';
import type { LoadedFile } from './load.ts';
import { OWN_INTEGRATION } from './own.ts';
import type { CatalogCommand, CatalogFile } from './schema.ts';

/** Enough to judge commands: no servers, and of the tools those that a command or a request to the API may be. */
export function commandsOnly(files: readonly CatalogFile[]): CatalogFile[] {
  return files.map((file) => {
    const used = new Set(['call_api', ...file.api.flatMap(({ tool }) => tool ?? [])]);
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
export type Head = Pick<LoadedFile, 'integration' | 'title' | 'aliases' | 'api_hosts' | 'programs'>;
/** What is needed of a file only where it is. */
export type Contents = Pick<CatalogFile, 'api' | 'commands' | 'tools'>;

/** For one file of each integration: the heads of all, and the contents of each by its integration. */
export function inParts(files: readonly CatalogFile[]): { heads: Head[]; contents: Record<string, Contents> } {
  const heads = files.map(
    ({ integration, title, aliases, api_hosts, commands }): Head => ({
      integration,
      title,
      ...(aliases && { aliases }),
      ...(api_hosts && { api_hosts }),
      programs: Object.keys(commands),
    }),
  );
  const contents = files.map(
    ({ integration, api, commands, tools }) => [integration, { api, commands, tools }] as const,
  );
  return { heads, contents: Object.fromEntries(contents) };
}

/** Files whose contents are read when they are first looked at: of many a hook needs one. They have no servers. */
export function fromParts(heads: readonly Head[], contentsOf: (integration: string) => Contents): LoadedFile[] {
  return heads.map((head) => {
    const contents = once(() => contentsOf(head.integration));
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
