/** Reads catalog files and merges them: the owner's win over ours, tool by tool. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { foldName } from '../call.ts';
import { messageOf } from '../errors.ts';
import { once } from '../once.ts';
import { errorAt, type Problem, WHOLE_FILE } from '../problem.ts';
import type { ApiRule, CatalogCommand, CatalogFile, CatalogServer, CatalogServerTool, CatalogTool } from './schema.ts';

/** Who wrote an entry. */
export type CatalogOrigin = 'owner' | 'catalog';

export interface LoadedCatalogs {
  readonly files: readonly CatalogFile[];
  readonly problems: readonly Problem[];
}

/** Every `*.yaml` of a folder, in the order of their names; a folder that isn't there is empty. A bad file is left out, with its problems. */
export async function readCatalogFolder(folder: string): Promise<LoadedCatalogs> {
  if (!existsSync(folder)) return { files: [], problems: [] };
  const { readYaml } = await import('../yaml.ts');
  const { problemsOf } = await import('../schema.ts');
  const { catalogFile } = await import('./schema.ts');
  const files: CatalogFile[] = [];
  const problems: Problem[] = [];
  let names: string[];
  try {
    names = readdirSync(folder)
      .filter((entry) => /\.ya?ml$/.test(entry))
      .sort();
  } catch (error) {
    const fault = `the folder can't be read: ${messageOf(error)}`;
    return { files, problems: [errorAt(`${basename(folder)}/`, WHOLE_FILE, fault, 'check its permissions')] };
  }
  for (const name of names) {
    const shown = join(basename(folder), name);
    try {
      const yaml = readYaml(shown, readFileSync(join(folder, name), 'utf8'));
      if (yaml.problems.length > 0) {
        problems.push(...yaml.problems);
        continue;
      }
      const parsed = catalogFile.safeParse(yaml.value);
      if (parsed.success) files.push(parsed.data);
      else problems.push(...problemsOf(parsed.error.issues, shown, yaml.locate));
    } catch (error) {
      problems.push(errorAt(shown, WHOLE_FILE, `can't be read: ${messageOf(error)}`, 'check its permissions'));
    }
  }
  return { files, problems };
}

/** A file that may know the names of its programs without reading the rest of it. */
export type LoadedFile = CatalogFile & { readonly programs?: readonly string[] };

/** One tool of one server, with where it came from. */
export interface ServerToolEntry {
  readonly calledName: string;
  readonly entry: CatalogServerTool;
  readonly origin: CatalogOrigin;
}

export interface IntegrationServer {
  readonly name: string;
  readonly integration: Integration;
  readonly server: CatalogServer;
  /** folded called name, with and without the integration's name before it → entries; several if names collide */
  readonly byName: ReadonlyMap<string, readonly ServerToolEntry[]>;
}

export interface Integration {
  readonly id: string;
  readonly title: string;
  readonly aliases: readonly string[];
  readonly apiHosts: readonly string[];
  /** names of its programs */
  readonly programs: readonly string[];
  /** programs, by their names */
  readonly commands: ReadonlyMap<string, CatalogCommand>;
  /** which tool a request to its API is; the first that fits counts, the owner's before ours */
  readonly api: readonly ApiRule[];
  readonly servers: readonly IntegrationServer[];
  readonly tools: ReadonlyMap<string, { readonly tool: CatalogTool; readonly origin: CatalogOrigin }>;
}

/** All that is known of integrations and their tools; the vocabulary of policies too. */
export interface Catalog {
  readonly integrations: ReadonlyMap<string, Integration>;
  /** by folded id, title or alias */
  readonly find: (name: string) => Integration | null;
}

/** Without the owner's, of files that were merged before: a hook looks at them before it has any rules, and under them. */
const builtBefore = new WeakMap<readonly LoadedFile[], Catalog>();

/** Merges ours with the owner's files. */
export function buildCatalog(ours: readonly LoadedFile[], owners: readonly CatalogFile[] = []): Catalog {
  if (owners.length > 0) return merged(ours, owners);
  const built = builtBefore.get(ours) ?? merged(ours, owners);
  builtBefore.set(ours, built);
  return built;
}

function merged(ours: readonly LoadedFile[], owners: readonly CatalogFile[]): Catalog {
  const ids = new Set([...ours, ...owners].map((file) => file.integration));
  const integrations = new Map<string, Integration>();
  const byName = new Map<string, Integration>();
  for (const id of ids) {
    const integration = merge(
      id,
      ours.filter((file) => file.integration === id),
      owners.filter((file) => file.integration === id),
    );
    integrations.set(id, integration);
    for (const name of [id, integration.title, ...integration.aliases]) byName.set(foldName(name), integration);
  }
  return { integrations, find: (name) => byName.get(foldName(name)) ?? null };
}

function merge(id: string, ours: readonly LoadedFile[], owners: readonly CatalogFile[]): Integration {
  const layers: readonly { readonly file: LoadedFile; readonly origin: CatalogOrigin }[] = [
    ...ours.map((file) => ({ file, origin: 'catalog' as const })),
    ...owners.map((file) => ({ file, origin: 'owner' as const })),
  ];
  const servers = new Map<string, { server: CatalogServer; tools: Map<string, ServerToolEntry> }>();
  for (const { file, origin } of layers) {
    for (const [name, server] of Object.entries(file.servers)) {
      const known = servers.get(name);
      const merged = {
        server: { ...known?.server, ...server },
        tools: known?.tools ?? new Map<string, ServerToolEntry>(),
      };
      for (const [calledName, entry] of Object.entries(server.tools))
        merged.tools.set(calledName, { calledName, entry, origin });
      servers.set(name, merged);
    }
  }
  // Read when they are first asked for: a hook needs those of one integration.
  const commands = once(() => mergedCommands(layers.map(({ file }) => file)));
  const api = once(() => [...owners, ...ours].flatMap((file) => file.api));
  const tools = once(
    () =>
      new Map(
        layers.flatMap(({ file, origin }) =>
          Object.entries(file.tools).map(([toolId, tool]) => [toolId, { tool, origin }]),
        ),
      ),
  );
  const integration: Integration = {
    id,
    title: layers.at(-1)!.file.title,
    aliases: layers.flatMap(({ file }) => file.aliases ?? []),
    apiHosts: layers.flatMap(({ file }) => file.api_hosts ?? []),
    programs: [...new Set(layers.flatMap(({ file }) => file.programs ?? Object.keys(file.commands)))],
    get commands() {
      return commands();
    },
    get api() {
      return api();
    },
    servers: [],
    get tools() {
      return tools();
    },
  };
  const list = [...servers].map(([name, { server, tools: entries }]): IntegrationServer => {
    // A gate meets few of all the servers that there are, so their names are sorted when they are first asked for.
    let index: ReadonlyMap<string, readonly ServerToolEntry[]> | null = null;
    return {
      name,
      integration,
      server,
      get byName() {
        index ??= nameIndex(integration, [...entries.values()]);
        return index;
      },
    };
  });
  return Object.assign(integration, { servers: list });
}

/** A program's subcommands, one by one: what a later file says of one leaves the others as they are. */
function mergedCommands(files: readonly CatalogFile[]): Map<string, CatalogCommand> {
  const found = new Map<string, CatalogCommand>();
  for (const { commands } of files)
    for (const [name, command] of Object.entries(commands)) {
      const known = found.get(name);
      found.set(name, known === undefined ? command : mergedCommand(known, command));
    }
  return found;
}

function mergedCommand(ours: CatalogCommand, theirs: CatalogCommand): CatalogCommand {
  if (ours.subcommands === undefined || theirs.subcommands === undefined) return { ...ours, ...theirs };
  const subcommands = { ...ours.subcommands };
  for (const [name, command] of Object.entries(theirs.subcommands)) {
    const known = Object.hasOwn(subcommands, name) ? subcommands[name] : undefined;
    subcommands[name] = known === undefined ? command : mergedCommand(known, command);
  }
  return { ...ours, ...theirs, subcommands };
}

/**
 * A known name keeps its class whatever its case, its separators, and with or without the integration's name before
 * it. Where two tools would then share a name, the exact spelling keeps its own and the shared one means either.
 */
function nameIndex(integration: Integration, entries: readonly ServerToolEntry[]): Map<string, ServerToolEntry[]> {
  const index = new Map<string, ServerToolEntry[]>();
  const add = (name: string, entry: ServerToolEntry) => {
    const known = index.get(name);
    if (known === undefined) index.set(name, [entry]);
    else if (!known.includes(entry)) known.push(entry);
  };
  const exact = new Set(entries.map((entry) => foldName(entry.calledName)));
  for (const entry of entries) {
    const folded = foldName(entry.calledName);
    add(folded, entry);
    for (const prefix of new Set([integration.id, integration.title].map(foldName))) {
      if (!exact.has(prefix + folded)) add(prefix + folded, entry);
      const bare = folded.startsWith(prefix) ? folded.slice(prefix.length) : '';
      if (bare !== '' && !exact.has(bare)) add(bare, entry);
    }
  }
  return index;
}
