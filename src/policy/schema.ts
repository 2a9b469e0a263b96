/** The shape of `policies.yaml`. Keys are compared without case, spaces and dashes; this writes them in snake_case. */
import { z } from 'zod';
import { ACTIONS, type Action, ALERT_CHANNELS, foldName, MODES, REVIEW_STATUSES, type Remember } from '../call.ts';
import { readDuration } from '../duration.ts';
import {
  choice,
  choices,
  custom,
  DURATION_MEND,
  dayOrInstant,
  describe,
  duration,
  faultAndMend,
  flag,
  named,
  strict,
  text,
  texts,
  wholeNumber,
} from '../schema.ts';
import { condition, STATUS_SYNONYMS } from './schema-conditions.ts';
import { policyTest } from './schema-tests.ts';

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
const WHENS = ['an agent makes a tool call', 'an agent is discovered'] as const;

const REMEMBERED = ['never', 'this call', 'session', 'until reviewed'] as const;

/** A duration, or one of the words; null for `never`. */
const remembering = z
  .unknown()
  .transform((input, ctx): Remember | null => {
    const ms = typeof input === 'string' ? readDuration(input) : null;
    if (ms !== null) return { kind: 'for', ms };
    const word = REMEMBERED.find((each) => typeof input === 'string' && foldName(each) === foldName(input));
    switch (word) {
      case 'never':
        return null;
      case 'this call':
        return { kind: 'call' };
      case 'session':
      case 'until reviewed':
        return { kind: word };
      case undefined:
        ctx.issues.push(
          custom(
            input,
            `${describe(input)} is not a time to remember`,
            `${DURATION_MEND}; or one of: ${REMEMBERED.join(', ')}`,
          ),
        );
        return z.NEVER;
    }
  })
  .meta({ anyOf: [{ enum: [...REMEMBERED] }, { type: 'string', pattern: '^[0-9]{1,6}[smhd]$' }] });

const approval = strict({
  reviewers: texts('reviewers').optional(),
  approvals: wholeNumber('approvals', 1, 20).default(1),
  timeout: duration('timeout').default(600_000),
  run_within: duration('run_within').default(300_000),
  reason: choice('reason rule', ['required', 'optional'] as const).default('optional'),
  remember: remembering.optional(),
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
  alert: strict({
    severity: choice('severity', SEVERITIES).default('medium'),
    channel: choices('channel', ALERT_CHANNELS).optional(),
  }).optional(),
  redact: strict({
    result: texts('result', 'redactions').optional(),
    args: texts('args', 'redactions').optional(),
  }).optional(),
  mode: choice('mode', MODES).optional(),
  enabled: flag('enabled').default(true),
  expires: dayOrInstant('expires').optional(),
  tests: z
    .array(policyTest, {
      error: faultAndMend(
        'the tests are not a list',
        'write a list, each item like "- { call: github/create_issue, expect: block }"',
      ),
    })
    .default([]),
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

const CHANGES = ['at once', 'reviewed'] as const;

const defaults = strict({
  action: defaultAction('allow'),
  unclassified: defaultAction('require approval'),
  opaque_commands: defaultAction('allow'),
  mode: choice('mode', MODES).default('enforce'),
  reviewers: texts('reviewers').optional(),
  changes: choice('rule for changes', CHANGES).default('at once'),
});

const oneStatus = choice('review status', REVIEW_STATUSES, { synonyms: STATUS_SYNONYMS });

/** The whole file. */
export const policyFile = strict({
  version: z.literal(1, { error: 'this version of the file is not known\u0000write "version: 1"' }).default(1),
  defaults: defaults.prefault({}),
  reviewers: named('reviewers', reviewer).default({}),
  channels: strict({
    slack: strict({ webhook: text('webhook', 2000) }).optional(),
    desktop: flag('desktop').optional(),
  }).prefault({}),
  agents: named('agents', oneStatus).default({}),
  tools: named('tools', named('tools of an integration', oneStatus)).default({}),
  policies: z.array(policy, {
    error:
      'the policies are missing or not a list\u0000write "policies:" and below it a list, each item starting with "- name: …"',
  }),
});

export type PolicyFile = z.output<typeof policyFile>;
export type PolicySource = PolicyFile['policies'][number];
