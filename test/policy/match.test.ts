import { expect, test } from 'vitest';
import { compileMatch } from '../../src/policy/match.ts';

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
