import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileGlob } from '../src/glob.ts';

/** The meaning of a pattern, as slowly and as plainly as it can be said. */
function reference(pattern: string, text: string): boolean {
  const crosses = !pattern.includes('/');
  const parts = pattern.split(/(\*+|\?)/).filter((part) => part !== '');
  const source = parts.map((part) =>
    part.startsWith('**')
      ? '[^]*'
      : part === '*'
        ? crosses
          ? '[^]*'
          : '[^/]*'
        : part === '?'
          ? '[^]'
          : part.replace(/[.+^${}()|[\]\\]/g, '\\$&'),
  );
  const whole = new RegExp(`^${source.join('')}$`, 'iu').test(text);
  return whole || (pattern.startsWith('**/') && reference(pattern.slice(3), text));
}

describe('a pattern', () => {
  test.each([
    ['*refund*', 'stripe/create_refund', true],
    ['github/*', 'github/a', true],
    ['github/*', 'github/a/b', false],
    ['github/**', 'github/a/b', true],
    ['**/.env*', '.env.local', true],
    ['**/.env*', 'a/b/.env', true],
    ['**/.env*', 'a/b.env', false],
    ['release/*', 'release/1', true],
    ['*.pem', 'a/b/key.pem', true],
    ['?at', 'cat', true],
    ['?at', 'at', false],
    ['MAIN', 'main', true],
    ['ｍａｉｎ', 'main', true],
    ['a.c', 'abc', false],
    ['[ab]', 'a', false],
    ['', '', true],
    ['*', '', true],
    ['🙂?', '🙂🙂', true],
    ['*?/*', 'a//', true],
    ['?*/a*b', '/x/acb', true],
    ['*/a*b', 'x/acb/b', false],
  ])('%s on %s: %s', (pattern, text, matches) => expect(compileGlob(pattern)(text)).toBe(matches));

  test('means what it says, whatever it is', () => {
    const piece = fc.constantFrom('a', 'b', '/', '*', '**', '?', '.', 'ab');
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 8 }),
        fc.array(fc.constantFrom('a', 'b', '/', '.'), { maxLength: 12 }),
        fc.constantFrom('', 'ab/'.repeat(9), 'a'.repeat(31), 'b'.repeat(64)),
        (pattern, text, before) => {
          const [glob, whole] = [before + pattern.join(''), before + text.join('')];
          expect(compileGlob(glob)(whole)).toBe(reference(glob, whole));
        },
      ),
      { numRuns: 5000 },
    );
  });

  test.each([
    ['**a*/b', 'a'],
    ['*drop*table*', 'drop'],
    ['**a**a**a**a**b', 'a'],
    ['a/*a/*a/*b', 'a/'],
    ['**/a*a*a*b', 'aa/'],
    ['*?*?*?x', 'y'],
    ['*?/*?/*?/x', '/'],
    ['**?**?**?**?/x', '/'],
  ])('%s takes time in proportion to the text', (pattern, unit) => {
    const match = compileGlob(pattern);
    const time = (size: number) => {
      const text = unit.repeat(size / unit.length);
      const runs = Array.from({ length: 5 }, () => {
        const started = performance.now();
        match(text);
        return performance.now() - started;
      });
      return Math.min(...runs);
    };
    time(10_000);
    // Ten times the text may take thirty times as long, and not a hundred times.
    expect(time(100_000)).toBeLessThan(Math.max(30 * time(10_000), 40));
  });
});
