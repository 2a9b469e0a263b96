/** What the owner expects of the policies: the schema of one test, beside its policy or in a file of its own. */
import { z } from 'zod';
import { DOORS, IDENTITY_STRENGTHS, type JsonObject, REVIEW_STATUSES } from '../call.ts';
import { choice, custom, describe, faultAndMend, instant, strict, text, texts, wholeNumber } from '../schema.ts';
import { STATUS_SYNONYMS } from './schema-conditions.ts';

export const EXPECTATIONS = ['block', 'require approval', 'alert', 'allow', 'nothing'] as const;
export type Expectation = (typeof EXPECTATIONS)[number];

const expectation = (what: string) =>
  choice(what, EXPECTATIONS, {
    synonyms: { deny: 'block', ask: 'require approval', permit: 'allow', none: 'nothing' },
    aliases: { 'require human approval': 'require approval' },
  });
const status = () => choice('review status', REVIEW_STATUSES, { synonyms: STATUS_SYNONYMS });

/** What only a call has beside its name; of a command all that stands in its line. */
const OF_CALLS = ['via', 'server', 'args'] as const;

export const policyTest = strict({
  name: text('name', 200).optional(),
  call: text('call', 300)
    .check((ctx) => {
      if (!/^[^/]+\/./.test(ctx.value))
        ctx.issues.push(
          custom(ctx.value, `"${ctx.value}" names no tool`, 'write integration/tool, such as github/create_issue'),
        );
    })
    .optional(),
  command: text('command', 10_000).optional(),
  discovered: text('discovered').optional(),
  agent: text('agent').optional(),
  identity: choice('identity', IDENTITY_STRENGTHS).optional(),
  agent_status: status().optional(),
  tool_status: status().optional(),
  via: choice('door', DOORS).optional(),
  server: text('server').optional(),
  user: text('user').optional(),
  workspace: text('workspace').optional(),
  args: z
    .record(z.string(), z.unknown(), {
      error: faultAndMend('"args" must be a block of arguments', 'write args: { name: value }'),
    })
    .transform((args) => args as JsonObject)
    .optional(),
  at: instant('at').optional(),
  before: texts('before').optional(),
  counted: wholeNumber('counted', 0, 10_000_000).optional(),
  expect: expectation('expectation'),
  would: expectation('expectation').optional(),
  policy: text('policy', 200).optional(),
  message: text('message', 1000).optional(),
}).check((ctx) => {
  const { call, command, discovered, expect } = ctx.value;
  const subjects = [call, command, discovered].filter((each) => each !== undefined).length;
  if (subjects !== 1)
    ctx.issues.push(
      custom(
        ctx.value,
        subjects === 0
          ? 'the test says neither what is called or run nor who is discovered'
          : 'the test is of several things: a call, a command, a discovery',
        'write one: call: github/create_issue, command: git push --force, or discovered: OpenClaw',
      ),
    );
  for (const key of command === undefined ? [] : OF_CALLS)
    if (ctx.value[key] !== undefined)
      ctx.issues.push(
        custom(ctx.value[key], `a command has no ${describe(key)}`, 'leave it out: all of it stands in the line', [
          key,
        ]),
      );
  const fitting = discovered === undefined ? EXPECTATIONS.slice(0, 4) : ['alert', 'nothing'];
  if (!(fitting as readonly string[]).includes(expect))
    ctx.issues.push(
      custom(
        expect,
        `${discovered === undefined ? (command === undefined ? 'a call' : 'a command') : 'a discovery'} can't be expected to give ${describe(expect)}`,
        `use one of: ${fitting.join(', ')}`,
        ['expect'],
      ),
    );
});

export type PolicyTest = z.output<typeof policyTest>;

/** A file of tests. */
export const testFile = strict({
  tests: z.array(policyTest, {
    error: faultAndMend(
      'the tests are missing or not a list',
      'write "tests:" and below it a list, each item like "- { call: github/create_issue, expect: block }"',
    ),
  }),
});
