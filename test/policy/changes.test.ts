import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { policyChanges } from '../../src/policy/changes.ts';
import { readPolicies } from '../../src/policy/load.ts';
import { formatProblems } from '../../src/problem.ts';
import { vocabulary } from '../support/judge.ts';

const file = (text: string) => {
  const { policies, problems } = readPolicies(text, vocabulary);
  if (policies === null) throw new Error(formatProblems(problems));
  return policies.file;
};
const changes = (before: string, after: string) => policyChanges(file(before), file(after));
const one = (policy: string, more = '') => `${more}policies:\n  - { name: P, ${policy} }\n`;

describe('a change of the policies, in words', () => {
  test.each<[string, string, string[]]>([
    [
      'policies: []',
      one('if: { integration: GitHub, operation: Write or Delete }, unless: { agent: Claude }, action: block'),
      ['new policy "P": block if integration: GitHub and operation: Write or Delete unless agent: Claude'],
    ],
    [one('if: { user: root }, action: block'), 'policies: []', ['policy "P" is gone: it was block if user: root']],
    [
      one('if: { user: root }, action: block'),
      one('if: { user: root }, action: alert'),
      ['policy "P": block if user: root → alert if user: root'],
    ],
    [
      one('if: { any: [{ user: root }, { not: { operation: Read, tool: get_it } }] }, action: block'),
      one('if: { user: [root, ann] }, action: block'),
      ['policy "P": block if user: root or not (operation: Read and tool: get_it) → block if user: root or ann'],
    ],
    [one('action: block'), one('action: block, mode: monitor'), ['policy "P": mode: nothing → monitor']],
    [one('action: block'), one('action: block, enabled: false'), ['policy "P": enabled: true → false']],
    [
      one('action: block, message: Ask Ann'),
      one('action: block, message: Ask Bob'),
      ['policy "P": message: Ask Ann → Ask Bob'],
    ],
    [
      one('if: { args: { amount: { over: 500 } } }, action: block'),
      one('if: { args: { amount: { over: "500" } } }, action: block').replace('over: "500"', 'over: 5000'),
      ['policy "P": block if args.amount: over 500 → block if args.amount: over 5000'],
    ],
    ['policies: []', 'defaults: { action: block }\npolicies: []', ['defaults.action: allow → block']],
    ['policies: []', 'defaults: { changes: reviewed }\npolicies: []', ['defaults.changes: at once → reviewed']],
    [
      'agents: { Cursor: Allowed }\npolicies: []',
      'agents: { Cursor: Disallowed }\npolicies: []',
      ['agents.Cursor: Allowed → Disallowed'],
    ],
    [
      'policies: []',
      'tools: { GitHub: { Create issue: Allowed } }\npolicies: []',
      ['tools.GitHub.Create issue: nothing → Allowed'],
    ],
    [
      'policies: []',
      `channels: { slack: { webhook: "https://hooks.slack.com/services/T0/B0/${'x'.repeat(24)}" } }\npolicies: []`,
      [expect.stringMatching(/^channels\.slack\.webhook: nothing → \[redacted:slack-webhook:/)],
    ],
    [
      one('action: block'),
      one('action: block, description: for people, tests: [{ call: a/b, expect: block }]', '# a comment\n'),
      [],
    ],
    [one('if: { tool: "1" }, action: block'), one('if: { tool: "1" }, action: block'), []],
    [
      'agents: { Claude 3: Disallowed, Claude 3.5: Allowed }\npolicies: []',
      'agents: { Claude 3.5: Allowed }\npolicies: []',
      ['agents.Claude 3: Disallowed → nothing'],
    ],
    [
      'policies: []',
      one('if: { user: root }, action: block, mode: monitor, enabled: false, redact: { args: [a] }'),
      ['new policy "P": block if user: root; enabled: false; redact.args: ["a"]; mode: monitor'],
    ],
    [
      one('if: { agent: [Cursor, Claude Code] }, action: block'),
      one('if: { agent: "Cursor or Claude Code" }, action: block'),
      ['policy "P": if.agent: without Cursor, without Claude Code, with Cursor or Claude Code'],
    ],
    [
      `reviewers: { ann: { os: a }, mal: { os: m } }\n${one('action: require approval, approval: { reviewers: [ann] }')}`,
      `reviewers: { ann: { os: a }, mal: { os: m } }\n${one('action: require approval, approval: { reviewers: [mal] }')}`,
      ['policy "P": approval.reviewers: without ann, with mal'],
    ],
    [
      one('if: { args: { n: "1" } }, action: block'),
      one('if: { args: { n: 1 } }, action: block'),
      ['policy "P": block if args.n: "1" → block if args.n: 1'],
    ],
  ])('from %j to %j', (before, after, lines) => expect(changes(before, after)).toEqual(lines));

  test('nothing that is judged changes without a word', () => {
    const value = fc.constantFrom<any>('x', 1, '1', true, null, ['a', 'b'], ['b', 'a'], {}, { deep: [1] }, undefined);
    const policy = fc.record({
      name: fc.constantFrom('a', 'b'),
      if: fc.option(
        fc.record(
          {
            user: fc.constantFrom(['x'], ['y']),
            args: fc.dictionary(fc.constantFrom('n', 'm'), fc.record({ is: fc.constantFrom([1], ['1']) })),
          },
          { requiredKeys: [] },
        ),
        { nil: undefined },
      ),
      action: fc.constantFrom('block', 'alert'),
      redact: value,
      mode: value,
    });
    const whole = fc.record({
      policies: fc.uniqueArray(policy, { selector: ({ name }) => name }),
      defaults: value,
      agents: value,
    });
    fc.assert(
      fc.property(whole, whole, (before, after) => {
        const same = (each: object) =>
          JSON.stringify({
            ...each,
            policies: [...(each as any).policies].sort((a: any, b: any) => (a.name < b.name ? -1 : 1)),
          });
        expect(policyChanges(before as never, after as never).length === 0).toBe(same(before) === same(after));
      }),
      { numRuns: 1000 },
    );
  });
});
