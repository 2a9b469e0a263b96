import { expect, test } from 'vitest';
import type { Answer, JsonValue } from '../../src/call.ts';
import { compileMatch, describeArgument, describeMatch } from '../../src/policy/match.ts';
import type { ArgumentMatch } from '../../src/policy/schema-arguments.ts';

const list = (length: number) => JSON.stringify([...Array(length).fill('dev'), 'prod']);
const nested = (depth: number) => `${'['.repeat(depth)}"prod"${']'.repeat(depth)}`;

test('of a text that is JSON, what is too much to read is not taken for harmless', () => {
  const isProd = compileMatch({ is: ['prod'] }, false);
  expect(isProd(list(10), false)).toBe('yes');
  expect(isProd(list(5000), false)).toBe('cant tell');
  expect(isProd(nested(5), false)).toBe('yes');
  expect(isProd(nested(50), false)).toBe('cant tell');
  expect(isProd(JSON.stringify(['dev']), false)).toBe('no');
  expect(compileMatch({ is: ['dev'] }, true)(JSON.stringify(Array(5000).fill('dev')), false)).toBe('cant tell');
});

test('JSON text within JSON text is read, to a depth', () => {
  const wrap = (text: string, times: number): string => (times === 0 ? text : wrap(JSON.stringify(text), times - 1));
  const isProd = compileMatch({ is: ['prod'] }, false);
  expect(isProd(wrap('["prod"]', 2), false)).toBe('yes');
  expect(isProd(wrap('["prod"]', 8), false)).toBe('cant tell');
});

test('JSON text is read to its limits, and not beyond', () => {
  const isProd = compileMatch({ is: ['prod'] }, false);
  expect(isProd(nested(32), false)).toBe('yes');
  expect(isProd(nested(33), false)).toBe('cant tell');
  expect(isProd(` \n ["prod"]`, false)).toBe('yes');
  expect(isProd('[null, "prod"]', false)).toBe('yes');
  expect(isProd('{"a": {"b": "prod"}}', false)).toBe('yes');
  expect(isProd(['dev', 7, '["prod"]'], false)).toBe('yes');
  // What only looks like JSON, or is a number or a flag as text, is text.
  expect(isProd('["prod"', false)).toBe('no');
  expect(compileMatch({ is: [true] }, false)('true', false)).toBe('cant tell');
  // To loosen, the text and all in it must be fit, and nothing else.
  expect(compileMatch({ is: ['*dev*'] }, true)('["dev"]', false)).toBe('yes');
  expect(compileMatch({ is: ['*dev*'] }, true)('["dev", "prod"]', false)).toBe('cant tell');
});

const equal = { is: ['a'] };
/** A comparison, whether a yes would loosen, the value, the answer. */
const COMPARED: readonly [ArgumentMatch, boolean, JsonValue, Answer][] = [
  [equal, false, 'a', 'yes'],
  [equal, false, 'A', 'yes'],
  [equal, false, ' a ', 'yes'],
  [equal, false, 'b', 'no'],
  [equal, false, null, 'no'],
  [equal, false, { a: 1 }, 'cant tell'],
  [equal, false, ['b', 'a'], 'yes'],
  [equal, false, ['b', null], 'no'],
  [equal, false, ['b', { a: 1 }], 'cant tell'],
  [equal, true, 'a', 'yes'],
  [equal, true, 'A', 'cant tell'],
  [equal, true, ['a', 'b'], 'cant tell'],
  [equal, true, ['b', 'b'], 'no'],
  [equal, true, [], 'no'],
  [{ is: ['null'] }, false, null, 'no'],
  [{ is: [null] }, false, null, 'yes'],
  [{ is: [null] }, false, 'null', 'no'],
  [{ is: [7] }, false, 7, 'yes'],
  [{ is: [7] }, false, '7', 'yes'],
  [{ is: [7] }, false, 'seven', 'cant tell'],
  [{ is: [7] }, false, null, 'no'],
  [{ is: [7] }, false, '  ', 'cant tell'],
  [{ is: [0] }, false, ' ', 'cant tell'],
  [{ is: ['7'] }, false, 7, 'yes'],
  [{ is: [true] }, false, true, 'yes'],
  [{ is: [true] }, false, false, 'no'],
  [{ is: [true] }, false, null, 'no'],
  [{ like: ['a*'] }, false, 'abc', 'yes'],
  [{ like: ['a*'] }, false, 'bac', 'no'],
  [{ is_not: ['a'] }, false, 'b', 'yes'],
  [{ is_not: ['a'] }, false, 'a', 'no'],
  // Where a yes restricts, another case may be meant as another value.
  [{ is_not: ['a'] }, false, 'A', 'cant tell'],
  [{ is_not: ['a'] }, true, 'A', 'no'],
  [{ is_not: ['a'] }, false, ['a', 'b'], 'yes'],
  [{ is_not: ['a'] }, true, ['a', 'b'], 'cant tell'],
  [{ not_like: ['a*'] }, false, 'Abc', 'cant tell'],
  [{ not_like: ['a*'] }, true, 'Abc', 'no'],
  [{ not_like: ['a*'] }, false, 'bc', 'yes'],
  [{ contains: ['b'] }, false, 'abc', 'yes'],
  [{ contains: ['/'] }, false, 'a/c', 'yes'],
  [{ contains: ['x'] }, false, 'abc', 'no'],
  [{ contains: ['b*'] }, false, 'abc', 'no'],
  [{ contains: ['null'] }, false, null, 'no'],
  [{ contains: ['b'] }, false, { b: 1 }, 'cant tell'],
  [{ contains: [12] }, false, 12, 'yes'],
  [{ contains: [12] }, false, 123, 'no'],
  [{ contains: [true] }, false, true, 'yes'],
  [{ over: 5 }, false, 5, 'no'],
  [{ over: 5 }, false, 5.1, 'yes'],
  [{ under: 5 }, false, 5, 'no'],
  [{ under: 5 }, false, 4, 'yes'],
  [{ at_least: 5 }, false, 5, 'yes'],
  [{ at_least: 5 }, false, 4, 'no'],
  [{ at_most: 5 }, false, 5, 'yes'],
  [{ at_most: 5 }, false, 6, 'no'],
  [{ over: 5 }, false, ' 6 ', 'yes'],
  [{ over: 5 }, false, 'many', 'cant tell'],
  [{ over: 5 }, false, null, 'no'],
  [{ over: 5 }, false, [1, 9], 'yes'],
  [{ over: 5, under: 9 }, false, 7, 'yes'],
  [{ over: 5, under: 9 }, false, 9, 'no'],
];

test.each(COMPARED)('%j, loosening: %s, of %j is %s', (match, loosens, value, answer) => {
  expect(compileMatch(match, loosens)(value, false)).toBe(answer);
});

test('a relative path may be an absolute one, and only that', () => {
  const isEtc = compileMatch({ is: ['/etc/passwd'] }, false);
  expect(isEtc('etc/passwd', true)).toBe('cant tell');
  expect(isEtc('etc/passwd', false)).toBe('no');
  expect(isEtc('/etc/hosts', true)).toBe('no');
  expect(isEtc('passwd/', true)).toBe('cant tell');
  expect(compileMatch({ is: ['etc/'] }, false)('passwd', true)).toBe('no');
});

test('a comparison and what was found, in words', () => {
  expect(describeMatch({ is: ['a', 2] })).toBe('"a" or 2');
  expect(describeMatch({ over: 5, not_like: ['x*', 'y*'] })).toBe('over 5, not_like "x*" or "y*"');
  expect(describeArgument('a', { state: 'missing' })).toBe('missing');
  expect(describeArgument('a', { state: 'unreadable', why: 'it is JSON' })).toBe('unreadable: it is JSON');
  expect(describeArgument('a.b', { state: 'value', value: ['x', 1] })).toBe('["x",1]');
  expect(describeArgument('login.password', { state: 'value', value: 'hunter2' })).not.toContain('hunter2');
  expect(describeArgument('password.note', { state: 'value', value: 'plain' })).toBe('"plain"');
  expect(describeArgument('a.password.note', { state: 'value', value: 'plain' })).toBe('"plain"');
  const letters = 'abcdefghij'.repeat(20);
  expect(describeArgument('a', { state: 'value', value: letters.slice(0, 118) })).toBe(`"${letters.slice(0, 118)}"`);
  expect(describeArgument('a', { state: 'value', value: letters })).toBe(
    `"${letters.slice(0, 59)}…${letters.slice(-39)}"`,
  );
});
