/** What policies ask of a call: the schema of `if`, `unless` and what is nested in them. */
import { z } from 'zod';
import { DOORS, OPERATIONS, REVIEW_STATUSES } from '../call.ts';
import { didYouMean } from '../problem.ts';
import {
  choice,
  choices,
  custom,
  describe,
  duration,
  faultAndMend,
  named,
  strict,
  text,
  texts,
  wholeNumber,
} from '../schema.ts';
import { type ArgumentMatch, argumentMatch } from './schema-arguments.ts';
import { isZone, readWindow, type Window } from './windows.ts';

const OPERATION_SYNONYMS = {
  remove: 'Delete',
  destroy: 'Delete',
  erase: 'Delete',
  trash: 'Delete',
  archive: 'Delete',
  create: 'Write',
  update: 'Write',
  edit: 'Write',
  change: 'Write',
  get: 'Read',
  list: 'Read',
  view: 'Read',
} as const;
export const STATUS_SYNONYMS = {
  sanctioned: 'Allowed',
  approved: 'Allowed',
  allow: 'Allowed',
  unsanctioned: 'Disallowed',
  denied: 'Disallowed',
  blocked: 'Disallowed',
  block: 'Disallowed',
  new: 'Unreviewed',
  unknown: 'Unreviewed',
} as const;

const reviewStatus = () => choices('review status', REVIEW_STATUSES, { synonyms: STATUS_SYNONYMS });

/** Hours of the week. Exactly one of `inside` and `outside` is given. */
export interface TimeMatch {
  readonly inside?: readonly Window[] | undefined;
  readonly outside?: readonly Window[] | undefined;
  /** IANA name; else the zone that the computer is set to */
  readonly zone?: string | undefined;
}

export const RATE_SCOPES = ['agent', 'tool', 'session'] as const;

/** More than `over` matching calls within `within` milliseconds. */
export interface RateMatch {
  readonly over: number;
  readonly within: number;
  readonly per: (typeof RATE_SCOPES)[number];
}

/** One window or a list of them; always gives a list, never an empty one. */
const windows = () =>
  z
    .unknown()
    .transform((input, ctx): Window[] => {
      const items = Array.isArray(input) ? input : [input];
      if (items.length === 0)
        ctx.issues.push(custom(input, 'the list of time windows is empty', 'write one: Mon-Fri 09:00-18:00'));
      return items.map((item, index) => {
        const read = typeof item === 'string' ? readWindow(item) : null;
        if (read !== null && !('length' in read)) return read;
        const [fault, mend] = read ?? [`${describe(item)} is no time window`, 'write one: Mon-Fri 09:00-18:00'];
        ctx.issues.push(custom(item, fault, mend, Array.isArray(input) ? [index] : []));
        return z.NEVER;
      });
    })
    .meta({ anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] });

const time = strict({
  inside: windows().optional(),
  outside: windows().optional(),
  zone: text('zone')
    .check((ctx) => {
      if (ctx.value.trim() === '' || isZone(ctx.value)) return;
      const guess = didYouMean(ctx.value, Intl.supportedValuesOf('timeZone'));
      ctx.issues.push(
        custom(
          ctx.value,
          `"${ctx.value}" is not a time zone`,
          `${guess === null ? '' : `did you mean "${guess}"? `}write its IANA name, such as Europe/London or UTC`,
        ),
      );
    })
    .optional(),
}).check((ctx) => {
  if ((ctx.value.inside === undefined) === (ctx.value.outside === undefined))
    ctx.issues.push(
      custom(
        ctx.value,
        ctx.value.inside === undefined ? 'the time has no hours' : 'the time is both inside and outside',
        'write one of them: time: { outside: Mon-Fri 09:00-18:00, zone: Europe/London }',
      ),
    );
});

const rate = strict({
  over: wholeNumber('over', 0, 1_000_000),
  within: duration('within'),
  per: choice('scope of a rate', RATE_SCOPES).default('agent'),
});

/** What must be true of a call. Keys are AND, lists are OR. */
export interface Condition {
  readonly integration?: readonly string[] | undefined;
  readonly operation?: readonly (typeof OPERATIONS)[number][] | undefined;
  readonly tool?: readonly string[] | undefined;
  readonly tool_review_status?: readonly (typeof REVIEW_STATUSES)[number][] | undefined;
  readonly agent?: readonly string[] | undefined;
  readonly agent_review_status?: readonly (typeof REVIEW_STATUSES)[number][] | undefined;
  readonly via?: readonly (typeof DOORS)[number][] | undefined;
  readonly server?: readonly string[] | undefined;
  readonly user?: readonly string[] | undefined;
  readonly workspace?: readonly string[] | undefined;
  readonly args?: Readonly<Record<string, ArgumentMatch>> | undefined;
  readonly time?: TimeMatch | undefined;
  readonly rate?: RateMatch | undefined;
  /** an earlier call of the same session that this is true of */
  readonly session_has?: Condition | undefined;
  readonly any?: readonly Condition[] | undefined;
  readonly all?: readonly Condition[] | undefined;
  readonly not?: Condition | undefined;
}

const nested = (what: string) => {
  const error = faultAndMend(`"${what}" must be a list of conditions`, `write ${what}: [{ … }, { … }]`);
  return z.array(condition, { error }).min(1, { error });
};

export const condition: z.ZodType<Condition> = z.lazy(() =>
  strict(
    {
      integration: texts('integration', 'integrations').optional(),
      operation: choices('operation', OPERATIONS, { synonyms: OPERATION_SYNONYMS }).optional(),
      tool: texts('tool', 'tools').optional(),
      tool_review_status: reviewStatus().optional(),
      agent: texts('agent', 'agents').optional(),
      agent_review_status: reviewStatus().optional(),
      via: choices('door', DOORS, { synonyms: { shell: 'cli', command: 'cli', gateway: 'mcp' } }).optional(),
      server: texts('server').optional(),
      user: texts('user').optional(),
      workspace: texts('workspace').optional(),
      args: named('args', argumentMatch).optional(),
      time: time.optional(),
      rate: rate.optional(),
      session_has: condition.optional(),
      any: nested('any').optional(),
      all: nested('all').optional(),
      not: condition.optional(),
    },
    'a block of conditions',
  ),
);
