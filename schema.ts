/** Writes `schema/`: run it after a change of what the owner's files may hold (`npm run schema`). */
import { mkdirSync, writeFileSync } from 'node:fs';
import { builtInCatalog } from './src/cli/house.ts';
import { editorSchemas } from './src/cli/schemas.ts';

mkdirSync('schema', { recursive: true });
for (const [name, schema] of Object.entries(editorSchemas((await builtInCatalog()).files)))
  writeFileSync(`schema/${name}`, `${JSON.stringify(schema, null, 2)}\n`);
