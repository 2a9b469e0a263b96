import { sha256 } from './digest.ts';

/** Keys whose values are secrets whatever they look like. Compared lower-case and without `_`, `-` and space. */
const SECRET_KEYS = new Set(
  'token,accesstoken,refreshtoken,idtoken,authtoken,bearertoken,apitoken,secret,clientsecret,password,passwd,passphrase,authorization,apikey,accesskey,secretkey,cookie,setcookie,privatekey,credential,credentials,webhookurl,sessiontoken,connectionstring'.split(
    ',',
  ),
);

/** Shapes of secrets inside any text. Each is bounded, so that a long text costs linear time. */
const SECRET_SHAPES: readonly { kind: string; shape: RegExp }[] = [
  { kind: 'github-token', shape: /\b(?:gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{20,255})/g },
  { kind: 'slack-token', shape: /\bxox[a-z]-[A-Za-z0-9-]{10,255}|\bxapp-[A-Za-z0-9-]{10,255}/g },
  { kind: 'slack-webhook', shape: /https:\/\/hooks\.slack\.com\/[A-Za-z0-9/_-]{10,255}/g },
  { kind: 'aws-key', shape: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g },
  { kind: 'api-key', shape: /\bsk-[A-Za-z0-9_-]{20,255}/g },
  { kind: 'notion-token', shape: /\b(?:ntn|secret)_[A-Za-z0-9]{30,255}/g },
  { kind: 'linear-key', shape: /\blin_(?:api|oauth)_[A-Za-z0-9]{20,255}/g },
  { kind: 'google-key', shape: /\bAIza[A-Za-z0-9_-]{35}\b|\bya29\.[A-Za-z0-9_-]{20,1024}/g },
  { kind: 'toolgate-key', shape: /\btgk_[A-Za-z0-9_-]{20,255}/g },
  // In running text, "basic information" is none: a token has a digit, a "=" or a "_".
  {
    kind: 'authorization',
    shape:
      /(?<=\bauthorization\W{1,4}(?:Bearer|Basic) |\b(?:Bearer|Basic) (?=[A-Za-z.~+/-]{0,2048}[0-9=_]))[A-Za-z0-9._~+/=-]{8,2048}/gi,
  },
  { kind: 'jwt', shape: /\beyJ[A-Za-z0-9_-]{8,4096}\.[A-Za-z0-9_-]{8,4096}\.[A-Za-z0-9_-]{8,1024}/g },
  {
    kind: 'private-key',
    shape: /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]{0,16384}?(?:-----END [A-Z ]{0,30}-----|$)/g,
  },
  { kind: 'url-userinfo', shape: /(?<=[a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/@:]{0,255}:[^\s/@]{1,255}(?=@)/g },
];

/** What every one of the shapes contains: most texts hold none of it, and are done. */
const SUSPICIOUS =
  /gh[pousr]_|github_pat_|xox[a-z]-|xapp-|hooks\.slack|AKIA|ASIA|sk-|ntn_|secret_|lin_|AIza|ya29\.|tgk_|eyJ|-----BEGIN|:\/\/|[Bb](?:earer|EARER|asic|ASIC) /;

/** A key that may be one of the secret ones, in JSON text. */
const SUSPICIOUS_KEY = /(?:token|secret|pass|auth|key|cookie|credential|webhook|connection)[^"]*":/i;

/** Whether JSON text holds nothing that `redact` would look at twice. */
export function isClearlyClean(json: string): boolean {
  return !SUSPICIOUS.test(json) && !SUSPICIOUS_KEY.test(json);
}

/**
 * A copy of a JSON value with every secret replaced by `[redacted:kind:xxxxxx]` (six hex digits of its sha-256, so
 * that equal secrets are recognisable); the value itself if there is none. Deeper than 64 levels it is cut.
 */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value);
  if (value === null || typeof value !== 'object' || JSON.isRawJSON(value)) return value;
  if (depth > 64) return '[too deep]';
  if (Array.isArray(value)) {
    let items: unknown[] | null = null;
    for (let index = 0; index < value.length; index++) {
      const item = redact(value[index], depth + 1);
      if (item === value[index]) continue;
      items ??= [...value];
      items[index] = item;
    }
    return items ?? value;
  }
  let result: Record<string, unknown> | null = null;
  for (const key of Object.keys(value)) {
    const before = (value as Record<string, unknown>)[key];
    const item = isSecretKey(key) ? redactWhole(before) : redact(before, depth + 1);
    const name = redactText(key);
    if (item === before && name === key) continue;
    result ??= Object.assign(Object.create(null) as Record<string, unknown>, value);
    if (name !== key) delete result[key];
    result[name] = item;
  }
  return result ?? value;
}

/** A text with every secret shape in it replaced. */
export function redactText(text: string): string {
  if (text.length < 12) return text;
  const inner = redactJsonText(text);
  if (inner !== null) return inner;
  if (!SUSPICIOUS.test(text)) return text;
  let result = text;
  for (const { kind, shape } of SECRET_SHAPES) result = result.replace(shape, (secret) => mark(kind, secret));
  return result;
}

const MAX_JSON_TEXT = 64 * 1024;

/** A text that is itself JSON, with its secrets replaced; null if it is none, or holds none. */
function redactJsonText(text: string): string | null {
  if (text.length > MAX_JSON_TEXT || !/^\s*[[{]/.test(text) || !SUSPICIOUS_KEY.test(text)) return null;
  try {
    const value: unknown = JSON.parse(text);
    const clean = redact(value);
    return clean === value ? null : JSON.stringify(clean);
  } catch {
    return null;
  }
}

/** Keys come again and again; a bound keeps hostile ones from filling the memory. */
const KNOWN_KEYS = new Map<string, boolean>();
const KNOWN_KEYS_LIMIT = 1000;

function isSecretKey(key: string): boolean {
  const known = KNOWN_KEYS.get(key);
  if (known !== undefined) return known;
  const secret = SECRET_KEYS.has(key.toLowerCase().replace(/[\s_-]+/g, ''));
  if (KNOWN_KEYS.size < KNOWN_KEYS_LIMIT) KNOWN_KEYS.set(key, secret);
  return secret;
}

function redactWhole(item: unknown): unknown {
  if (item === null || item === undefined || item === '' || typeof item === 'boolean') return item;
  return mark('value', typeof item === 'string' ? item : JSON.stringify(item));
}

function mark(kind: string, secret: string): string {
  return `[redacted:${kind}:${sha256(secret).slice(0, 6)}]`;
}
