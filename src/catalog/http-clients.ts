/** The requests that curl, wget and their like send to an integration's API, read from their words. Pure. */
import type { Argument } from '../call.ts';
import { compileGlob } from '../glob.ts';
import type { CommandCall } from './command.ts';
import { readGraphql } from './graphql-statement.ts';
import { type HttpRequest, httpRequests } from './http-requests.ts';
import type { Catalog, Integration } from './load.ts';
import { type Outcome, toolOf } from './outcome.ts';
import { requested } from './requests.ts';
import type { ShellInput, ShellWord } from './shell-line.ts';

export const HTTP_CLIENTS: ReadonlySet<string> = new Set(['curl', 'wget', 'wget2', 'http', 'https', 'xh', 'xhs']);

/** A call for each request to the API of an integration; others are no affair of ours. */
export function apiCalls(
  catalog: Catalog,
  program: string,
  words: readonly ShellWord[],
  input: ShellInput,
): CommandCall[] {
  return httpRequests(program, words, input).flatMap((request) => {
    const address = addressOf(request.url);
    if (address === null) return [];
    return [...catalog.integrations.values()]
      .filter(({ apiHosts }) => apiHosts.some((pattern) => isAt(pattern, address)))
      .map((integration) => callOf(integration, program, request, address));
  });
}

interface Address {
  readonly host: string;
  /** null where only the shell knows it whole */
  readonly path: string | null;
  /** as far as it is written */
  readonly start: string;
}

/** Host and path of a URL that may hold variables. */
function addressOf(given: string): Address | null {
  // A variable with a default is most likely that.
  const url = given.replace(/\$\{\w+:?-([\w.-]+)\}/g, '$1');
  const [, host, rest = ''] = /^(?:[a-z]+:)?\/\/(?:[^/?#@]*@)?([^/?#:]+)(?::\d+)?([^?#]*)/i.exec(url) ?? [];
  if (host === undefined) return null;
  // What is glued to a host may be the path: `https://api.github.com$P`.
  const [, fixed = '', glued = ''] = /^([^$`]*)([$`].*)?$/s.exec(host) ?? [];
  const named = fixed === '' || fixed.endsWith('.') ? host.replace(/\$\{?\w+\}?/g, 'x') : fixed;
  if (/[$`{}()]/.test(named)) return null;
  const isGlued = glued !== '' && named === fixed;
  const open = isGlued ? 0 : rest.search(/[$`{*[]/);
  return {
    host: named.toLowerCase().replace(/\.$/, ''),
    path: open === -1 ? rest || '/' : null,
    start: open === -1 ? rest : rest.slice(0, open),
  };
}

/** `api.github.com`, `*.atlassian.net`, `www.googleapis.com/gmail`. */
function isAt(pattern: string, { host, path, start }: Address): boolean {
  const [wantedHost, ...rest] = pattern.toLowerCase().split('/');
  if (!compileGlob(wantedHost!)(host)) return false;
  const wanted = rest.length === 0 ? '' : `/${rest.join('/')}`;
  const lower = start.toLowerCase();
  return wanted === '' || lower.startsWith(wanted) || (path === null && wanted.startsWith(lower));
}

function callOf(integration: Integration, program: string, request: HttpRequest, address: Address): CommandCall {
  const { id, title } = integration;
  const tool = toolOf(integration, 'call_api');
  const own = (name: string): Argument => {
    if (name === 'body' && request.body === undefined) return { state: 'missing' };
    const value = name === 'method' ? request.method : name === 'body' ? (request.body ?? null) : address.path;
    return value === null ? { state: 'unreadable', why: 'only the shell knows it' } : { state: 'value', value };
  };
  const start: Outcome = { tools: tool === null ? [] : [tool.name], possible: [], operation: null, reasons: [program] };
  const outcome =
    document(request, address) ?? requested(start, { method: '{method}', path: 'path' }, integration, own);
  return {
    integration: { id, title },
    ...start,
    ...outcome,
    source: 'catalog',
    name: `${program} ${request.method ?? 'request'}`,
    argument: (canonical) => (canonical === 'method' || canonical === 'path' ? own(canonical) : { state: 'missing' }),
    canonical: ['method', 'path'],
  };
}

/** A GraphQL document says what it does; null for every other request. */
function document({ method, body }: HttpRequest, { path, start }: Address): Omit<Outcome, 'tools'> | null {
  if (method !== 'POST' || !/\/graphql\/?$/i.test(path ?? start)) return null;
  const query = body === undefined || body === null ? null : queryIn(body);
  const operation = query === null ? null : readGraphql(query);
  return operation === null
    ? {
        possible: ['Read', 'Write', 'Delete'],
        operation: 'Delete',
        reasons: ["its GraphQL document can't be read: taken as the worst"],
      }
    : { possible: [operation], operation, reasons: ['by its GraphQL document'] };
}

function queryIn(body: string): string | null {
  try {
    const value: unknown = JSON.parse(body);
    const query = value !== null && typeof value === 'object' && 'query' in value ? value.query : null;
    return typeof query === 'string' ? query : null;
  } catch {
    return null;
  }
}
