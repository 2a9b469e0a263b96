/** The JSON Schemas by which editors complete and check the owner's files, from the schemas that read them. */
import { z } from 'zod';
import { AGENT_NAMES } from '../agents/names.ts';
import { buildCatalog } from '../catalog/load.ts';
import { type CatalogFile, catalogFile } from '../catalog/schema.ts';
import { serversFile } from '../config/servers.ts';
import { MASK_KINDS } from '../mask.ts';
import { policyFile } from '../policy/schema.ts';
import type { Suggests } from '../schema.ts';

/** File name → JSON Schema; completed with the names that the catalog knows. */
export function editorSchemas(ours: readonly CatalogFile[]): Record<string, unknown> {
  const integrations = [...buildCatalog(ours).integrations.values()];
  const names: Record<Suggests, readonly string[]> = {
    integrations: integrations.map(({ title }) => title).sort(),
    tools: [...new Set(integrations.flatMap(({ tools }) => [...tools.values()].map(({ tool }) => tool.title)))].sort(),
    agents: AGENT_NAMES,
    redactions: MASK_KINDS,
  };
  const schema = (file: z.ZodType, title: string, keys: Keys = 'as written') => ({
    title,
    ...(forEditors(z.toJSONSchema(file, { io: 'input', unrepresentable: 'any' }), names, keys) as object),
  });
  return {
    'policies.schema.json': schema(policyFile, 'policies.yaml of toolgate', 'with spaces too'),
    'servers.schema.json': schema(serversFile, 'servers.json of toolgate'),
    'catalog.schema.json': schema(catalogFile, 'a catalog file of toolgate'),
  };
}

type Keys = 'as written' | 'with spaces too';

/** Names to choose from where any text may stand; where keys are read with spaces for `_`, they may be written so. */
function forEditors(node: unknown, names: Record<Suggests, readonly string[]>, keys: Keys): unknown {
  if (node === null || typeof node !== 'object') return node;
  if (Array.isArray(node)) return node.map((item) => forEditors(item, names, keys));
  const { 'x-suggests': suggests, ...rest } = node as Record<string, unknown> & { 'x-suggests'?: Suggests };
  const copy = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, forEditors(value, names, keys)]));
  if (suggests !== undefined) {
    const one = { anyOf: [{ enum: [...names[suggests]] }, { type: 'string' }] };
    return { ...copy, anyOf: [...one.anyOf, { type: 'array', items: one }] };
  }
  const { properties } = copy;
  if (keys === 'as written' || properties === undefined || typeof properties !== 'object') return copy;
  const spaced = Object.entries(properties as object)
    .filter(([key]) => key.includes('_'))
    .map(([key, value]) => [key.replaceAll('_', ' '), value] as const);
  return { ...copy, properties: { ...properties, ...Object.fromEntries(spaced) } };
}
