/** The requests that curl, wget and their like send to an integration's API, read from their words. Pure. */
import type { Argument } from '../call.ts';
import { compileGlob } from '../glob.ts';
import { type Argv, readArgv } from './argv.ts';
import type { CommandCall } from './command.ts';
import { readGraphql } from './graphql-statement.ts';
import type { Catalog, Integration } from './load.ts';
import { type Outcome, toolOf } from './outcome.ts';
import { requested } from './requests.ts';
import type { ShellWord } from './shell-line.ts';

/** One request, as far as the words say. */
interface HttpRequest {
  /** null where only the shell knows, or a file that nobody reads */
  readonly method: string | null;
  readonly url: string;
  /** what it sends, if that is written there; null where it is not */
  readonly body: string | null;
}

export const HTTP_CLIENTS: ReadonlySet<string> = new Set(['curl', 'wget', 'wget2', 'http', 'https', 'xh', 'xhs']);

/** A call for each request to the API of an integration; others are no affair of ours. */
export function apiCalls(catalog: Catalog, program: string, words: readonly ShellWord[]): CommandCall[] {
  return requestsOf(program, words).flatMap((request) => {
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
function addressOf(url: string): Address | null {
  const [, host, rest = ''] = /^(?:[a-z]+:)?\/\/(?:[^/?#@]*@)?([^/?#:]+)(?::\d+)?([^?#]*)/i.exec(url) ?? [];
  if (host === undefined || /[$`]/.test(host)) return null;
  const open = rest.search(/[$`{*[]/);
  return {
    host: host.toLowerCase(),
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
    const value = name === 'method' ? request.method : address.path;
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
  const query = body === null ? null : queryIn(body);
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

function requestsOf(program: string, words: readonly ShellWord[]): HttpRequest[] {
  switch (program) {
    case 'curl':
      return parts(words).flatMap(curlRequests);
    case 'wget':
    case 'wget2':
      return wgetRequests(words);
    default:
      return httpieRequests(words);
  }
}

const CURL_VALUES = new Set(
  '-A -b -c -C -d -D -e -E -F -h -H -K -m -o -P -Q -r -t -T -u -U -w -x -X -y -Y -z --abstract-unix-socket --alt-svc --aws-sigv4 --cacert --capath --cert --cert-type --ciphers --config --connect-timeout --connect-to --cookie --cookie-jar --continue-at --create-file-mode --data --data-ascii --data-binary --data-raw --data-urlencode --dns-servers --doh-url --dump-header --engine --expect100-timeout --form --form-string --header --hostpubmd5 --interface --ipfs-gateway --json --keepalive-time --key --key-type --limit-rate --local-port --max-filesize --max-redirs --max-time --netrc-file --noproxy --oauth2-bearer --output --output-dir --parallel-max --pass --pinnedpubkey --preproxy --proto --proto-default --proto-redir --proxy --proxy-header --proxy-user --pubkey --quote --random-file --range --rate --referer --request --request-target --resolve --retry --retry-delay --retry-max-time --service-name --socks4 --socks5 --socks5-hostname --speed-limit --speed-time --stderr --time-cond --tls-max --trace --trace-ascii --unix-socket --upload-file --url --url-query --user --user-agent --variable --write-out'.split(
    ' ',
  ),
);
const CURL_NAMES = new Set([...CURL_VALUES, '--get', '--head', '--next']);
const CURL_BODY =
  '-d --data --data-ascii --data-binary --data-raw --data-urlencode --json -F --form --form-string'.split(' ');

/** What `--next` separates are requests of their own. */
function parts(words: readonly ShellWord[]): ShellWord[][] {
  const found: ShellWord[][] = [[]];
  for (const word of words)
    if (word.text === '--next' || word.text === '-:') found.push([]);
    else found.at(-1)!.push(word);
  return found;
}

function curlRequests(words: readonly ShellWord[]): HttpRequest[] {
  const argv = readArgv(words, { values: CURL_VALUES, names: CURL_NAMES });
  const has = (...names: string[]) => names.some((name) => argv.options.has(name));
  const said = last(argv, '-X', '--request');
  const bodies = CURL_BODY.flatMap((name) => argv.options.get(name) ?? []);
  const implied =
    has('-K', '--config') || argv.open
      ? null
      : has('-I', '--head')
        ? 'HEAD'
        : has('-T', '--upload-file')
          ? 'PUT'
          : bodies.length > 0 && !has('-G', '--get')
            ? 'POST'
            : 'GET';
  const method = said === undefined ? implied : said;
  const body = bodies.length === 1 && typeof bodies[0] === 'string' && !bodies[0].startsWith('@') ? bodies[0] : null;
  return urlsOf(words, argv, '--url').map((url) => ({ method, url, body }));
}

function wgetRequests(words: readonly ShellWord[]): HttpRequest[] {
  const values = new Set(
    '-O -o -a -i -B -t -T -w -Q -P -U -e -A -R -D -I -X -l --method --post-data --post-file --body-data --body-file --header --output-document --output-file --input-file --user --password --directory-prefix --user-agent --tries --timeout --wait --quota --execute'.split(
      ' ',
    ),
  );
  const argv = readArgv(words, { values, names: new Set([...values, '--spider']) });
  const hasBody = ['--post-data', '--post-file', '--body-data', '--body-file'].some((name) => argv.options.has(name));
  const said = last(argv, '--method');
  const implied =
    argv.open || argv.options.has('-i') || argv.options.has('--input-file') ? null : hasBody ? 'POST' : 'GET';
  const body = last(argv, '--post-data', '--body-data') ?? null;
  return urlsOf(words, argv).map((url) => ({ method: said === undefined ? implied : said, url, body }));
}

/** `http [METHOD] URL [ITEM…]`: with items of a body it is a POST. */
function httpieRequests(words: readonly ShellWord[]): HttpRequest[] {
  const values = new Set(
    '-a --auth -A --auth-type -o --output -p --print -s --style --session --session-read-only --proxy --timeout --verify --cert --cert-key --raw --boundary --max-redirects --pretty --format-options --response-charset --response-mime --default-scheme --path-as-is'.split(
      ' ',
    ),
  );
  const argv = readArgv(words, { values, names: values });
  const [first, ...more] = words.filter(({ text }) => !text.startsWith('-'));
  if (first === undefined) return [];
  const named = /^[A-Z]+$/.test(first.text);
  const [url, ...items] = named ? more : [first, ...more];
  if (url === undefined) return [];
  const sends =
    argv.options.has('--raw') || items.some(({ text }) => /^[^=:]+(=|:=|@)/.test(text) && !text.includes('=='));
  const method = named ? first.text : first.dynamic ? null : sends ? 'POST' : 'GET';
  return [{ method, url: withScheme(url.text), body: null }];
}

function last(argv: Argv, ...names: string[]): string | null | undefined {
  const found = names.flatMap((name) => argv.options.get(name) ?? []).at(-1);
  return found === true ? null : found;
}

/** The operands that are addresses, as they are written. */
function urlsOf(words: readonly ShellWord[], argv: Argv, option?: string): string[] {
  const known = new Set(argv.operands);
  const written = words.filter(({ text, dynamic }) => (dynamic ? !text.startsWith('-') : known.has(text)));
  const named =
    option === undefined
      ? []
      : words.flatMap((word, index) => {
          if (word.text === option) return words.slice(index + 1, index + 2);
          return word.text.startsWith(`${option}=`) ? [{ ...word, text: word.text.slice(option.length + 1) }] : [];
        });
  return [...written, ...named].map(({ text }) => withScheme(text)).filter((text) => /^[a-z]+:\/\/./i.test(text));
}

/** curl takes `api.github.com/user` for http. */
function withScheme(text: string): string {
  return /^[a-z]+:\/\//i.test(text) ? text : /^[\w-]+(\.[\w-]+)+(:\d+)?(\/|\?|$)/.test(text) ? `https://${text}` : text;
}
