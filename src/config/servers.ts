/** Reads `servers.json`: the `mcpServers` object that every client uses, with places, and variables filled in. */
import { getNodeValue, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import { z } from 'zod';
import { foldName } from '../call.ts';
import type { Catalog } from '../catalog/load.ts';
import { recognise } from '../catalog/recognise.ts';
import { GatewayError } from '../errors.ts';
import { errorAt, mendChoice, type Place, type Problem, WHOLE_FILE } from '../problem.ts';
import { faultAndMend, type Locate, problemsOf, strict } from '../schema.ts';
import { CLIENT_ONLY_KEYS, type ServerEntry, serverEntry, type UpstreamSpec } from '../upstream/schema.ts';
import { fillVariables } from './variables.ts';

const FILE = 'servers.json';

export const serversFile = strict({
  $schema: z.unknown().optional(),
  mcpServers: z.record(z.string(), serverEntry, {
    error: faultAndMend(
      '"mcpServers" is missing or not a block',
      'write { "mcpServers": { "github": { "command": … } } }',
    ),
  }),
});

/** One configured server: ready to start, or why not. */
export type ConfiguredServer =
  | { readonly kind: 'ready'; readonly key: string; readonly spec: UpstreamSpec }
  | { readonly kind: 'off'; readonly key: string; readonly why: string };

export interface ServersFile {
  readonly entries: Readonly<Record<string, ServerEntry>>;
}

/** `servers` is null if there is any error; warnings come with a value. Values of variables are never looked at here. */
export function readServers(written: string): {
  servers: ServersFile | null;
  problems: Problem[];
  locate: Locate | null;
} {
  const text = written.replace(/^\ufeff/, '');
  const lines = text.split(/\r?\n/);
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { allowTrailingComma: true, disallowComments: false });
  const report = (place: Place, fault: string, mend: string, severity: Problem['severity'] = 'error'): Problem => ({
    file: FILE,
    ...place,
    severity,
    fault,
    mend,
  });
  if (text.trim() === '' || (tree === undefined && errors.length === 0)) {
    return {
      servers: null,
      locate: null,
      problems: [report(WHOLE_FILE, 'the file is empty', 'write { "mcpServers": {} }, or copy servers.example.json')],
    };
  }
  if (errors.length > 0) {
    const first = errors[0]!;
    return {
      servers: null,
      locate: null,
      problems: [
        report(
          placeOf(text, lines, first.offset),
          `this is not valid JSON: ${spaced(printParseErrorCode(first.error))}`,
          'mend the JSON here or just before',
        ),
      ],
    };
  }
  const locate: Locate = (path, what) => locateIn(tree!, path, what, (offset) => placeOf(text, lines, offset));
  const problems = duplicates(tree!, (offset) => placeOf(text, lines, offset));
  const parsed = serversFile.safeParse(getNodeValue(tree!));
  if (!parsed.success) problems.push(...problemsOf(parsed.error.issues, FILE, locate));
  else problems.push(...checkKeys(parsed.data.mcpServers, locate));
  const broken = !parsed.success || problems.some(({ severity }) => severity === 'error');
  return { servers: broken ? null : { entries: parsed.data.mcpServers }, problems, locate };
}

/** An `integration` that the catalog doesn't know, or that is another than the one the launch names, is most likely a slip. */
export function checkIntegrations(file: ServersFile, catalog: Catalog, locate: Locate | null): Problem[] {
  const problems: Problem[] = [];
  for (const [key, entry] of Object.entries(file.entries)) {
    if (entry.integration === undefined || locate === null) continue;
    const place = locate(['mcpServers', key, 'integration'], 'value');
    const warn = (fault: string, mend: string) =>
      problems.push({ file: FILE, ...place, severity: 'warning', fault, mend });
    const known = catalog.find(entry.integration);
    const launched = recognise(catalog, {
      key,
      command: entry.command,
      args: entry.args,
      url: entry.url ?? entry.serverUrl ?? entry.httpUrl,
    });
    if (known === null) {
      const titles = [...catalog.integrations.values()].map(({ title }) => title);
      warn(
        `the catalog knows no integration "${entry.integration}": no policy on another covers this server`,
        mendChoice(entry.integration, titles),
      );
    } else if (launched.by === 'launch' && !launched.servers.some(({ integration }) => integration === known))
      warn(
        `its launch is ${launched.integration.title}'s, and it is called ${known.title}`,
        `policies on ${launched.integration.title} don't cover it; take "integration" out, or correct it`,
      );
  }
  return problems;
}

/** The servers that nothing says what they are, of those of which `isUnknown` says so. */
export function unrecognisedServers(text: string, isUnknown: (key: string) => boolean): Problem[] {
  const { servers, locate } = readServers(text);
  if (servers === null || locate === null) return [];
  return Object.keys(servers.entries)
    .filter(isUnknown)
    .map((key) => ({
      file: FILE,
      ...locate(['mcpServers', key], 'key'),
      severity: 'warning',
      fault: `"${key}" is not recognised: its key is taken as its integration, and its tools are judged by their names`,
      mend: 'write "integration:" beside it, or see "toolgate catalog coverage"',
    }));
}

/** Fills variables in and says what starts. A variable that isn't set turns off the one server that needs it. */
export function resolveServers(file: ServersFile, env: NodeJS.ProcessEnv): ConfiguredServer[] {
  return Object.entries(file.entries).map(([key, entry]): ConfiguredServer => {
    if (entry.disabled === true || entry.enabled === false)
      return { kind: 'off', key, why: `${key} is disabled in ${FILE}` };
    try {
      return { kind: 'ready', key, spec: specOf(key, entry, env) };
    } catch (error) {
      if (error instanceof GatewayError) return { kind: 'off', key, why: error.message };
      throw error;
    }
  });
}

function specOf(key: string, entry: ServerEntry, env: NodeJS.ProcessEnv): UpstreamSpec {
  const fill = (value: string) => fillVariables(value, env, key);
  const fillAll = (values: Record<string, string> | undefined) =>
    Object.fromEntries(Object.entries(values ?? {}).map(([name, value]) => [name, fill(value)]));
  const url = entry.url ?? entry.serverUrl ?? entry.httpUrl;
  if (url !== undefined && !/^https?:$/.test(URL.canParse(fill(url)) ? new URL(fill(url)).protocol : ''))
    throw new GatewayError('config_invalid', `${key} is off: its URL is not an http or https address`);
  return {
    key,
    prefix: entry.prefix ?? key,
    integration: entry.integration,
    launch:
      url === undefined
        ? {
            kind: 'stdio',
            command: fill(entry.command!),
            args: (entry.args ?? []).map(fill),
            env: fillAll(entry.env),
            cwd: entry.cwd === undefined ? undefined : fill(entry.cwd),
          }
        : { kind: 'http', url: fill(url), headers: fillAll(entry.headers) },
    timeoutMs: (entry.timeoutSeconds ?? 600) * 1000,
    startupTimeoutMs: (entry.startupTimeoutSeconds ?? 60) * 1000,
    hide: entry.hide ?? [],
  };
}

function checkKeys(entries: Record<string, ServerEntry>, locate: Locate): Problem[] {
  const problems: Problem[] = [];
  const report = (
    path: PropertyKey[],
    what: 'key' | 'value',
    fault: string,
    mend: string,
    severity: Problem['severity'] = 'error',
  ) => problems.push({ file: FILE, ...locate(path, what), severity, fault, mend });
  const prefixes = new Map<string, string>();
  for (const [key, entry] of Object.entries(entries)) {
    const path = ['mcpServers', key];
    if (!/^[A-Za-z0-9_-]{1,32}$/.test(key) || key.includes('__'))
      report(path, 'key', `"${key}" can't be a server's key`, 'use 1 to 32 letters, digits, "_" and "-", without "__"');
    if ((entry.prefix ?? key).endsWith('_'))
      report(
        [...path, ...(entry.prefix === undefined ? [] : ['prefix'])],
        'key',
        `"${entry.prefix ?? key}" ends with "_", which the names of its tools begin with`,
        'use a prefix that ends with a letter or a digit',
      );
    const prefix = foldName(entry.prefix ?? key);
    const twin = prefixes.get(prefix);
    if (twin !== undefined && prefix !== '')
      report(
        path,
        'key',
        `its tools would have the same names as those of "${twin}"`,
        'give one of them another "prefix"',
      );
    prefixes.set(prefix, key);
    if (startsToolgate(entry))
      report(
        path,
        'key',
        `"${key}" starts toolgate itself`,
        'take it out: here stand only the servers behind toolgate',
      );
    for (const name of CLIENT_ONLY_KEYS) {
      if (entry[name] !== undefined && name !== 'type' && name !== 'transport')
        report(
          [...path, name],
          'key',
          `"${name}" is for clients and is ignored here`,
          name.toLowerCase().includes('tools')
            ? 'use "hide" or a policy'
            : name === 'timeout'
              ? 'use "timeoutSeconds"'
              : 'take it out',
          'warning',
        );
    }
  }
  return problems;
}

/** The launcher, the built file, or the name that a package manager gives it. */
function startsToolgate({ command, args = [] }: ServerEntry): boolean {
  return (
    [command ?? '', ...args].some((word) => /(^|[/\\])(toolgate|toolgate\.cjs)$|dist[/\\]toolgate\.js$/.test(word)) &&
    args.includes('serve')
  );
}

function placeOf(text: string, lines: readonly string[], offset: number): Place {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return { line, column: offset - (before.lastIndexOf('\n') + 1) + 1, source: withoutValues(lines[line - 1] ?? '') };
}

/** A line of servers.json may hold a secret: only its keys are shown. */
function withoutValues(line: string): string {
  return line.replace(/"(?:[^"\\]|\\.)*"?(?!\s*:)(?=\s*[,\]}\s]|$)/g, (value, at: number) =>
    /^\s*:/.test(line.slice(at + value.length)) ? value : '"…"',
  );
}

function locateIn(
  tree: Node,
  path: readonly PropertyKey[],
  what: 'key' | 'value',
  place: (offset: number) => Place,
): Place {
  let node: Node = tree;
  let offset = tree.offset;
  for (const [index, step] of path.entries()) {
    const last = index === path.length - 1;
    if (node.type === 'object') {
      const property = node.children?.find(({ children }) => children?.[0]?.value === step);
      if (property === undefined) break;
      node = property.children![1] ?? property.children![0]!;
      offset = last && what === 'key' ? property.children![0]!.offset : node.offset;
    } else if (node.type === 'array') {
      const item = node.children?.[step as number];
      if (item === undefined) break;
      node = item;
      offset = node.offset;
    } else break;
  }
  return place(offset);
}

function duplicates(node: Node, place: (offset: number) => Place): Problem[] {
  const problems: Problem[] = [];
  const visit = (each: Node) => {
    if (each.type === 'object') {
      const seen = new Set<unknown>();
      for (const property of each.children ?? []) {
        const key = property.children![0]!;
        if (seen.has(key.value))
          problems.push(
            errorAt(FILE, place(key.offset), `"${key.value}" is written twice in the same block`, 'delete one'),
          );
        seen.add(key.value);
      }
    }
    each.children?.forEach(visit);
  };
  visit(node);
  return problems;
}

function spaced(code: string): string {
  return code.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
}
