/** The requests that the words of curl, wget and their like send. Pure. */
import { type Argv, readArgv } from './argv.ts';
import type { ShellInput, ShellWord } from './shell-line.ts';

/** One request, as far as the words say. */
export interface HttpRequest {
  /** null where only the shell knows, or a file that nobody reads */
  readonly method: string | null;
  readonly url: string;
  /** what it sends: null where that is not written there, absent if nothing */
  readonly body?: string | null;
}

/** `input` is what such a program would read. */
export function httpRequests(program: string, words: readonly ShellWord[], input: ShellInput): HttpRequest[] {
  switch (program) {
    case 'curl':
      return parts(words).flatMap((part) => curlRequests(part, input));
    case 'wget':
    case 'wget2':
      return wgetRequests(words);
    default:
      return httpieRequests(words, input);
  }
}

/** All of curl's (8.x): the beginning of a long one is as good as the whole. */
const CURL_VALUES = optionSet(
  '--abstract-unix-socket --alt-svc --aws-sigv4 --cacert --capath -E --cert --cert-type --ciphers -K --config --connect-timeout --connect-to -C --continue-at -b --cookie -c --cookie-jar --create-file-mode --crlfile --curves -d --data --data-ascii --data-binary --data-raw --data-urlencode --delegation --dns-interface --dns-ipv4-addr --dns-ipv6-addr --dns-servers --doh-url -D --dump-header --egd-file --engine --etag-compare --etag-save --expect100-timeout -F --form --form-string --ftp-account --ftp-alternative-to-user --ftp-method -P --ftp-port --ftp-ssl-ccc-mode --happy-eyeballs-timeout-ms -H --header --hostpubmd5 --hostpubsha256 --hsts --interface --json --keepalive-time --key --key-type --krb --libcurl --limit-rate --local-port --login-options --mail-auth --mail-from --mail-rcpt --max-filesize --max-redirs -m --max-time --netrc-file --noproxy --oauth2-bearer -o --output --output-dir --parallel-max --pass --pinnedpubkey --proto --proto-default --proto-redir --proxy-cacert --proxy-capath --proxy-cert --proxy-cert-type --proxy-ciphers --proxy-crlfile --proxy-header --proxy-key --proxy-key-type --proxy-pass --proxy-pinnedpubkey --proxy-service-name --proxy-tls13-ciphers --proxy-tlsauthtype --proxy-tlspassword --proxy-tlsuser -U --proxy-user --proxy1.0 --pubkey -Q --quote --random-file -r --range --rate -e --referer -X --request --request-target --resolve --retry --retry-delay --retry-max-time --sasl-authzid --service-name --socks4 --socks4a --socks5 --socks5-gssapi-service --socks5-hostname -Y --speed-limit -y --speed-time --stderr -t --telnet-option --tftp-blksize -z --time-cond --tls-max --tls13-ciphers --tlsauthtype --tlspassword --tlsuser --trace --trace-ascii --unix-socket -T --upload-file --url --url-query -u --user -A --user-agent -w --write-out -x --proxy --preproxy --ipfs-gateway --variable --trace-config --ech --ip-tos --vlan-priority --keepalive-cnt --sigalgs --haproxy-clientip --signature-algorithms --upload-flags',
);
const CURL_NAMES = new Set([
  ...CURL_VALUES,
  ...optionSet(
    '--anyauth -a --append --basic --cert-status --compressed --compressed-ssh --create-dirs --crlf --digest -q --disable --disable-eprt --disable-epsv --disallow-username-in-url --doh-cert-status --doh-insecure -f --fail --fail-early --fail-with-body --false-start --form-escape --ftp-create-dirs --ftp-pasv --ftp-pret --ftp-skip-pasv-ip --ftp-ssl-ccc --ftp-ssl-control -G --get -g --globoff --haproxy-protocol -I --head --http0.9 -0 --http1.0 --http1.1 --http2 --http2-prior-knowledge --http3 --http3-only --ignore-content-length -i --include -k --insecure -4 --ipv4 -6 --ipv6 -j --junk-session-cookies -l --list-only -L --location --location-trusted --mail-rcpt-allowfails -M --manual --metalink --negotiate -n --netrc --netrc-optional -: --next --no-alpn -N --no-buffer --no-clobber --no-keepalive --no-npn --no-progress-meter --no-sessionid --ntlm --ntlm-wb -Z --parallel --parallel-immediate --path-as-is --post301 --post302 --post303 -# --progress-bar --proxy-anyauth --proxy-basic --proxy-digest --proxy-insecure --proxy-negotiate --proxy-ntlm --proxy-ssl-allow-beast --proxy-ssl-auto-client-cert --proxy-tlsv1 -p --proxytunnel --raw -J --remote-header-name -O --remote-name --remote-name-all -R --remote-time --remove-on-error --retry-all-errors --retry-connrefused --sasl-ir -S --show-error -s --silent --socks5-basic --socks5-gssapi --socks5-gssapi-nec --ssl --ssl-allow-beast --ssl-auto-client-cert --ssl-no-revoke --ssl-reqd --ssl-revoke-best-effort -2 --sslv2 -3 --sslv3 --styled-output --suppress-connect-headers --tcp-fastopen --tcp-nodelay --tftp-no-options -1 --tlsv1 --tlsv1.0 --tlsv1.1 --tlsv1.2 --tlsv1.3 --tr-encoding --trace-time -B --use-ascii -v --verbose -V --version --xattr --keepalive --buffer --sessionid --trace-ids --mptcp --skip-existing --out-null --follow --ssl-sessions --dump-ca-embed --ca-native --proxy-ca-native --tls-earlydata -h --help',
  ),
]);
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

function curlRequests(words: readonly ShellWord[], input: ShellInput): HttpRequest[] {
  const argv = readArgv(words, { values: CURL_VALUES, names: CURL_NAMES });
  const has = (...names: string[]) => names.some((name) => argv.options.has(name));
  const bodies = CURL_BODY.flatMap((name) => argv.options.get(name) ?? []);
  const sends = (bodies.length > 0 && !has('-G', '--get')) || has('-T', '--upload-file');
  const implied = has('-I', '--head') ? 'HEAD' : has('-T', '--upload-file') ? 'PUT' : sends ? 'POST' : 'GET';
  const said = last(argv, '-X', '--request');
  const method = has('-K', '--config') || isOverridden(words) || argv.open ? null : said === undefined ? implied : said;
  const body = bodies.length === 1 && !has('-T', '--upload-file') ? textSent(bodies[0]!, input) : null;
  return urlsOf(words, argv, CURL_VALUES, '--url').map((url) => ({
    method,
    url,
    ...(sends && { body }),
  }));
}

/** A header that names another method, which some services take for the request's own. */
function isOverridden(words: readonly ShellWord[]): boolean {
  return words.some(({ text }) => /method-override/i.test(text));
}

/** `@-` is what it reads, `@file` nobody reads. */
function textSent(given: string | true | null, input: ShellInput): string | null {
  if (given === '@-') return input.kind === 'text' ? input.text : null;
  return typeof given !== 'string' || given.startsWith('@') ? null : given;
}

const WGET_VALUES = optionSet(
  '-O -o -a -i -B -t -T -w -Q -P -U -e -A -R -D -I -X -l --method --post-data --post-file --body-data --body-file --header --output-document --output-file --append-output --input-file --base --user --password --http-user --http-password --directory-prefix --user-agent --tries --timeout --wait --quota --execute --referer --save-cookies --load-cookies --ca-certificate --certificate --private-key --limit-rate --config --level --accept --reject --domains --exclude-domains --include-directories --exclude-directories --bind-address --proxy-user --proxy-password --max-redirect --restrict-file-names --dns-timeout --connect-timeout --read-timeout --waitretry --use-askpass --secure-protocol --default-page --regex-type --accept-regex --reject-regex --rejected-log --start-pos',
);
const WGET_NAMES = new Set([
  ...WGET_VALUES,
  ...optionSet(
    '--spider --no-check-certificate --quiet --no-verbose --verbose --continue --recursive --mirror --timestamping --content-disposition --trust-server-names --no-clobber --server-response --page-requisites --convert-links --no-parent --background --debug --inet4-only --inet6-only --no-proxy --no-hsts --keep-session-cookies --auth-no-challenge --save-headers --delete-after --no-directories --force-directories --no-cookies --ignore-length --content-on-error --https-only --show-progress --progress',
  ),
]);

function wgetRequests(words: readonly ShellWord[]): HttpRequest[] {
  const argv = readArgv(words, { values: WGET_VALUES, names: WGET_NAMES });
  const sends = ['--post-data', '--post-file', '--body-data', '--body-file'].some((name) => argv.options.has(name));
  const isUnknown = ['-i', '--input-file', '-e', '--execute', '--config'].some((name) => argv.options.has(name));
  const said = last(argv, '--method');
  const method =
    argv.open || isUnknown || isOverridden(words) ? null : said === undefined ? (sends ? 'POST' : 'GET') : said;
  const body = last(argv, '--post-data', '--body-data') ?? null;
  return urlsOf(words, argv, WGET_VALUES).map((url) => ({ method, url, ...(sends && { body }) }));
}

const HTTPIE_VALUES = optionSet(
  '-a --auth -A --auth-type -o --output -p --print -P --history-print -s --style -S --session --session-read-only --proxy --timeout --verify --cert --cert-key --cert-key-pass --raw --boundary --max-redirects --max-headers --pretty --format-options --response-charset --response-mime --default-scheme --ssl --ciphers --bearer --cacert --resolve --interface --http-version --generate --unix-socket',
);
const HTTPIE_NAMES = new Set([
  ...HTTPIE_VALUES,
  ...optionSet(
    '-j --json -f --form --multipart -x --compress --download -d -c --continue --follow -F --check-status --path-as-is --ignore-stdin -I --offline -v --verbose -q --quiet -h --headers -b --body -m --meta --all --stream --debug --traceback --chunked --unsorted --sorted --ignore-netrc --curl --curl-long --https --ipv4 --ipv6',
  ),
]);

/** What stands between the name and the value of an item: those that make a body. */
const ITEM = /^((?:[^\\:=@]|\\.)*)(:=@|:=|==|=@|=|@|:)([\s\S]*)$/;
const OF_BODY: ReadonlySet<string> = new Set([':=@', ':=', '=@', '=', '@']);

/** `http [METHOD] URL [ITEM…]`: with items of a body, or a text to read, it is a POST. */
function httpieRequests(words: readonly ShellWord[], input: ShellInput): HttpRequest[] {
  const argv = readArgv(words, { values: HTTPIE_VALUES, names: HTTPIE_NAMES });
  const operands = operandsOf(words, HTTPIE_VALUES, HTTPIE_NAMES);
  const [first, ...more] = operands;
  if (first === undefined) return [];
  const isNamed = more.length > 0 && (/^[a-z]+$/i.test(first.text) || (first.dynamic && !mayBeAddress(first.text)));
  const [url, ...items] = isNamed ? more : [first, ...more];
  if (url === undefined) return [];
  const given = items.map(({ text }) => ITEM.exec(text)).filter((item) => item !== null && OF_BODY.has(item[2]!));
  const raw = last(argv, '--raw');
  const reads =
    (input.kind === 'text' || input.kind === 'file' || input.kind === 'unknown') && !argv.options.has('--ignore-stdin');
  const sends = given.length > 0 || raw !== undefined || reads;
  const isUnknown = argv.open || isOverridden(words) || (isNamed && first.dynamic);
  const method = isUnknown ? null : isNamed ? first.text.toUpperCase() : sends ? 'POST' : 'GET';
  const written = raw ?? (reads && input.kind === 'text' ? input.text : null);
  const isPlain =
    items.every(({ dynamic }) => !dynamic) && given.every((item) => item![2] === '=' || item![2] === ':=');
  const fields = Object.fromEntries(given.map((item) => [item![1]!, fieldOf(item![2]!, item![3]!)]));
  const body = given.length === 0 ? written : isPlain ? JSON.stringify(fields) : null;
  return [{ method, url: withScheme(url.text), ...(sends && { body }) }];
}

function fieldOf(separator: string, text: string): unknown {
  if (separator !== ':=') return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function mayBeAddress(text: string): boolean {
  return /[:/.]/.test(text);
}

/** What is neither an option nor the value of one. */
function operandsOf(words: readonly ShellWord[], values: ReadonlySet<string>, names: ReadonlySet<string>): ShellWord[] {
  const found: ShellWord[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (!word.text.startsWith('-') || word.text === '-') found.push(word);
    else {
      const { options } = readArgv([word, { text: '', dynamic: false }], { values, names });
      if ([...options.values()].some((given) => given.includes(''))) at++;
    }
  }
  return found;
}

function last(argv: Argv, ...names: string[]): string | null | undefined {
  const found = names.flatMap((name) => argv.options.get(name) ?? []).at(-1);
  return found === true ? null : found;
}

/** The operands that are addresses, as they are written. */
function urlsOf(words: readonly ShellWord[], argv: Argv, values: ReadonlySet<string>, option?: string): string[] {
  const known = new Set(argv.operands);
  const written = words.filter(({ text, dynamic }, index) =>
    // Where it is open which words are operands, every address may be one that is not an option's.
    dynamic || argv.open ? !text.startsWith('-') && !values.has(words[index - 1]?.text ?? '') : known.has(text),
  );
  const named =
    option === undefined
      ? []
      : words.flatMap((word, index) => {
          if (word.text === option) return words.slice(index + 1, index + 2);
          return word.text.startsWith(`${option}=`) ? [{ ...word, text: word.text.slice(option.length + 1) }] : [];
        });
  return [...written, ...named].map(({ text }) => withScheme(text)).filter((text) => /^[a-z]+:\/\/./i.test(text));
}

/** As a whole address: `api.github.com/user`, `https:/api.github.com`, `user@api.github.com/x` are ones to curl. */
function withScheme(text: string): string {
  if (/^https?:\/*/i.test(text)) return text.replace(/^(https?):\/*/i, '$1://');
  if (/^[a-z]+:\/\//i.test(text)) return text;
  return /^(?:[^/@\s]*@)?[\w-]+(\.[\w[\]{},-]+)+\.?(:\d+)?(\/|\?|$)/.test(text) ? `https://${text}` : text;
}

function optionSet(text: string): ReadonlySet<string> {
  return new Set(text.split(' '));
}
