import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { catalogFile } from '../src/catalog/schema.ts';
import { problemsIn } from './support/judge.ts';

const root = join(import.meta.dirname, '..');
const read = (name: string) => readFileSync(join(root, name), 'utf8');
const blocks = (name: string, language: string) =>
  [...read(name).matchAll(new RegExp(`^ *\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\``, 'gm'))].map((match) => match[1]!);
const whole = (text: string) => text.includes('policies:') || text.startsWith('version:');

describe('what the documentation shows is so', () => {
  test.each(
    [...blocks('README.md', 'yaml'), ...blocks('docs/policies.md', 'yaml')].map(
      (text) => [text.split('\n')[0], text] as const,
    ),
  )('policies: %s', (_, text) => {
    const file = whole(text)
      ? text
      : text.startsWith('if:')
        ? `policies:\n  - name: x\n    action: alert\n${text.replace(/^/gm, '    ')}`
        : text.startsWith('#')
          ? `${text}policies: []\n`
          : `${text}\npolicies: []\n`;
    expect(
      problemsIn(file)
        .split('\n')
        .filter((line) => line.includes('error:')),
    ).toEqual([]);
  });

  test('the catalog file of docs/catalog.md has no mistake', () => {
    expect(
      catalogFile
        .safeParse(parse(blocks('docs/catalog.md', 'yaml')[0]!))
        .error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`) ?? [],
    ).toEqual([]);
  });

  test("the README's first policies are the example file's", () => {
    const policies = parse(blocks('README.md', 'yaml')[0]!).policies;
    expect(policies).toEqual(parse(read('policies.example.yaml')).policies);
  });

  test.each(['README.md', 'docs/policies.md', 'docs/catalog.md', 'docs/security.md'])(
    'every link of %s leads somewhere',
    (name) => {
      for (const [, target] of read(name)
        .replaceAll(/\]\(https:[^)]*\)/g, '')
        .matchAll(/\]\(([^)#]+)[^)]*\)/g))
        expect(existsSync(join(root, dirname(name), target!)), target).toBe(true);
    },
  );

  test('the message that the README shows is the one that is given', () => {
    expect(
      problemsIn('version: 1\npolicies:\n  - name: x\n    if: { operation: wirte }\n    action: block\n').replaceAll(
        /^ +/gm,
        '',
      ),
    ).toContain(
      'policies.yaml:4:22 error: "wirte" is not an operation\nif: { operation: wirte }\n^ did you mean "Write"? Use one of: Read, Write, Delete',
    );
  });
});
