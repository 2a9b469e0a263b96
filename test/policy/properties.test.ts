import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import type { Call, Facts, Operation, Surroundings } from '../../src/call.ts';
import { decide } from '../../src/policy/decide.ts';
import { agentOf, type CaseCall, callOf, compile, factsOf as filled, gatheredOf } from '../support/judge.ts';
import { reference } from '../support/reference.ts';

const RANK = { allow: 0, 'require approval': 1, block: 2 } as const;

const leaf = fc.oneof(
  fc.record({ operation: fc.subarray(['Read', 'Write', 'Delete'], { minLength: 1 }) }),
  fc.record({ tool: fc.constantFrom('get_it', 'save_it', '*it', 'delete_it') }),
  fc.record({ agent: fc.constantFrom('Somebody', 'Cursor', '*') }),
  fc.record({ agent_review_status: fc.constantFrom('Allowed', 'Disallowed', 'Unreviewed') }),
  fc.record({ tool_review_status: fc.constantFrom('Allowed', 'Disallowed', 'Unreviewed') }),
  fc.record({ user: fc.constantFrom('ann', 'bob', '*') }),
  fc.record({ workspace: fc.constantFrom('/home/ann', '~/work', '/srv', '/') }),
  fc.constant({ time: { outside: 'Mon-Fri 09:00-18:00', zone: 'UTC' } }),
  fc.record({ session_has: fc.record({ operation: fc.constantFrom('Read', 'Write') }) }),
  fc.record({ session_has: fc.record({ not: fc.record({ tool: fc.constantFrom('get_it', 'sa*') }) }) }),
  fc.record({
    args: fc.record({
      a: fc.oneof(
        fc.constantFrom('x', 'y', true, 1),
        fc.record({ over: fc.integer({ min: 0, max: 3 }) }),
        fc.record({ not_like: fc.constant('x') }),
        fc.record({ exists: fc.boolean() }),
      ),
    }),
  }),
);
const { condition } = fc.letrec<{ condition: object }>((tie) => ({
  condition: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.record({ any: fc.array(tie('condition'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ all: fc.array(tie('condition'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ not: tie('condition') }),
  ),
}));
const policy = fc
  .record(
    { if: condition, action: fc.constantFrom('block', 'require approval', 'alert', 'allow') },
    { requiredKeys: ['if', 'action'] },
  )
  .chain((body) =>
    fc.oneof(
      fc.constant(body),
      condition.map((unless) => ({ ...body, unless })),
    ),
  );
const policies = fc
  .array(policy, { minLength: 1, maxLength: 5 })
  .map((list) => list.map((each, index) => ({ name: `p${index}`, ...each })));
const item = fc.record({
  call: fc.constantFrom('shop/get_it', 'shop/save_it', 'shop/delete_it', 'shop/frobnicate'),
  agent: fc.constantFrom('Somebody', 'Cursor'),
  identity: fc.constantFrom('claimed' as const, 'registered' as const),
  agent_status: fc.constantFrom('Allowed' as const, 'Disallowed' as const, 'Unreviewed' as const),
  tool_status: fc.constantFrom('Allowed' as const, 'Disallowed' as const, 'Unreviewed' as const),
  at: fc.constantFrom('2026-11-23T12:00:00Z', '2026-11-22T12:00:00Z'),
  user: fc.constantFrom('ann', 'bob', null),
  workspace: fc.constantFrom(['/home/ann/work'], ['/home/ann/work', '?/srv'], ['?/srv/x'], []),
  before: fc.constantFrom([], ['shop/get_it'], ['shop/save_it', 'shop/get_it'], ['shop/frobnicate'], null),
  args: fc.oneof(
    fc.constant({}),
    fc.record({ a: fc.constantFrom<any>('x', 'y', true, false, 0, 2, '2', null, ['x', 'z'], { b: 1 }) }),
  ),
});

type Policies = readonly object[];
const file = (list: Policies, defaults = {}) =>
  compile(stringify({ defaults: { unclassified: 'allow', ...defaults }, policies: list }));
const judgeFacts = (list: Policies, facts: Parameters<typeof decide>[1], defaults = {}) =>
  decide(file(list, defaults), facts, 'owner');
const factsOf = (each: CaseCall) => ({ agent: agentOf(each), call: callOf(each), gathered: gatheredOf(each) });
const reversed = (value: any): any =>
  Array.isArray(value)
    ? value.map(reversed).reverse()
    : value !== null && typeof value === 'object'
      ? Object.fromEntries(
          Object.entries(value)
            .map(([key, inner]) => [key, reversed(inner)])
            .reverse(),
        )
      : value;

describe('whatever the policies and the call', () => {
  test('compiled and resolved they mean what they say', () => {
    const mode = fc.constantFrom('enforce', 'monitor', undefined);
    const varied = fc.array(fc.tuple(policy, mode, fc.constantFrom(true, true, false)), { minLength: 1, maxLength: 6 });
    const defaults = fc.record({
      action: fc.constantFrom('allow', 'require approval', 'block'),
      unclassified: fc.constantFrom('allow', 'require approval', 'block'),
      mode: fc.constantFrom('enforce', 'monitor'),
    });
    const rated = fc.option(fc.record({ over: fc.integer({ min: 0, max: 3 }) }), { nil: undefined, freq: 3 });
    fc.assert(
      fc.property(
        varied,
        defaults,
        rated,
        item,
        fc.constantFrom(0, 1, 3, null),
        (list, ruling, rate, each, counted) => {
          const written = {
            defaults: ruling,
            policies: [
              ...list.map(([body, its, enabled], index) => ({ name: `p${index}`, ...body, mode: its, enabled })),
              ...(rate === undefined
                ? []
                : [{ name: 'rate', action: 'block', if: { operation: ['Write'], rate: { ...rate, within: '1m' } } }]),
            ],
          };
          const compiled = compile(stringify(JSON.parse(JSON.stringify(written))));
          // The same agent twice: the second time what was worked out is remembered.
          const facts = filled(compiled, { ...each, counted });
          const expected = reference(written, facts);
          for (const decision of [decide(compiled, facts, 'owner'), decide(compiled, facts, 'owner')]) {
            expect(decision.effect).toBe(expected.effect);
            expect(decision.would ?? decision.effect).toBe(expected.would);
            expect(new Set(decision.alerts.map((alert) => alert.policy))).toEqual(expected.alerts);
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  test('the order of policies, keys and list items never changes a decision', () => {
    fc.assert(
      fc.property(policies, item, (list, each) => {
        const facts = factsOf(each);
        const [a, b] = [judgeFacts(list, facts), judgeFacts(reversed(list), facts)];
        expect(b.effect).toBe(a.effect);
        expect(new Set(b.alerts.map((alert) => alert.policy))).toEqual(new Set(a.alerts.map((alert) => alert.policy)));
      }),
    );
  });

  test('adding a block, approval or alert policy never loosens', () => {
    fc.assert(
      fc.property(policies, policy, item, (list, more, each) => {
        fc.pre(more.action !== 'allow');
        const facts = factsOf(each);
        expect(RANK[judgeFacts([...list, { name: 'more', ...more }], facts).effect]).toBeGreaterThanOrEqual(
          RANK[judgeFacts(list, facts).effect],
        );
      }),
    );
  });

  test('replacing anything known by unknown never loosens', () => {
    const ofCall = (blind: (call: Call) => Call) => (facts: Facts) => ({ ...facts, call: blind(facts.call) });
    const around = (unknown: Partial<Surroundings>) => (facts: Facts) => ({
      ...facts,
      gathered: { ...facts.gathered, surroundings: { ...facts.gathered.surroundings, ...unknown } },
    });
    const blinded = fc.constantFrom<(facts: Facts) => Facts>(
      around({ user: null }),
      around({ workspaces: [] }),
      (facts) => ({ ...facts, gathered: { ...facts.gathered, earlier: null } }),
      ...[
        (call: Call): Call => ({ ...call, possible: [], operation: null }),
        // Nothing is less known than an operation that nobody knows.
        (call: Call): Call =>
          call.possible.length === 0
            ? call
            : { ...call, possible: [...new Set<Operation>([...call.possible, 'Read', 'Delete'])], operation: 'Delete' },
        (call: Call): Call => ({
          ...call,
          tools: [...call.tools, { id: 'another', title: 'Another' }],
          calledName: 'neither',
        }),
        (call: Call): Call => ({ ...call, argument: () => ({ state: 'unreadable', why: 'test' }) }),
      ].map(ofCall),
    );
    fc.assert(
      fc.property(policies, item, blinded, (list, each, blind) => {
        const facts = factsOf(each);
        // Where the tool's own called name is what a pattern matched, an unknown one must be no looser either.
        const known = { ...facts, call: { ...facts.call, calledName: 'neither' } };
        expect(RANK[judgeFacts(list, blind(known)).effect]).toBeGreaterThanOrEqual(
          RANK[judgeFacts(list, known).effect],
        );
      }),
      { numRuns: 500 },
    );
  });

  test('a claim never loosens: the same call by a surer identity is judged no stricter', () => {
    fc.assert(
      fc.property(policies, item, (list, each) => {
        const [sure, claim] = (['registered', 'claimed'] as const).map((identity) =>
          judgeFacts(list, factsOf({ ...each, identity })),
        );
        expect(RANK[claim!.effect]).toBeGreaterThanOrEqual(RANK[sure!.effect]);
      }),
    );
  });

  test('monitor equals enforce in everything but effect', () => {
    fc.assert(
      fc.property(policies, item, (list, each) => {
        const facts = factsOf(each);
        const [enforced, monitored] = [judgeFacts(list, facts), judgeFacts(list, facts, { mode: 'monitor' })];
        expect(monitored.effect).toBe('allow');
        expect(monitored.would ?? 'allow').toBe(enforced.effect);
        expect(monitored.alerts).toEqual([]);
        expect(
          monitored.reasons
            .filter(({ policy: name }) => !name.startsWith('('))
            .map(({ policy: name, action }) => [name, action]),
        ).toEqual(
          enforced.reasons
            .filter(({ policy: name }) => !name.startsWith('('))
            .map(({ policy: name, action }) => [name, action]),
        );
      }),
    );
  });
});
