/** How long reading shell lines takes: those of the test's table one by one, and long ones made to be slow. `npm run bench:lines`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { buildCatalog } from '../src/catalog/load.ts';
import { readShell } from '../src/catalog/shell-reading.ts';
import { builtInCatalog } from '../src/cli/built-in.ts';

const ROUNDS = 20;
const catalog = buildCatalog((await builtInCatalog()).whole());
const around = { cwd: '/web', home: '/home/ann', aliases: new Map(), git: new Map(), remotes: new Map(), own: null };
const read = (line: string) => readShell(catalog, line, around);
const file = join(import.meta.dirname, '../test/catalog/cases/lines.yaml');
const lines = (parse(readFileSync(file, 'utf8')) as { readonly line: string }[]).map(({ line }) => line);

const times: number[] = [];
for (let round = -3; round < ROUNDS; round++)
  for (const line of lines) {
    const started = performance.now();
    read(line);
    if (round >= 0) times.push((performance.now() - started) * 1000);
  }
times.sort((a, b) => a - b);
const at = (share: number) => times[Math.floor((times.length - 1) * share)]!.toFixed(0).padStart(6);
console.log(
  `${lines.length} lines, each       median ${at(0.5)} µs   99 of 100 ${at(0.99)} µs   the longest ${at(1)} µs`,
);

const PIECES = [
  'git push;',
  'cd a && git tag x;',
  '$(',
  '"',
  '{ ',
  '(',
  '<<E\n',
  "sh -c '",
  'find . -exec ',
  '((a?b:',
  'A=b; $A ',
];
for (const piece of PIECES) {
  const text = piece.repeat(Math.ceil(10_000 / piece.length));
  const each = Array.from({ length: 7 }, () => {
    const started = performance.now();
    read(text);
    return performance.now() - started;
  }).sort((a, b) => a - b);
  console.log(`10 KB of ${JSON.stringify(piece).padEnd(22)} median ${each[3]!.toFixed(1).padStart(6)} ms`);
}
