import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, expect, test } from 'vitest';

/** The rooms, innermost first. A room imports from layers above its own, and from itself. */
const LAYERS: readonly (readonly string[])[] = [
  [
    'call.ts',
    'errors.ts',
    'ids.ts',
    'glob.ts',
    'digest.ts',
    'redact.ts',
    'mask.ts',
    'problem.ts',
    'schema.ts',
    'yaml.ts',
    'files.ts',
    'exact.ts',
    'duration.ts',
    'clock.ts',
    'once.ts',
  ],
  ['flow.ts'],
  ['catalog', 'policy'],
  ['store'],
  ['agents', 'approvals', 'audit', 'notify', 'upstream'],
  ['config', 'clients'],
  ['gateway', 'shell', 'desk'],
  ['cli'],
];

const src = join(import.meta.dirname, '../src');

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? sources(join(folder, entry.name))
      : entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts')
        ? [join(folder, entry.name)]
        : [],
  );
}

function roomOf(file: string): string {
  return relative(src, file).split('/')[0]!;
}

function layerOf(room: string): number {
  return LAYERS.findIndex((rooms) => rooms.includes(room));
}

const imports = sources(src).flatMap((file) =>
  [...readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map((match) => ({
    from: file,
    to: normalize(join(dirname(file), match[1]!)),
  })),
);

/** An import that the map forbids; null if it is fine. */
function fault(from: string, to: string): string | null {
  const [a, b] = [roomOf(from), roomOf(to)];
  if (a === b || (layerOf(a) === 0 && layerOf(b) === 0)) return null;
  return layerOf(b) < layerOf(a) ? null : `${relative(src, from)} imports ${relative(src, to)}`;
}

describe('the map of the house', () => {
  test('every file belongs to a room', () => {
    expect(
      sources(src)
        .map(roomOf)
        .filter((room) => layerOf(room) < 0),
    ).toEqual([]);
  });

  test('imports point inward, never sideways', () => {
    expect(imports.length).toBeGreaterThan(100);
    expect(imports.map(({ from, to }) => fault(from, to)).filter((found) => found !== null)).toEqual([]);
  });

  test('an import outward or sideways would be found', () => {
    expect(fault(join(src, 'policy/decide.ts'), join(src, 'catalog/load.ts'))).not.toBeNull();
    expect(fault(join(src, 'call.ts'), join(src, 'cli/main.ts'))).not.toBeNull();
    expect(fault(join(src, 'cli/main.ts'), join(src, 'call.ts'))).toBeNull();
  });

  test('judging touches no clock, disk, network or randomness', () => {
    const pure = sources(src).filter((file) =>
      /(policy\/(compile|decide|explain)|catalog\/(arguments|classify|infer|recognise|named)|approvals\/(approval|reviewers)|agents\/markers|glob|call|redact|digest)\.ts$/.test(
        file,
      ),
    );
    expect(pure.length).toBeGreaterThan(8);
    for (const file of pure)
      expect(readFileSync(file, 'utf8'), file).not.toMatch(
        /Date\.now|Math\.random|node:(fs|net|http|child_process|os)|performance\.now|process\.env/,
      );
  });
});
