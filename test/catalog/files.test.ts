import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { classifyTool } from '../../src/catalog/classify.ts';
import { buildCatalog, readCatalogFolder } from '../../src/catalog/load.ts';
import { formatProblems } from '../../src/problem.ts';
import { catalog } from '../support/judge.ts';
import { scratch } from '../support/scratch.ts';

const NINE = ['atlassian', 'datadog', 'dropbox', 'git', 'github', 'gmail', 'google-drive', 'linear', 'notion'];

describe('our catalog', () => {
  test('has no mistake, and the nine integrations of the mission, each with an official server', async () => {
    const { files, problems } = await readCatalogFolder(join(import.meta.dirname, '../../catalog'));
    expect(formatProblems(problems)).toBe('');
    expect(files.map(({ integration }) => integration)).toEqual(expect.arrayContaining(NINE));
    for (const id of NINE) {
      const integration = catalog.integrations.get(id)!;
      expect(
        integration.servers.some(({ server }) => server.official),
        id,
      ).toBe(true);
      expect(integration.servers.length, id).toBeGreaterThan(1);
    }
  });

  test('places every tool of every server that it lists, whatever the case, the separators and the prefix', () => {
    for (const integration of catalog.integrations.values()) {
      for (const server of integration.servers) {
        const recognised = {
          by: 'launch',
          servers: [server],
          integration,
          own: integration,
          known: integration,
          why: '',
        } as const;
        const classOf = (name: string) => classifyTool(recognised, { name }).tool;
        for (const name of Object.keys(server.server.tools)) {
          const known = classOf(name);
          expect(known.source, `${server.name} ${name}`).toBe('catalog');
          for (const variant of [name.toUpperCase(), name.replaceAll('_', '-'), name.replaceAll('-', '_')])
            expect(classOf(variant).source, `${server.name} ${variant}`).toBe('catalog');
          expect(classOf(`${integration.id}_${name}`).source, `${integration.id}_${name}`).toBe('catalog');
        }
      }
    }
  });
});

describe("the owner's catalog", () => {
  const own = (text: string) => {
    const where = scratch();
    where.write('shop.yaml', text);
    return readCatalogFolder(where.folder);
  };

  test('wins tool by tool', async () => {
    const { files } = await own(
      'integration: github\ntitle: GitHub\ntools:\n  create_issue: { title: Create issue, operation: Delete }\n',
    );
    const merged = buildCatalog((await readCatalogFolder(join(import.meta.dirname, '../../catalog'))).files, files);
    const integration = merged.find('GitHub')!;
    const recognised = {
      by: 'owner',
      servers: integration.servers,
      integration,
      own: integration,
      known: integration,
      why: '',
    } as const;
    expect(classifyTool(recognised, { name: 'create_issue' }).tool).toMatchObject({
      operation: 'Delete',
      source: 'owner',
    });
    expect(classifyTool(recognised, { name: 'list_issues' }).tool).toMatchObject({
      operation: 'Read',
      source: 'catalog',
    });
  });

  test.each([
    [
      'integration: shop\ntitle: Shop\ntools:\n  get_it: { title: Get it, operation: Raed }\n',
      'shop.yaml:4:39 error: "Raed" is not an operation',
    ],
    [
      'integration: shop\ntitle: Shop\ntools: {}\nservers:\n  s: { tools: { get_it: get_it } }\n',
      'there is no tool "get_it" in this file',
    ],
    ['integration: Shop\ntitle: Shop\ntools: {}\n', 'an integration id is written in lower case'],
    [
      'integration: shop\ntitle: Shop\ntools: {}\nservers:\n  s: { tools: { x: {} } }\n',
      'it says neither which tool this is nor how to tell',
    ],
    ['integration: shop\ntitel: Shop\ntools: {}\n', 'did you mean "title"?'],
    ['integration: shop\n  title: [\n', 'is not valid YAML'],
  ])('%s', async (text, message) => {
    const { files, problems } = await own(text);
    expect(files).toEqual([]);
    expect(formatProblems(problems)).toContain(message);
  });
});
