import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compile, problemsIn } from '../support/judge.ts';

const one = (body: string) => `policies:\n  - name: x\n${body.replace(/^/gm, '    ')}\n`;

/** A mistake in the file, and the first words of its message. */
const MISTAKES: readonly [string, string, string][] = [
  [
    'an operation that is none',
    one('action: block\nif: { operation: [Write, Remove] }'),
    'policies.yaml:4:30 error: "Remove" is not an operation',
  ],
  [
    '…and its mend',
    one('action: block\nif: { operation: Remove }'),
    'did you mean "Delete"? Use one of: Read, Write, Delete',
  ],
  ['a misspelt operation', one('action: block\nif: { operation: wirte }'), 'did you mean "Write"?'],
  [
    'an unknown integration',
    one('action: block\nif: { integration: Githab }'),
    'policies.yaml:4:24 error: "Githab" is not a known integration',
  ],
  ['…and its mend', one('action: block\nif: { integration: Githab }'), 'did you mean "GitHub"?'],
  [
    'a misspelt condition',
    one('action: block\nif: { operaton: Write }'),
    'policies.yaml:4:11 error: unknown key "operaton"',
  ],
  ['…and its mend', one('action: block\nif: { operaton: Write }'), 'did you mean "operation"?'],
  ['a synonym for an action', one('action: deny'), 'error: "deny" is not an action'],
  ['…and its mend', one('action: deny'), 'did you mean "block"? Use one of: block, require approval, alert, allow'],
  ['no action', 'policies:\n  - name: x\n', 'the action is missing'],
  ['no name', 'policies:\n  - action: block\n', 'name is missing'],
  [
    'a pattern read as an alias',
    one('action: block\nif:\n  tool: *refund*'),
    '*refund* is read as a YAML alias, not as a pattern',
  ],
  ['…and its mend', one('action: block\nif:\n  tool: *refund*'), 'put it in quotes: "*refund*"'],
  [
    'a value read as a tag',
    one('action: block\nif: { args: { branch: !main } }'),
    'a value that starts with "!" is read as a YAML tag',
  ],
  ['a tab', 'policies:\n\t- name: x\n', 'tabs cannot indent YAML'],
  ['a key twice', one('action: block\naction: alert'), 'this key is written twice in the same block'],
  [
    'the same key in two spellings',
    one('action: block\nif: { tool review status: Allowed, tool_review_status: Disallowed }'),
    'is written twice in the same block',
  ],
  [
    'a colon in a name',
    'policies:\n  - name: Block: all writes\n    action: block\n',
    'a value with ": " in it must be quoted',
  ],
  [
    'a tool that the integration has not',
    one('action: block\nif: { integration: Linear, tool: Delete isue }'),
    'no Linear tool matches "Delete isue", so this can never apply',
  ],
  [
    '…and its mend',
    one('action: block\nif: { integration: Linear, tool: Delete isue }'),
    'did you mean "Delete issue"?',
  ],
  ['a number for a name', 'policies:\n  - name: 404\n    action: block\n', 'name must be text, not 404'],
  ['…and its mend', 'policies:\n  - name: 404\n    action: block\n', 'put it in quotes: "404"'],
  [
    'no duration',
    one('action: require approval\napproval: { timeout: 10 minutes }'),
    '"10 minutes" is not a duration for timeout',
  ],
  [
    '…and its mend',
    one('action: require approval\napproval: { timeout: 10 minutes }'),
    'write a number from 1 to 999999 and a unit with no space: 30s, 10m, 2h, 1d',
  ],
  [
    'an unknown reviewer',
    `reviewers: { leads: { os: ann } }\n${one('action: require approval\napproval: { reviewers: [lead] }')}`,
    'reviewer "lead" is not defined',
  ],
  [
    '…and its mend',
    `reviewers: { leads: { os: ann } }\n${one('action: require approval\napproval: { reviewers: [lead] }')}`,
    'did you mean "leads"?',
  ],
  [
    'a person and a group in one',
    'reviewers: { ann: { os: a, members: [b] }, b: { os: b } }\npolicies: []\n',
    'a reviewer is a person or a group, not both',
  ],
  [
    'a group of groups',
    'reviewers: { a: { members: [b] }, b: { members: [c] }, c: { os: c } }\npolicies: []\n',
    '"b" is itself a group',
  ],
  [
    'an approval without its action',
    one('action: block\napproval: { approvals: 2 }'),
    '"approval" has no meaning for this action',
  ],
  [
    'an approval by nobody',
    one('action: require approval\napproval: { approvals: 0 }'),
    'approvals must be a whole number from 1 to 20',
  ],
  ['an unknown status', one('action: block\nif: { agent review status: Unsanctioned }'), 'did you mean "Disallowed"?'],
  ['an unknown event', one('action: alert\nwhen: an agent is found'), '"an agent is found" is not an event'],
  [
    'a block on discovery',
    one('action: block\nwhen: an agent is discovered'),
    'an agent that is discovered can only be alerted on, not "block"',
  ],
  [
    'a tool on discovery',
    one('action: alert\nwhen: agent discovered\nif: { integration: GitHub }'),
    '"integration" means nothing when an agent is discovered',
  ],
  [
    'two policies of one name',
    'policies:\n  - { name: A, action: block }\n  - { name: a, action: alert }\n',
    'there are two policies named "a"',
  ],
  [
    'an empty list',
    one('action: block\nif: { operation: [] }'),
    'the list of operations is empty, so it can never match',
  ],
  [
    'there and missing at once',
    one('action: block\nif: { args: { a: { exists: true, missing: true } } }'),
    '"exists" and "missing" ask the same',
  ],
  [
    'statuses that are a list',
    'agents: [Cursor]\npolicies: []\n',
    'policies.yaml:1:9 error: "agents" must be a block of names and values, not a list',
  ],
  [
    'arguments that are a text',
    one('action: block\nif: { args: branch }'),
    '"args" must be a block of names and values, not "branch"',
  ],
  [
    'tools without their integration',
    'tools: { GitHub: Allowed }\npolicies: []\n',
    'must be a block of names and values, not "Allowed"',
  ],
  [
    'the name of a default',
    'policies: [{ name: "(default: action)", action: block }]',
    'is how the defaults are named in the log',
  ],
  ['an empty comparison', one('action: block\nif: { args: { a: {} } }'), 'the comparison is empty'],
  ['an unknown comparison', one('action: block\nif: { args: { a: { oevr: 3 } } }'), 'unknown key "oevr"'],
  ['…and its mend', one('action: block\nif: { args: { a: { oevr: 3 } } }'), 'did you mean "over"?'],
  [
    'a comparison with text',
    one('action: block\nif: { args: { a: { over: lots } } }'),
    '"over" must be a number, not "lots"',
  ],
  ['a block as a value', one('action: block\nif: { args: { a: [[1]] } }'), "a value to compare with can't be a list"],
  [
    'a variable without quotes',
    'channels: { slack: { webhook: ${env:X} } }\npolicies: []\n',
    'inside braces an unquoted "${" opens a map',
  ],
  ['an unknown section', 'polices: []\n', 'did you mean "policies"?'],
  ['policies that are no list', 'policies: { name: x }\n', 'the policies are missing or not a list'],
  ['a policy that is text', 'policies: [block]\n', 'this must be a block of keys, not "block"'],
  ['a condition that is text', one('action: block\nif: GitHub'), 'this must be a block of conditions, not "GitHub"'],
  ['an unknown version', 'version: 2\npolicies: []\n', 'this version of the file is not known'],
  ['two documents', 'policies: []\n---\npolicies: []\n', 'more than one YAML document'],
  ['no YAML', 'policies: [\n', 'this is not valid YAML'],
  ['nothing', '', 'the file is empty'],
  ['only a comment', '# nothing\n', 'the file is empty'],
  [
    'an unknown tool status',
    'tools: { GitHub: { Create isue: Allowed } }\npolicies: []\n',
    'did you mean "Create issue"?',
  ],
  ['a dotted key', one('action: block\nif: { args.branch: main }'), 'write args: { branch: … }'],
  ['an empty any', one('action: block\nif: { any: [] }'), '"any" must be a list of conditions'],
  [
    'aliases without end',
    `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\npolicies: [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n`,
    'the file holds more than 100,000 values',
  ],
  ['an unknown door', one('action: block\nif: { via: shell }'), 'did you mean "cli"?'],
  ['a time without hours', one('action: block\nif: { time: { zone: UTC } }'), 'error: the time has no hours'],
  [
    'a time inside and outside',
    one('action: block\nif: { time: { inside: Mon, outside: Tue } }'),
    'error: the time is both inside and outside',
  ],
  ['hours that are none', one('action: block\nif: { time: { inside: 9-17 } }'), '"9-17" are not hours of a day'],
  ['…and their mend', one('action: block\nif: { time: { inside: 9-17 } }'), 'write them like this: 09:00-18:00'],
  [
    'a day that is none, in a list',
    one('action: block\nif: { time: { inside: [Mon, Fryday] } }'),
    'policies.yaml:4:33 error: "Fryday" is not a day or a range of days',
  ],
  ['no window at all', one('action: block\nif: { time: { inside: [] } }'), 'the list of time windows is empty'],
  ['a number for a window', one('action: block\nif: { time: { inside: 9 } }'), '9 is no time window'],
  [
    'an unknown zone',
    one('action: block\nif: { time: { inside: Mon, zone: Europe/Lndon } }'),
    '"Europe/Lndon" is not a time zone',
  ],
  [
    '…and its mend',
    one('action: block\nif: { time: { inside: Mon, zone: Europe/Lndon } }'),
    'did you mean "Europe/London"?',
  ],
  ['a rate without a time', one('action: block\nif: { rate: { over: 3 } }'), 'error: within is missing'],
  [
    'a rate without a number',
    one('action: block\nif: { rate: { within: 1m } }'),
    'over must be a whole number from 0 to 1000000',
  ],
  [
    'a rate per nothing known',
    one('action: block\nif: { rate: { over: 3, within: 1m, per: agnet } }'),
    'did you mean "agent"?',
  ],
  ['a rate that would loosen', one('action: allow\nif: { rate: { over: 3, within: 1m } }'), 'a rate can only restrict'],
  [
    'a rate under not',
    one('action: block\nif: { any: [{ not: { rate: { over: 3, within: 1m } } }] }'),
    'a rate can only restrict: here more calls would be allowed once there are many',
  ],
  ['a rate under unless', one('action: block\nunless: { rate: { over: 3, within: 1m } }'), 'a rate can only restrict'],
  [
    'arguments of earlier calls',
    one('action: block\nif: { session has: { args: { a: 1 } } }'),
    '"args" can\'t be asked of earlier calls: only what was done is kept of them',
  ],
  [
    'the agent of earlier calls, deep inside',
    one('action: block\nif: { session has: { any: [{ not: { agent: Cursor } }] } }'),
    '"agent" can\'t be asked of earlier calls',
  ],
  ['a user that is a number', one('action: block\nif: { user: 0 }'), 'user must be text, not 0'],
  ['a workspace that is empty', one('action: block\nif: { workspace: [] }'), 'workspace is an empty list'],
  [
    'a rate on discovery',
    one('action: alert\nwhen: agent discovered\nif: { rate: { over: 3, within: 1m } }'),
    '"rate" means nothing when an agent is discovered',
  ],
  ['a date that is none', one('action: block\nexpires: tomorrow'), '"tomorrow" is not a date for expires'],
  [
    'a day that is not in the calendar',
    one('action: block\nexpires: "2026-02-30"'),
    '"2026-02-30" is not a date for expires',
  ],
  [
    'an instant without a zone',
    one('action: block\nexpires: "2026-02-20T10:00:00"'),
    'write a day, 2026-12-31, or an instant with its zone',
  ],
  ['enabled that is no flag', one('action: block\nenabled: "yes"'), 'enabled must be true or false, not "yes"'],
  ['a severity that is none', one('action: alert\nalert: { severity: huge }'), '"huge" is not a severity'],
  ['a channel that is none', one('action: alert\nalert: { channel: mail }'), '"mail" is not a channel'],
  [
    'a channel that is not set up',
    one('action: alert\nalert: { channel: [slack] }'),
    'the channel "slack" is not set up, so this alert reaches nobody there',
  ],
  ['a redaction that is empty', one('action: block\nredact: { result: [] }'), 'result is an empty list'],
  ['a redaction of nothing known', one('action: block\nredact: { results: [emails] }'), 'did you mean "result"?'],
  [
    'a redaction on discovery',
    one('action: alert\nwhen: agent discovered\nredact: { args: [a] }'),
    'when an agent is discovered there is nothing to redact',
  ],
  [
    'a time to remember that is none',
    one('action: require approval\napproval: { remember: always }'),
    '"always" is not a time to remember',
  ],
  [
    '…and its mend',
    one('action: require approval\napproval: { remember: always }'),
    'or one of: never, this call, session, until reviewed',
  ],
  ['a rule for changes that is none', 'defaults: { changes: review }\npolicies: []\n', 'did you mean "reviewed"?'],
  ['a default action that is none', 'defaults: { action: deny }\npolicies: []\n', '"deny" is not a default action'],
  ['a mode that is none', one('action: block\nmode: montor'), 'did you mean "monitor"?'],
  ['tests that are no list', one('action: block\ntests: { call: a/b }'), 'the tests are not a list'],
  [
    'a test of nothing',
    one('action: block\ntests: [{ expect: block }]'),
    'says neither what is called or run nor who is discovered',
  ],
  [
    'a test of both',
    one('action: block\ntests: [{ call: a/b, discovered: c, expect: block }]'),
    'the test is of several things: a call, a command, a discovery',
  ],
  ['a test without its end', one('action: block\ntests: [{ call: a/b }]'), 'the expectation is missing'],
  ['a test with a wrong end', one('action: block\ntests: [{ call: a/b, expect: blok }]'), 'did you mean "block"?'],
  [
    'a test whose arguments are none',
    one('action: block\ntests: [{ call: a/b, args: x, expect: block }]'),
    '"args" must be a block of arguments',
  ],
  [
    'a message that is too long',
    one(`action: block\nmessage: ${'x'.repeat(1001)}`),
    'message is longer than 1000 characters',
  ],
  ['a name that is empty', 'policies: [{ name: "", action: block }]', 'name is empty'],
  [
    'a reason rule that is none',
    one('action: require approval\napproval: { reason: must }'),
    '"must" is not a reason rule',
  ],
  ['a webhook that is none', 'channels: { slack: { webhook: 3 } }\npolicies: []\n', 'webhook must be text, not 3'],
];

describe('every mistake has its place, its fault and its mend', () => {
  test.each(MISTAKES)('%s', (_, text, message) => {
    expect(problemsIn(text)).toContain(message);
    expect(() => compile(text)).toThrow();
  });

  test('all of them at once, in the order of the file, with the line and a caret', () => {
    expect(problemsIn('policies:\n  - name: a\n    action: blok\n    if: { operation: wirte, integraton: x }\n')).toBe(
      [
        'policies.yaml:3:13 error: "blok" is not an action',
        '        action: blok',
        '                ^ did you mean "block"? Use one of: block, require approval, alert, allow',
        'policies.yaml:4:22 error: "wirte" is not an operation',
        '        if: { operation: wirte, integraton: x }',
        '                         ^ did you mean "Write"? Use one of: Read, Write, Delete',
        'policies.yaml:4:29 error: unknown key "integraton"',
        '        if: { operation: wirte, integraton: x }',
        '                                ^ did you mean "integration"? Use one of: integration, operation, tool, tool_review_status, agent, agent_review_status, via, server, user, workspace, args, time, rate, session_has, any, all, not',
      ].join('\n'),
    );
  });

  test('warnings leave the file usable', () => {
    expect(problemsIn(one('action: alert'))).toContain('warning: policy "x" has no "if": it applies to everything');
    expect(problemsIn(one('action: alert\nif: { server: gitub }'))).toContain(
      'there is no server "gitub" in servers.json',
    );
    expect(problemsIn(one('action: alert\nif: { tool: frobnicate_everything }'))).toContain(
      'no tool that the catalog knows matches',
    );
    expect(() => compile(one('action: alert'))).not.toThrow();
  });

  test('a secret on the line of a mistake is not shown', () => {
    expect(
      problemsIn(
        'channels: { slack: { webhok: "https://hooks.slack.com/services/T000/B000/abcdefghijkl" } }\npolicies: []\n',
      ),
    ).not.toContain('abcdefghijkl');
  });
});

test('the example file is the four examples, and has no mistake', () => {
  const text = readFileSync(join(import.meta.dirname, '../../policies.example.yaml'), 'utf8');
  expect(problemsIn(text)).toBe('');
  expect(compile(text).calls.filter(({ place }) => place !== 'built in')).toHaveLength(3);
  expect(compile(text).discoveries).toHaveLength(1);
});
