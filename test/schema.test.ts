import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { builtInCatalog } from '../src/cli/house.ts';
import { editorSchemas } from '../src/cli/schemas.ts';

test.each(Object.entries(editorSchemas((await builtInCatalog()).files)))(
  'schema/%s is what the code accepts (else: npm run schema)',
  (name, schema) => {
    expect(JSON.parse(readFileSync(join(import.meta.dirname, '../schema', name), 'utf8'))).toEqual(
      JSON.parse(JSON.stringify(schema)),
    );
  },
);
