/** What the owner writes of one server in `servers.json`, and what an upstream is started from. */
import { z } from 'zod';
import { custom, faultAndMend, flag, strict, text, texts } from '../schema.ts';

const strings = (what: string) =>
  z.record(z.string(), z.string({ error: faultAndMend(`every value of ${what} must be text`, 'put it in quotes') }));
const seconds = (what: string) =>
  z
    .number({ error: faultAndMend(`${what} must be a number of seconds`, 'such as 60') })
    .min(1)
    .max(86_400);

/** Keys that clients use and that mean nothing to a gateway: ignored, with a warning. */
export const CLIENT_ONLY_KEYS = [
  'type',
  'transport',
  'description',
  'autoApprove',
  'alwaysAllow',
  'trust',
  'includeTools',
  'excludeTools',
  'tools',
  'gallery',
  'version',
  'disabledTools',
  'timeout',
  'bundled',
  'name',
  'dev',
  'sandbox',
] as const;

const ignored = Object.fromEntries(CLIENT_ONLY_KEYS.map((key) => [key, z.unknown().optional()])) as Record<
  (typeof CLIENT_ONLY_KEYS)[number],
  z.ZodOptional<z.ZodUnknown>
>;

export const serverEntry = strict(
  {
    command: text('command', 4096).optional(),
    args: z
      .array(z.string({ error: faultAndMend('every argument must be text', 'put it in quotes') }), {
        error: faultAndMend('"args" must be a list', 'write ["-y", "the-package"]'),
      })
      .optional(),
    env: strings('env').optional(),
    cwd: text('cwd', 4096).optional(),
    url: text('url', 4096).optional(),
    serverUrl: text('serverUrl', 4096).optional(),
    httpUrl: text('httpUrl', 4096).optional(),
    headers: strings('headers').optional(),
    disabled: flag('disabled').optional(),
    enabled: flag('enabled').optional(),
    integration: text('integration', 60).optional(),
    prefix: z
      .string()
      .regex(/^[A-Za-z0-9_-]{0,32}$/, {
        error: faultAndMend('a prefix is made of letters, digits, "_" and "-"', 'write "" to leave names as they are'),
      })
      .optional(),
    timeoutSeconds: seconds('timeoutSeconds').optional(),
    startupTimeoutSeconds: seconds('startupTimeoutSeconds').optional(),
    hide: texts('hide').optional(),
    forwardRoots: flag('forwardRoots').optional(),
    forwardSampling: flag('forwardSampling').optional(),
    ...ignored,
  },
  'a block that describes one server',
).check((ctx) => {
  const entry = ctx.value;
  const urls = [entry.url, entry.serverUrl, entry.httpUrl].filter((url) => url !== undefined);
  if (entry.command === undefined && urls.length === 0)
    ctx.issues.push(
      custom(entry, 'this server has neither "command" nor "url"', 'add the command that starts it, or its URL'),
    );
  if (entry.command !== undefined && urls.length > 0)
    ctx.issues.push(custom(entry, 'this server has both "command" and "url"', 'keep one of them'));
  if (entry.prefix?.includes('__'))
    ctx.issues.push(
      custom(entry.prefix, 'a prefix can\'t contain "__": it separates the prefix from the tool', 'use a single "_"', [
        'prefix',
      ]),
    );
  if (String(entry.type ?? entry.transport ?? '') === 'sse')
    ctx.issues.push(
      custom(
        entry.type,
        'the SSE transport is not supported',
        "use the server's Streamable HTTP address, usually the same one ending in /mcp",
        ['type'],
      ),
    );
  for (const key of ['forwardRoots', 'forwardSampling'] as const) {
    if (entry[key] === true) ctx.issues.push(custom(true, `"${key}" is not supported yet`, 'take it out', [key]));
  }
});

export type ServerEntry = z.output<typeof serverEntry>;

/** One upstream, with every variable resolved. */
export interface UpstreamSpec {
  readonly key: string;
  readonly prefix: string;
  readonly integration: string | undefined;
  readonly launch:
    | {
        readonly kind: 'stdio';
        readonly command: string;
        readonly args: readonly string[];
        readonly env: Readonly<Record<string, string>>;
        readonly cwd: string | undefined;
      }
    | { readonly kind: 'http'; readonly url: string; readonly headers: Readonly<Record<string, string>> };
  /** how long a call may go without an answer or progress */
  readonly timeoutMs: number;
  readonly startupTimeoutMs: number;
  /** patterns of tool names that are not exposed */
  readonly hide: readonly string[];
}
