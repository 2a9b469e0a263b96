import { describe, expect, test } from 'vitest';
import { type ExplainedCondition, explain } from '../../src/policy/explain.ts';
import { type CaseCall, compile, factsOf } from '../support/judge.ts';

const EVERYTHING = `policies:
  - name: Everything
    if:
      integration: [Shop, GitHub]
      operation: [Write, Delete]
      tool: [save_it, "del*"]
      tool review status: [Allowed, Unreviewed]
      agent: [Cursor, Somebody]
      agent review status: Allowed
      via: [mcp, cli]
      server: [shop, "s*"]
      user: [ann, bob]
      workspace: [~/work, /srv]
      args:
        plain: [x, "y*", 3, true, null]
        many: { is: a, is_not: [b], like: "a*", not_like: ["*b"], over: 1, under: 9, at_least: 2, at_most: 8, contains: a, missing: match }
        there: { exists: true }
      time: { outside: [Mon-Fri 09:00-18:00, Sat], zone: Europe/London }
      rate: { over: 3, within: 90s, per: tool }
      session has: { any: [{ tool: get_it }, { not: { operation: Read } }] }
      any: [{ user: ann }, { all: [{ user: bob }, { via: cli }] }]
      not: { user: root }
    unless: { time: { inside: "22:00-06:00" } }
    action: block
`;

const rows = (conditions: readonly ExplainedCondition[], depth = 0): string[] =>
  conditions.flatMap(({ condition, answer, compared, parts }) => [
    `${'  '.repeat(depth)}${answer} | ${condition} | ${compared}`,
    ...rows(parts, depth + 1),
  ]);

const explained = (text: string, item: CaseCall) => {
  const policies = compile(text);
  return explain(policies, factsOf(policies, item), 'owner').policies;
};

describe('an explanation', () => {
  test('says every condition as it was written, its answer, and what it was compared with', () => {
    const [policy] = explained(EVERYTHING, {
      call: 'shop/save_it',
      agent: 'Cursor',
      at: '2026-11-22T12:00:00Z',
      counted: 3,
      before: ['shop/get_it', 'shop/frobnicate'],
      args: { plain: 'yes', many: 'a', there: [1] },
      workspace: ['/home/ann/work/a', '?/srv'],
    });
    expect(rows(policy!.conditions)).toEqual([
      'yes | integration: Shop or GitHub | shop',
      'yes | operation: Write or Delete | Write',
      'yes | tool: save_it or del* | Save it',
      'yes | tool review status: Allowed or Unreviewed | Allowed',
      'yes | agent: Cursor or Somebody | Cursor (registered)',
      'yes | agent review status: Allowed | Allowed',
      'yes | via: mcp or cli | mcp',
      'yes | server: shop or s* | shop',
      'yes | user: ann or bob | ann',
      'yes | workspace: ~/work or /srv | /home/ann/work/a, /srv',
      'yes | args.plain: "x" or "y*" or 3 or true or null | "yes"',
      'cant tell | args.many: is "a", is_not "b", like "a*", not_like "*b", over 1, under 9, at_least 2, at_most 8, contains "a", missing "match" | "a"',
      'yes | args.there: exists true | [1]',
      'yes | time: outside Mon-Fri 09:00-18:00 or Sat, Europe/London | Sun 12:00 in Europe/London',
      'yes | session has: tool: get_it or not (operation: Read) | shop · Get it, shop · Frobnicate',
      'yes | rate: over 3 within 90s per tool | call 4',
      'yes | any | ',
      '  yes | user: ann | ann',
      '  no | user: bob | ann',
      '  no | via: cli | mcp',
      'yes | not | ',
      '  no | user: root | ann',
      'yes | unless | ',
      '  no | time: inside 22:00-06:00 | Sun 12:00 in UTC',
    ]);
    expect(policy).toMatchObject({
      answer: 'cant tell',
      applies: true,
      decides: true,
      missedBy: null,
      place: 'policies.yaml:2',
    });
  });

  test('says what is not known', () => {
    const [policy] = explained(EVERYTHING, {
      call: 'shop/frobnicate',
      identity: 'claimed',
      user: null,
      workspace: [],
      before: null,
      counted: null,
      args: { many: { deep: 1 } },
    });
    const told = rows(policy!.conditions).filter((row) => !row.startsWith('yes'));
    expect(told).toEqual([
      'cant tell | operation: Write or Delete | unknown',
      'no | tool: save_it or del* | Frobnicate',
      'cant tell | user: ann or bob | unknown',
      'cant tell | workspace: ~/work or /srv | unknown',
      'no | args.plain: "x" or "y*" or 3 or true or null | missing',
      expect.stringMatching(/^cant tell \| args\.many: .* \| {"deep":1}$/),
      'no | args.there: exists true | missing',
      'cant tell | session has: tool: get_it or not (operation: Read) | not known here',
      'cant tell | rate: over 3 within 90s per tool | not counted',
      'cant tell | any | ',
      '  cant tell | user: ann | unknown',
      '  cant tell | user: bob | unknown',
      '  no | via: cli | mcp',
      'cant tell | not | ',
      '  cant tell | user: root | unknown',
      'no | unless | ',
      '  yes | time: inside 22:00-06:00 | Thu 00:00 in UTC',
    ]);
  });

  test('names the only condition that is missing, and of a claim that it is one', () => {
    const text = `policies:
  - { name: Near, if: { tool: get_it, user: bob }, action: block }
  - { name: Far, if: { tool: save_it, user: bob }, action: block }
  - { name: Alone, if: { user: bob }, action: block }
  - { name: Sure, if: { tool: get_it, agent: Cursor, agent review status: Allowed }, action: allow }
  - { name: Over, if: { tool: get_it }, action: block, expires: "1969-01-01" }
`;
    const found = explained(text, { call: 'shop/get_it', agent: 'Cursor', identity: 'claimed' });
    expect(found.map(({ policy, applies, missedBy }) => [policy, applies, missedBy])).toEqual([
      ['Near', false, 'user: bob'],
      ['Far', false, null],
      ['Alone', false, null],
      ['Sure', false, null],
      ['Over', false, 'expires'],
    ]);
    expect(rows(found[3]!.conditions)).toEqual([
      'yes | tool: get_it | Get it',
      'cant tell | agent: Cursor | Cursor (claimed)',
      'cant tell | agent review status: Allowed | Allowed (claimed)',
    ]);
  });
});
