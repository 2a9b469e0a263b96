/** The JSON Schemas by which editors complete and check the owner's files, from the schemas that read them. */
import { z } from 'zod';
import { catalogFile } from '../catalog/schema.ts';
import { serversFile } from '../config/servers.ts';
import { policyFile } from '../policy/schema.ts';

/** File name → JSON Schema. */
export function editorSchemas(): Record<string, unknown> {
  const schema = (file: z.ZodType, title: string) => ({
    title,
    ...z.toJSONSchema(file, { io: 'input', unrepresentable: 'any' }),
  });
  return {
    'policies.schema.json': schema(policyFile, 'policies.yaml of toolgate'),
    'servers.schema.json': schema(serversFile, 'servers.json of toolgate'),
    'catalog.schema.json': schema(catalogFile, 'a catalog file of toolgate'),
  };
}
