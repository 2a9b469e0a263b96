/** Writes what is generated and kept: `schema/`, and docs/catalog-tools.md. Run it after a change of either's source (`npm run generate`). */
import { mkdirSync, writeFileSync } from 'node:fs';
import { buildCatalog } from './src/catalog/load.ts';
import { builtInCatalog } from './src/cli/built-in.ts';
import { catalogPage } from './src/cli/catalog-page.ts';
import { editorSchemas } from './src/cli/schemas.ts';

const files = (await builtInCatalog()).whole();
mkdirSync('schema', { recursive: true });
for (const [name, schema] of Object.entries(editorSchemas(files)))
  writeFileSync(`schema/${name}`, `${JSON.stringify(schema, null, 2)}\n`);
writeFileSync('docs/catalog-tools.md', catalogPage(buildCatalog(files)));
