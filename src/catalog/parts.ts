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

/** A file whose contents stay text until they are looked at: of many a hook needs one. */
interface Packed {
  readonly head: Pick<CatalogFile, 'integration' | 'title' | 'aliases' | 'api_hosts'>;
  readonly programs: readonly string[];
  /** the rest of the file as JSON */
  readonly rest: string;
}

/** For files as `commandsOnly` gives them. */
export function packed(files: readonly CatalogFile[]): Packed[] {
  return files.map(({ integration, title, aliases, api_hosts, ...rest }) => ({
    head: { integration, title, ...(aliases && { aliases }), ...(api_hosts && { api_hosts }) },
    programs: Object.keys(rest.commands),
    rest: JSON.stringify(rest),
  }));
}

export function unpacked(files: readonly Packed[]): LoadedFile[] {
  return files.map(({ head, programs, rest }) => {
    const contents = once(() => JSON.parse(rest) as Omit<CatalogFile, 'integration' | 'title'>);
    return {
      ...head,
      programs,
      get api() {
        return contents().api;
      },
      get commands() {
        return contents().commands;
      },
      get servers() {
        return {};
      },
      get tools() {
        return contents().tools;
      },
    };
  });
}

/**
 * Enough to tell what is surely no affair of any integration: the names of programs and of their subcommands, the hosts of
 * APIs, and toolgate's own tools. Whatever is found with it is to be looked at with more.
 */
export function programsOnly(files: readonly CatalogFile[]): CatalogFile[] {
  return files
    .filter(({ commands, api_hosts }) => Object.keys(commands).length + (api_hosts ?? []).length > 0)
    .map(({ integration, title, api_hosts, commands, tools }) => ({
      integration,
      title,
      ...(api_hosts !== undefined && { api_hosts }),
      api: [],
      servers: {},
      commands: Object.fromEntries(
        Object.entries(commands).map(([name, { subcommands = {} }]) => [
          name,
          { tool: ANY, subcommands: Object.fromEntries(Object.keys(subcommands).map((each) => [each, { tool: ANY }])) },
        ]),
      ),
      tools: { ...(integration === OWN_INTEGRATION && tools), [ANY]: { title: 'Any', operation: 'Delete' } },
    }));
}

const ANY = 'any';
