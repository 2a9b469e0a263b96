/** What V8 compiled of a file is kept for the next run, and never more than a help. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const FILE = 'hook-ABC.cjs';

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'toolgate-cache-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  writeFileSync(
    join(made, FILE),
    '(function (exports, require, module, __filename) {exports.join = require("node:path").join; exports.file = __filename; exports.twice = (n) => n * 2;})',
  );
  return made;
}

/** In a process of its own: V8 remembers what it has compiled. */
function runs(where: string): void {
  const module = join(import.meta.dirname, '../../src/cli/code-cache.ts');
  const code = `import { createRequire } from 'node:module';
    import { runCached } from ${JSON.stringify(module)};
    const { exports, keep } = runCached(${JSON.stringify(where)}, ${JSON.stringify(FILE)}, createRequire(import.meta.url));
    keep();
    console.log(JSON.stringify([exports.join('a', 'b'), exports.file, exports.twice(21)]));`;
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
  expect(JSON.parse(out)).toEqual([join('a', 'b'), join(where, FILE), 42]);
}

const keptIn = (where: string) => readdirSync(join(where, 'compiled')).map((name) => join(where, 'compiled', name));

test('it is kept once, and nothing else is left behind', () => {
  const where = folder();
  runs(where);
  const kept = keptIn(where);
  expect(kept).toHaveLength(1);
  const before = statSync(kept[0]!);
  runs(where);
  expect(keptIn(where)).toEqual(kept);
  expect(statSync(kept[0]!).ino).toBe(before.ino);
});

test('what another V8 made, or half of it, is not used and made anew', () => {
  const where = folder();
  runs(where);
  const [kept] = keptIn(where);
  const whole = readFileSync(kept!);
  for (const spoilt of [Buffer.alloc(0), Buffer.from('no'), whole.subarray(0, whole.length / 2), Buffer.alloc(5000)]) {
    writeFileSync(kept!, spoilt);
    runs(where);
    expect(readFileSync(kept!).length).toBe(whole.length);
  }
});

test('where nothing can be kept it runs all the same', () => {
  const where = folder();
  writeFileSync(join(where, 'compiled'), 'no folder');
  runs(where);
  expect(readFileSync(join(where, 'compiled'), 'utf8')).toBe('no folder');
  const locked = folder();
  mkdirSync(join(locked, 'compiled'));
  chmodSync(join(locked, 'compiled'), 0o500);
  runs(locked);
});
