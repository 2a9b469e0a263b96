import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { catalogFile } from '../src/catalog/schema.ts';
import { catalogPage } from '../src/cli/catalog-page.ts';
import { catalog, outcomes, outcomesOf, problemsIn } from './support/judge.ts';

const root = join(import.meta.dirname, '..');
const read = (name: string) => readFileSync(join(root, name), 'utf8');
const blocks = (name: string, language: string) =>
  [...read(name).matchAll(new RegExp(`^ *\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\``, 'gm'))].map((match) => match[1]!);
const whole = (text: string) => text.includes('policies:') || text.startsWith('version:');

describe('what the documentation shows is so', () => {
  test('every tool of the catalog, on its page (else: npm run generate)', () => {
    expect(read('docs/catalog-tools.md')).toBe(catalogPage(catalog));
  });

  test.each(
    [
      ...blocks('README.md', 'yaml'),
      ...blocks('docs/policies.md', 'yaml'),
      ...blocks('docs/policy-cookbook.md', 'yaml'),
    ].map((text) => [text.split('\n')[0], text] as const),
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

  const judged = ['docs/policies.md', 'docs/policy-cookbook.md'].flatMap((name) =>
    blocks(name, 'yaml')
      .filter((text) => text.includes('tests:'))
      .flatMap((text) => outcomes(text)),
  );
  test.each(judged.map((each) => [each.policy, each.test, each] as const))('%s: %s', (_, __, { faults }) =>
    expect(faults).toEqual([]),
  );

  test.each(blocks('docs/policy-cookbook.md', 'yaml').map((text) => [text.slice(0, 80), text] as const))(
    'a block of the cookbook holds as a whole: %s',
    (_, text) => expect(outcomesOf(text).filter(({ faults }) => faults.length > 0)).toEqual([]),
  );

  test('every policy that is shown has a test, and the cookbook has twenty', () => {
    const shown = ['docs/policies.md', 'docs/policy-cookbook.md'].flatMap((name) =>
      blocks(name, 'yaml').flatMap((text) => (parse(text)?.policies ?? []) as { name: string; tests?: unknown[] }[]),
    );
    expect(shown.filter(({ tests }) => (tests ?? []).length === 0)).toEqual([]);
    expect(shown.filter(({ name }) => /^\d+\. /.test(name))).toHaveLength(20);
  });

  test('docs/policies.md shows every key of the language', () => {
    const page = read('docs/policies.md').replaceAll('_', ' ');
    const keys = (node: any): string[] =>
      node === null || typeof node !== 'object'
        ? []
        : [...Object.keys(node.properties ?? {}), ...Object.values(node).flatMap(keys)];
    const schema = JSON.parse(read('schema/policies.schema.json'));
    const missing = [...new Set(keys(schema))].filter(
      (key) => !new RegExp(`\\b${key.replaceAll('_', ' ')}\\b`).test(page),
    );
    expect(missing).toEqual([]);
  });

  test.each(blocks('docs/catalog.md', 'yaml').map((text) => [text.split('\n')[0], text] as const))(
    'the catalog file of docs/catalog.md has no mistake: %s',
    (_, text) => {
      expect(
        catalogFile.safeParse(parse(text)).error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`) ??
          [],
      ).toEqual([]);
    },
  );

  test("the README's first policies are the example file's", () => {
    const policies = parse(blocks('README.md', 'yaml')[0]!).policies;
    expect(policies).toEqual(parse(read('policies.example.yaml')).policies);
  });

  test.each([
    'README.md',
    'docs/policies.md',
    'docs/policy-cookbook.md',
    'docs/catalog.md',
    'docs/security.md',
    'docs/mutation-testing.md',
  ])('every link of %s leads somewhere', (name) => {
    for (const [, target] of read(name)
      .replaceAll(/\]\(https:[^)]*\)/g, '')
      .matchAll(/\]\(([^)#]+)[^)]*\)/g))
      expect(existsSync(join(root, dirname(name), target!)), target).toBe(true);
  });

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
