/**
 * Which integration a configured server belongs to (docs/catalog.md). In order: the owner says so; its package, URL host or
 * docker image; its tool names; its binary's or its own name, which only labels; else its key is its integration.
 */
import { basename } from 'node:path';
import { foldName } from '../call.ts';
import { compileGlob } from '../glob.ts';
import type { Catalog, Integration, IntegrationServer } from './load.ts';
import type { CatalogServer } from './schema.ts';

/** What is known of a server before and after it has answered. */
export interface ServerLaunch {
  /** the owner's key in servers.json */
  readonly key: string;
  readonly integration?: string | undefined;
  readonly command?: string | undefined;
  readonly args?: readonly string[] | undefined;
  readonly url?: string | undefined;
  /** what it calls itself, once connected */
  readonly serverInfoName?: string | undefined;
  readonly toolNames?: readonly string[] | undefined;
}

/** How it was recognised. A `label` never lowers an operation; `key` means not recognised. */
export type RecognisedBy = 'owner' | 'launch' | 'tools' | 'label' | 'key';

export interface Recognised {
  readonly by: RecognisedBy;
  /** known servers that it may be, the likeliest first; several if one package serves several integrations */
  readonly servers: readonly IntegrationServer[];
  /** the integration when no tool says otherwise */
  readonly integration: { readonly id: string; readonly title: string };
  /** what the owner's key for the server stands for: policies on it count, whatever the server says of itself */
  readonly own: { readonly id: string; readonly title: string };
  /** its catalog entry; null if the catalog doesn't know it */
  readonly known: Integration | null;
  /** one sentence for people */
  readonly why: string;
}

export function recognise(catalog: Catalog, launch: ServerLaunch): Recognised {
  const own = catalog.find(launch.key) ?? { id: foldId(launch.key), title: launch.key };
  const found = (by: RecognisedBy, servers: readonly IntegrationServer[], why: string): Recognised => {
    const known = servers[0]!.integration;
    // What an upstream says of itself doesn't take away what the owner's key says of it.
    const ours = by === 'launch' ? [] : (catalog.find(launch.key)?.servers ?? []);
    const all = [...servers, ...ours.filter((server) => !servers.includes(server))];
    return { by, servers: all, integration: known, own, known, why };
  };
  const all = [...catalog.integrations.values()].flatMap((integration) => integration.servers);
  const byLaunch = launchMatches(all, launch);
  if (launch.integration !== undefined) {
    const known = catalog.find(launch.integration);
    const servers = byLaunch.servers.filter((server) => server.integration === known);
    return {
      by: 'owner',
      servers: servers.length > 0 ? servers : narrowed(known?.servers ?? [], launch.toolNames),
      integration: known ?? { id: foldId(launch.integration), title: launch.integration },
      own,
      known,
      why: 'servers.json says so',
    };
  }
  if (byLaunch.servers.length > 0) return found('launch', byLaunch.servers, byLaunch.why);
  const byTools = toolNameMatch(catalog, launch.toolNames ?? []);
  if (byTools !== null)
    return found(
      'tools',
      narrowed(byTools.servers, launch.toolNames),
      `${byTools.count} of its ${launch.toolNames!.length} tools are ${byTools.integration.title}'s`,
    );
  const label = labelMatches(all, launch);
  if (label.servers.length > 0) return found('label', label.servers, label.why);
  const known = catalog.find(launch.key);
  return {
    by: 'key',
    servers: known?.servers ?? [],
    integration: own,
    own,
    known,
    why: 'not recognised: its key is taken as its integration',
  };
}

/** An integration's id from what somebody calls it. */
export function foldId(name: string): string {
  return name
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\s_]+/gu, '-');
}

/** Of an integration's servers, those that know every tool of this one, if any do: then it is one of them. */
function narrowed(
  servers: readonly IntegrationServer[],
  toolNames: readonly string[] = [],
): readonly IntegrationServer[] {
  const folded = toolNames.map(foldName);
  const knowing = folded.length === 0 ? [] : servers.filter(({ byName }) => folded.every((name) => byName.has(name)));
  return knowing.length > 0 ? knowing : servers;
}

function launchMatches(
  all: readonly IntegrationServer[],
  launch: ServerLaunch,
): { servers: IntegrationServer[]; why: string } {
  const read = readLaunch(launch);
  if (read === null) return { servers: [], why: '' };
  // Of one package that serves several integrations, first the one that it serves most.
  const servers = all
    .filter(({ server }) => isLaunchOf(server, read))
    .sort((a, b) => Object.keys(b.server.tools).length - Object.keys(a.server.tools).length);
  return {
    servers,
    why: read.kind === 'url' ? `its URL is at ${read.host}` : `it is started from ${read.kind} ${read.name}`,
  };
}

function isLaunchOf(server: CatalogServer, read: ReadLaunch): boolean {
  switch (read.kind) {
    case 'package':
      return server.packages?.includes(read.name) ?? false;
    case 'docker':
      return server.docker?.includes(read.name) ?? false;
    case 'url':
      return server.hosts?.some((host) => hostMatches(host, read.host, read.path)) ?? false;
  }
}

type ReadLaunch = { kind: 'package' | 'docker'; name: string } | { kind: 'url'; host: string; path: string };

const RUNNERS = new Set(['npx', 'bunx', 'uvx', 'pnpx']);
const SUB_RUNNERS: Record<string, readonly (readonly string[])[]> = {
  pnpm: [['dlx'], ['exec']],
  yarn: [['dlx']],
  npm: [['exec'], ['x']],
  bun: [['x']],
  pipx: [['run']],
  uv: [['tool', 'run'], ['run']],
  deno: [['run']],
};
const DOCKER_FLAGS_WITHOUT_VALUE = new Set([
  '-i',
  '-t',
  '-it',
  '-ti',
  '-d',
  '--rm',
  '--interactive',
  '--tty',
  '--init',
  '--privileged',
  '--read-only',
  '--detach',
  '-P',
  '--no-healthcheck',
  '--oom-kill-disable',
]);

/** What a launch names: a package without its version, an image without its tag, or a URL. */
export function readLaunch(launch: Pick<ServerLaunch, 'command' | 'args' | 'url'>): ReadLaunch | null {
  if (launch.url !== undefined) return readUrl(launch.url);
  if (launch.command === undefined) return null;
  const program = basename(launch.command)
    .replace(/\.(exe|cmd|ps1)$/i, '')
    .toLowerCase();
  const args = launch.args ?? [];
  if (program === 'docker' || program === 'podman') return readDocker(args);
  const rest = RUNNERS.has(program) ? args : afterSubcommand(SUB_RUNNERS[program] ?? [], args);
  return rest === null ? null : readPackage(rest);
}

function afterSubcommand(forms: readonly (readonly string[])[], args: readonly string[]): readonly string[] | null {
  for (const form of forms) if (form.every((word, index) => args[index] === word)) return args.slice(form.length);
  return null;
}

function readPackage(args: readonly string[]): ReadLaunch | null {
  let name: string | null = null;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    const [flag, inline] = arg.split('=', 2) as [string, string | undefined];
    if (flag === '--package' || flag === '-p' || flag === '--from' || flag === '--spec') {
      name = inline ?? args[++i] ?? null;
      break;
    }
    if (flag === '--python' || flag === '--with' || flag === '--registry' || flag === '--index-url') {
      if (inline === undefined) i++;
    } else if (!arg.startsWith('-')) {
      name = arg;
      break;
    }
  }
  if (name === null) return null;
  const bare = name
    .replace(/^npm:/, '')
    .replace(/(?<=.)@[^/@]*$/, '')
    .replace(/\[.*\]/, '')
    .replace(/[=<>~!].*$/, '');
  if (bare === 'mcp-remote') {
    const url = args.find((arg) => /^https?:\/\//i.test(arg));
    if (url !== undefined) return readUrl(url);
  }
  return { kind: 'package', name: bare };
}

function readDocker(args: readonly string[]): ReadLaunch | null {
  const start = args.indexOf('run');
  if (start < 0) return null;
  for (let i = start + 1; i < args.length; i++) {
    const arg = args[i]!;
    if (!arg.startsWith('-')) return { kind: 'docker', name: arg.replace(/@sha256:.*$/, '').replace(/:[^/:]*$/, '') };
    if (!arg.includes('=') && !DOCKER_FLAGS_WITHOUT_VALUE.has(arg)) i++;
  }
  return null;
}

function readUrl(url: string): ReadLaunch | null {
  if (!URL.canParse(url)) return null;
  const { host, pathname } = new URL(url);
  return { kind: 'url', host: host.toLowerCase(), path: pathname };
}

function hostMatches(pattern: string, host: string, path: string): boolean {
  const [wantedHost, ...rest] = pattern.split('/');
  const wantedPath = rest.length === 0 ? '' : `/${rest.join('/')}`;
  return (
    compileGlob(wantedHost!)(host) &&
    (path === wantedPath ||
      path.startsWith(wantedPath.endsWith('/') ? wantedPath : `${wantedPath}/`) ||
      wantedPath === '')
  );
}

/** At least three tool names, and over half, belong to one integration; if two tie, neither. */
function toolNameMatch(
  catalog: Catalog,
  toolNames: readonly string[],
): { integration: Integration; servers: IntegrationServer[]; count: number } | null {
  if (toolNames.length < 3) return null;
  const folded = toolNames.map(foldName);
  const scored = [...catalog.integrations.values()]
    .map((integration) => {
      const servers = integration.servers
        .map((server) => ({ server, count: folded.filter((name) => server.byName.has(name)).length }))
        .filter(({ count }) => count > 0)
        .sort((a, b) => b.count - a.count)
        .map(({ server }) => server);
      const count = folded.filter((name) => servers.some((server) => server.byName.has(name))).length;
      return { integration, servers, count };
    })
    .sort((a, b) => b.count - a.count);
  const best = scored[0];
  if (best === undefined || best.count < 3 || best.count * 2 <= toolNames.length || scored[1]?.count === best.count)
    return null;
  return best;
}

function labelMatches(
  all: readonly IntegrationServer[],
  launch: ServerLaunch,
): { servers: IntegrationServer[]; why: string } {
  const names = [launch.command === undefined ? null : basename(launch.command), launch.serverInfoName ?? null].filter(
    (name) => name !== null,
  );
  const servers = all.filter(({ server, name }) =>
    names.some((label) => label === name || (server.names?.includes(label) ?? false)),
  );
  return { servers, why: `it calls itself ${names.join(', ')}, which is only a label` };
}
