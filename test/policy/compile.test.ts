import { describe, expect, test } from 'vitest';
import { type CompiledPolicy, wordsOf } from '../../src/policy/compile.ts';
import { countersOf } from '../../src/policy/rates.ts';
import { agentOf, callOf, compile, factsOf, gatheredOf, judge } from '../support/judge.ts';

/** The first policy of a file of policies in flow style. */
const only = (body: string): CompiledPolicy => compile(`policies:\n  - { name: Mine, ${body} }\n`).calls[0]!;

describe('compiled', () => {
  test('policies of calls and of discoveries are kept apart, each with its place, those switched off left out', () => {
    const policies = compile(
      'policies:\n  - { name: A, action: block }\n  - { name: B, when: an agent is discovered, action: alert }\n  - { name: C, enabled: false, action: block }\n  - { name: D, action: alert }\n',
    );
    const names = (list: readonly CompiledPolicy[]) => list.map(({ source, place }) => `${source.name} ${place}`);
    expect(names(policies.calls)).toEqual([
      'A policies.yaml:2',
      'D policies.yaml:5',
      'toolgate protects itself built in',
    ]);
    expect(names(policies.discoveries)).toEqual(['B policies.yaml:3']);
    expect(policies.applicable(factsOf(policies, {})).policies.map(({ policy }) => policy.source.name)).toEqual([
      'A',
      'D',
    ]);
  });

  test.each([
    ['github', 'its id'],
    ['GitHub', 'its title'],
    ['gh', 'an alias'],
    ['G-H', 'an alias, written otherwise'],
  ])('an integration is found by "%s", %s', (name) => {
    const policies = compile(`policies: [{ name: Mine, if: { integration: ${name} }, action: block }]`);
    expect(judge(policies, { call: 'github/create_issue' }).effect).toBe('block');
    expect(judge(policies, { call: 'linear/create_issue' }).effect).toBe('allow');
  });

  test.each([
    ['if: { session_has: { tool: get_it } }', true],
    ['unless: { session_has: { tool: get_it } }', true],
    ['if: { tool: a }, unless: { session_has: { tool: get_it } }', true],
    ['if: { any: [{ tool: a }, { session_has: { tool: get_it } }] }', true],
    ['if: { all: [{ session_has: { tool: get_it } }, { tool: a }] }', true],
    ['if: { not: { any: [{ session_has: { tool: get_it } }] } }', true],
    ['if: { tool: a, any: [{ tool: b }], all: [{ tool: c }], not: { tool: d } }, unless: { tool: e }', false],
    ['if: { tool: a }', false],
    ['unless: { tool: a }', false],
  ])('%s looks back: %s', (body, looksBack) => expect(only(`${body}, action: block`).looksBack).toBe(looksBack));

  test.each([
    ['action: allow', false],
    ['action: allow, redact: { args: [a] }', true],
    ['action: allow, alert: { severity: low }', true],
    ['action: block, redact: { args: [a] }', false],
    ['action: block, alert: { severity: low }', false],
  ])('%s has a duty of its own: %s', (body, has) => expect(only(body).duty !== null).toBe(has));

  test('a duty restricts, so a claim is enough for it, also within unless', () => {
    const { test: allows, duty } = only('if: { agent: Cursor }, unless: { agent: Zed }, action: allow, alert: {}');
    const asked = (agent: string) => ({
      ...factsOf(compile('policies: []'), {}),
      agent: agentOf({ agent, identity: 'claimed' }),
    });
    expect([allows.answer(asked('Cursor')), duty!.answer(asked('Cursor'))]).toEqual(['cant tell', 'yes']);
    expect([allows.answer(asked('Zed')), duty!.answer(asked('Zed'))]).toEqual(['no', 'no']);
    const everyone = only('unless: { agent: Zed }, action: allow, alert: {}');
    expect([everyone.test.answer(asked('Zed')), everyone.duty!.answer(asked('Zed'))]).toEqual(['no', 'cant tell']);
  });

  test('a test keeps the words it was written in', () => {
    const { test: whole } = only(
      'if: { tool: a, any: [{ tool: b, via: mcp }, { tool: c }], all: [{ tool: d }], not: { tool: e } }, unless: { tool: f }, action: block',
    );
    const labels = (each: typeof whole): unknown =>
      each.parts.length === 0 ? each.label : [each.label, ...each.parts.map(labels)];
    expect(labels(whole)).toEqual([
      'if',
      ['all', 'tool: a', ['any', ['all', 'tool: b', 'via: mcp'], 'tool: c'], ['all', 'tool: d'], ['not', 'tool: e']],
      ['unless', 'tool: f'],
    ]);
    expect(only('action: block').test).toMatchObject({ label: 'if', kind: 'all', parts: [] });
  });
});

describe('a rate', () => {
  const RATE = 'rate: { over: 5, within: 1m }';
  const keys = (body: string, call: string, args = {}) => {
    const { rates } = only(`${body}, action: block`);
    const facts = { agent: agentOf({ agent: 'Zed' }), call: callOf({ call, args }), gathered: gatheredOf({}) };
    return countersOf(rates, facts).map(({ key }) => key);
  };

  test('has a counter named for its policy and its place among the rates of it', () => {
    expect(keys(`if: { ${RATE} }`, 'shop/get_it')).toEqual(['mine#0 agent zed']);
    expect(
      keys(
        'if: { any: [{ rate: { over: 1, within: 1m } }, { rate: { over: 9, within: 1h, per: session } }] }',
        'shop/get_it',
      ),
    ).toEqual(['mine#0 agent zed', 'mine#1 session s']);
  });

  test('counts only the calls that everything around it is true of', () => {
    const counts = (body: string, call: string, args = {}) => keys(body, call, args).length > 0;
    expect(counts(`if: { tool: get_it, ${RATE} }`, 'shop/get_it')).toBe(true);
    expect(counts(`if: { tool: get_it, ${RATE} }`, 'shop/save_it')).toBe(false);
    expect(counts(`if: { tool: get_it, any: [{ ${RATE} }] }`, 'shop/save_it')).toBe(false);
    expect(counts(`if: { any: [{ tool: get_it, ${RATE} }, { tool: save_it }] }`, 'shop/save_it')).toBe(false);
    expect(counts(`if: { ${RATE}, any: [{ tool: get_it }] }`, 'shop/save_it')).toBe(false);
    expect(counts(`if: { ${RATE}, not: { tool: save_it } }`, 'shop/save_it')).toBe(false);
    expect(counts(`if: { ${RATE} }, unless: { tool: save_it }`, 'shop/save_it')).toBe(false);
    expect(counts(`if: { ${RATE} }, unless: { tool: save_it }`, 'shop/get_it')).toBe(true);
    expect(counts(`if: { ${RATE}, args: { a: 1 } }`, 'shop/get_it', { a: 2 })).toBe(false);
  });

  test('within another counts for itself, and each once', () => {
    const body = `if: { ${RATE}, all: [{ tool: get_it, rate: { over: 1, within: 1h } }] }`;
    expect(keys(body, 'shop/get_it')).toEqual(['mine#0 agent zed', 'mine#1 agent zed']);
    expect(keys(body, 'shop/save_it')).toEqual([]);
  });
});

test.each([
  [
    'if: { integration: GitHub, operation: [Write, Delete] }, action: block',
    'block if integration: GitHub and operation: Write or Delete',
  ],
  ['if: { tool: a }, unless: { agent: Zed }, action: allow', 'allow if tool: a unless agent: Zed'],
  ['action: alert', 'alert'],
  [
    'when: an agent is discovered, if: { agent: Zed }, action: alert',
    'alert when an agent is discovered if agent: Zed',
  ],
  [
    'if: { rate: { over: 5, within: 1m }, tool: a }, action: block',
    'block if tool: a and rate: over 5 within 1m per agent',
  ],
  [
    'if: { rate: { over: 5, within: 1m }, any: [{ rate: { over: 9, within: 1h } }] }, action: block',
    'block if rate: over 5 within 1m per agent and rate: over 9 within 1h per agent',
  ],
])('%s, in words', (body, words) => {
  const { calls, discoveries } = compile(`policies:\n  - { name: Mine, ${body} }\n`);
  expect(wordsOf([...discoveries, ...calls][0]!.source)).toBe(words);
});
