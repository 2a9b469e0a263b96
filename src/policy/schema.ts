/** The shape of `policies.yaml`. Keys are compared without case, spaces and dashes; this writes them in snake_case. */
import { z } from 'zod';
import { ACTIONS, type Action, DOORS, MODES, OPERATIONS, REVIEW_STATUSES } from '../call.ts';
import {
  choice,
  choices,
  custom,
  describe,
  duration,
  faultAndMend,
  flag,
  strict,
  text,
  texts,
  wholeNumber,
} from '../schema.ts';

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
const ACTION_SYNONYMS = {
  deny: 'block',
  forbid: 'block',
  refuse: 'block',
  reject: 'block',
  ask: 'require approval',
  approve: 'require approval',
  approval: 'require approval',
  confirm: 'require approval',
  hold: 'require approval',
  log: 'alert',
  notify: 'alert',
  warn: 'alert',
  permit: 'allow',
  accept: 'allow',
} as const;
const STATUS_SYNONYMS = {
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

export type Literal = string | number | boolean | null;

/** How one argument is compared. Every key must hold; in a list value any element does. */
export interface ArgumentMatch {
  readonly is?: readonly Literal[];
  readonly is_not?: readonly Literal[];
  readonly like?: readonly string[];
  readonly not_like?: readonly string[];
  readonly over?: number;
  readonly under?: number;
  readonly at_least?: number;
  readonly at_most?: number;
  readonly contains?: readonly Literal[];
  readonly exists?: boolean;
  readonly missing?: boolean | 'match';
}

const ARGUMENT_KEYS = [
  'is',
  'is_not',
  'like',
  'not_like',
  'over',
  'under',
  'at_least',
  'at_most',
  'contains',
  'exists',
  'missing',
] as const;
const NUMBER_KEYS = new Set<string>(['over', 'under', 'at_least', 'at_most']);

/** A literal (text is a pattern), a list of literals, or a block of comparisons. */
const argumentMatch = z
  .unknown()
  .transform((input, ctx): ArgumentMatch => {
    if (input === null || typeof input !== 'object') return literals([input as Literal]);
    if (Array.isArray(input)) {
      if (input.length === 0)
        ctx.issues.push(custom(input, 'the list is empty, so it can never match', 'name at least one value'));
      return literals(input.map((item, index) => literal(item, ctx.issues, [index])));
    }
    const result: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(input)) {
      if (!(ARGUMENT_KEYS as readonly string[]).includes(key)) {
        ctx.issues.push({
          code: 'unrecognized_keys',
          keys: [key],
          input,
          path: [],
          message: ['', ...ARGUMENT_KEYS].join('\u0000'),
        } as never);
      } else if (NUMBER_KEYS.has(key)) {
        if (typeof value === 'number' && Number.isFinite(value)) result[key] = value;
        else
          ctx.issues.push(
            custom(value, `"${key}" must be a number, not ${describe(value)}`, 'write a number without quotes', [key]),
          );
      } else if (key === 'exists' || key === 'missing') {
        if (typeof value === 'boolean' || (key === 'missing' && value === 'match')) result[key] = value;
        else
          ctx.issues.push(
            custom(
              value,
              `"${key}" must be ${key === 'missing' ? 'true or match' : 'true or false'}, not ${describe(value)}`,
              'see docs/policies.md',
              [key],
            ),
          );
      } else {
        const items = Array.isArray(value) ? value : [value];
        const asText = key === 'like' || key === 'not_like';
        result[key] = items.map((item, index) => {
          const found = literal(item, ctx.issues, Array.isArray(value) ? [key, index] : [key]);
          return asText ? String(found) : found;
        });
      }
    }
    if (Object.keys(input).length === 0)
      ctx.issues.push(custom(input, 'the comparison is empty', `use one of: ${ARGUMENT_KEYS.join(', ')}`));
    return result as ArgumentMatch;
  })
  .meta({
    description: 'a value (text is a pattern), a list of values, or comparisons',
    anyOf: [
      { type: ['string', 'number', 'boolean', 'null'] },
      { type: 'array' },
      {
        type: 'object',
        properties: Object.fromEntries(ARGUMENT_KEYS.map((key) => [key, {}])),
        additionalProperties: false,
      },
    ],
  });

/** Texts are patterns, the rest must be equal; both kinds in one list are one `any of`. */
function literals(items: readonly Literal[]): ArgumentMatch {
  return { is: items };
}

function literal(item: unknown, issues: unknown[], path: PropertyKey[]): Literal {
  if (item === null || ['string', 'number', 'boolean'].includes(typeof item)) return item as Literal;
  issues.push(
    custom(item, `a value to compare with can't be ${describe(item)}`, 'write a text, a number, true or false', path),
  );
  return null;
}

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
  readonly args?: Readonly<Record<string, ArgumentMatch>> | undefined;
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
      integration: texts('integration').optional(),
      operation: choices('operation', OPERATIONS, { synonyms: OPERATION_SYNONYMS }).optional(),
      tool: texts('tool').optional(),
      tool_review_status: reviewStatus().optional(),
      agent: texts('agent').optional(),
      agent_review_status: reviewStatus().optional(),
      via: choices('door', DOORS, { synonyms: { shell: 'cli', command: 'cli', gateway: 'mcp' } }).optional(),
      server: texts('server').optional(),
      args: z.record(z.string(), argumentMatch).optional(),
      any: nested('any').optional(),
      all: nested('all').optional(),
      not: condition.optional(),
    },
    'a block of conditions',
  ),
);

const WHENS = ['an agent makes a tool call', 'an agent is discovered'] as const;

const approval = strict({
  reviewers: texts('reviewers').optional(),
  approvals: wholeNumber('approvals', 1, 20).default(1),
  timeout: duration('timeout').default(600_000),
  run_within: duration('run_within').default(300_000),
  reason: choice('reason rule', ['required', 'optional'] as const).default('optional'),
});

const SEVERITIES = ['low', 'medium', 'high'] as const;

const policy = strict({
  name: text('name', 200),
  description: text('description', 2000).optional(),
  when: choice('event', WHENS, { aliases: { 'tool call': WHENS[0], 'agent discovered': WHENS[1] } }).default(WHENS[0]),
  if: condition.optional(),
  unless: condition.optional(),
  action: choice('action', ACTIONS, {
    synonyms: ACTION_SYNONYMS,
    aliases: { 'require human approval': 'require approval' },
  }),
  message: text('message', 1000).optional(),
  approval: approval.optional(),
  alert: strict({ severity: choice('severity', SEVERITIES).default('medium') }).optional(),
  mode: choice('mode', MODES).optional(),
});

const reviewer = strict({
  os: text('os').optional(),
  slack: text('slack').optional(),
  desktop: flag('desktop').optional(),
  members: texts('members').optional(),
}).check((ctx) => {
  if (ctx.value.members !== undefined && (ctx.value.os !== undefined || ctx.value.desktop !== undefined))
    ctx.issues.push(
      custom(
        ctx.value,
        'a reviewer is a person or a group, not both',
        'keep "members" for a group, or "os" and "desktop" for a person',
      ),
    );
});

const DEFAULT_ACTIONS = ['allow', 'require approval', 'block'] as const satisfies readonly Action[];
const defaultAction = (fallback: (typeof DEFAULT_ACTIONS)[number]) =>
  choice('default action', DEFAULT_ACTIONS, {
    synonyms: { deny: 'block', ask: 'require approval' },
    aliases: { 'require human approval': 'require approval' },
  }).default(fallback);

const defaults = strict({
  action: defaultAction('allow'),
  unclassified: defaultAction('require approval'),
  mode: choice('mode', MODES).default('enforce'),
  reviewers: texts('reviewers').optional(),
});

const oneStatus = choice('review status', REVIEW_STATUSES, { synonyms: STATUS_SYNONYMS });

/** The whole file. */
export const policyFile = strict({
  version: z.literal(1, { error: 'this version of the file is not known\u0000write "version: 1"' }).default(1),
  defaults: defaults.prefault({}),
  reviewers: z.record(z.string(), reviewer).default({}),
  channels: strict({
    slack: strict({ webhook: text('webhook', 2000) }).optional(),
    desktop: flag('desktop').optional(),
  }).prefault({}),
  agents: z.record(z.string(), oneStatus).default({}),
  tools: z.record(z.string(), z.record(z.string(), oneStatus)).default({}),
  policies: z.array(policy, {
    error:
      'the policies are missing or not a list\u0000write "policies:" and below it a list, each item starting with "- name: …"',
  }),
});

export type PolicyFile = z.output<typeof policyFile>;
export type PolicySource = PolicyFile['policies'][number];
