import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { classifyTool } from '../../src/catalog/classify.ts';
import { recognise } from '../../src/catalog/recognise.ts';
import { catalog } from '../support/judge.ts';

interface KnownServer {
  readonly integration: string;
  readonly server: string;
  /** empty: its launch doesn't tell what it is, so the owner has to */
  readonly launch: { readonly command?: string; readonly args?: readonly string[]; readonly url?: string };
  readonly tools: readonly string[];
}

/** Tool names that servers were seen to offer in 2026. */
const servers = JSON.parse(readFileSync(join(import.meta.dirname, 'known-tools.json'), 'utf8')) as KnownServer[];

describe('every tool that a known server was seen to offer is in the catalog', () => {
  test.each(servers)('$integration: $server', ({ integration, launch, tools }) => {
    const told = Object.keys(launch).length === 0 ? { integration } : {};
    const recognised = recognise(catalog, { key: 'any', ...launch, ...told });
    expect(recognised.by).toBe('integration' in told ? 'owner' : 'launch');
    const classed = tools.map((name) => {
      const { source, integrations } = classifyTool(recognised, { name }).tool;
      return `${name}: ${source}, ${integrations[0]?.id}`;
    });
    expect(classed).toEqual(tools.map((name) => `${name}: catalog, ${integration}`));
  });
});
