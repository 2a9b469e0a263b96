import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { builtInCatalog } from '../src/cli/built-in.ts';
import { editorSchemas } from '../src/cli/schemas.ts';

const root = join(import.meta.dirname, '..');

test.each(Object.entries(editorSchemas((await builtInCatalog()).whole())))(
  'schema/%s is what the code accepts (else: npm run generate)',
  (name, schema) => {
    expect(JSON.parse(readFileSync(join(root, 'schema', name), 'utf8'))).toEqual(JSON.parse(JSON.stringify(schema)));
  },
);

describe('an editor takes as right what is right', () => {
  const schema = JSON.parse(readFileSync(join(root, 'schema/policies.schema.json'), 'utf8'));
  const validate = new Ajv2020({ strict: false }).compile(schema);
  const faults = (text: string) => {
    validate(parse(text));
    return validate.errors ?? [];
  };

  test('the example file', () => {
    expect(faults(readFileSync(join(root, 'policies.example.yaml'), 'utf8'))).toEqual([]);
  });

  test.each([
    'if: { integration: GitHub, operation: Write or Delete, agent review status: Disallowed }',
    'if: { integration: my-own-server, tool: anything, args: { a: { over: 3 }, b: [1, x], c: null } }',
    'if: { session has: { operation: Read }, time: { outside: Mon-Fri 09:00-18:00 }, rate: { over: 3, within: 1m } }',
    'unless: { any: [{ not: { agent: Cursor } }] }, alert: { severity: high, channel: [slack] }, expires: "2030-01-01"',
    'redact: { result: [emails, phone] }, tests: [{ call: a/b, args: { x: { deep: [1] } }, expect: block }]',
    'approval: { remember: 10m, run within: 5m, reviewers: ann }',
  ])('%s', (body) => expect(faults(`policies: [{ name: x, action: block, ${body} }]`)).toEqual([]));

  test.each([
    'if: { integraton: GitHub }',
    'if: { operation: Wirte }',
    'alert: { severity: huge }',
    'approval: { remember: sometimes }',
    'tests: [{ call: a/b }]',
  ])('and what is wrong as wrong: %s', (body) =>
    expect(faults(`policies: [{ name: x, action: block, ${body} }]`)).not.toEqual([]),
  );

  test('it offers the names that the catalog knows', () => {
    const text = JSON.stringify(schema);
    for (const name of ['"Google Drive"', '"Delete issue"', '"Claude Code"', '"emails"']) expect(text).toContain(name);
    expect(text).not.toContain('x-suggests');
  });
});
