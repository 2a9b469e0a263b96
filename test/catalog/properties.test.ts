import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isObject, type JsonObject, type JsonValue, OPERATIONS } from '../../src/call.ts';
import { type Classification, classifyTool } from '../../src/catalog/classify.ts';
import type { IntegrationServer } from '../../src/catalog/load.ts';
import type { CatalogServerTool, CatalogTool } from '../../src/catalog/schema.ts';
import { catalog } from '../support/judge.ts';

interface Known {
  readonly server: IntegrationServer;
  readonly name: string;
  readonly entry: CatalogServerTool;
}

const all: Known[] = [...catalog.integrations.values()].flatMap(({ servers }) =>
  servers.flatMap((server) => Object.entries(server.server.tools).map(([name, entry]) => ({ server, name, entry }))),
);
const anyTool = fc.integer({ min: 0, max: all.length - 1 }).map((index) => all[index]!);

function classOf({ server }: Known, name: string) {
  const { integration } = server;
  return classifyTool(
    { by: 'launch', servers: [server], integration, own: integration, known: integration, why: '' },
    { name },
  );
}

/** The same, so written that nothing but the spelling of the name can differ. */
const meaning = ({ tools, possible, operation, source }: Classification) => ({ tools, possible, operation, source });

const CASES = [(text: string) => text, (text: string) => text.toUpperCase(), (text: string) => text.toLowerCase()];
const SEPARATORS = ['_', '-', ' ', '__'];

describe('a known tool of a known server', () => {
  test('keeps its class in every case, with every separator, with and without its integration before it', () => {
    fc.assert(
      fc.property(
        anyTool,
        fc.constantFrom(...CASES),
        fc.constantFrom(...SEPARATORS),
        fc.constantFrom('none', 'id', 'title'),
        (known, letters, separator, prefix) => {
          const { integration, byName } = known.server;
          const before = prefix === 'none' ? '' : `${prefix === 'id' ? integration.id : integration.title}${separator}`;
          const name = letters(before + known.name.replace(/[_-]/g, separator));
          // Where two tools of one server are alike but for that, the exact spelling alone tells.
          const folded = known.name.toLowerCase().replace(/[\s_-]+/g, '');
          fc.pre((byName.get(folded)?.length ?? 0) === 1);
          expect(meaning(classOf(known, name).tool)).toEqual(meaning(classOf(known, known.name).tool));
        },
      ),
      { numRuns: 3000 },
    );
  });

  test('is never milder for an argument more, unless that argument chooses or lowers', () => {
    const value = fc.constantFrom<JsonValue>(
      true,
      false,
      null,
      'main',
      'TRASH',
      'delete',
      '--force',
      '+main',
      7,
      [],
      ['INBOX'],
      {},
      '../x',
    );
    const changing = all.filter((known) => changingNames(known).length > 0);
    const toolAndArgs = fc.integer({ min: 0, max: changing.length - 1 }).chain((index) => {
      const known = changing[index]!;
      const args = fc.dictionary(fc.constantFrom(...changingNames(known), 'x', 'force'), value, { maxKeys: 4 });
      return fc.tuple(fc.constant(known), args, args);
    });
    fc.assert(
      fc.property(toolAndArgs, ([known, some, more]) => {
        const deciding = decidingNames(known);
        const kept = Object.fromEntries(Object.entries(more).filter(([name]) => !deciding.has(name.split('.')[0]!)));
        const { ofCall } = classOf(known, known.name);
        const [before, after] = [ofCall(nest(some)), ofCall(nest({ ...some, ...kept, ...some }))];
        expect(rank(after)).toBeGreaterThanOrEqual(rank(before));
      }),
      { numRuns: 3000 },
    );
  });
});

/** Unknown counts as the strictest. */
function rank({ operation }: Classification): number {
  return operation === null ? OPERATIONS.length : OPERATIONS.indexOf(operation);
}

/** Dotted names as objects within objects; a name below one that has a value already is left out. */
function nest(args: Record<string, JsonValue>): JsonObject {
  const result: Record<string, JsonValue> = {};
  for (const [path, value] of Object.entries(args)) {
    const steps = path.split('.');
    let at = result;
    for (const step of steps.slice(0, -1)) {
      at[step] ??= {};
      at = isObject(at[step]) ? (at[step] as Record<string, JsonValue>) : {};
    }
    at[steps.at(-1)!] ??= value;
  }
  return result;
}

/** The arguments that may make a call worse, by every name that the server has for them. */
function changingNames(known: Known): string[] {
  const canonical = rulesOf(known).flatMap(({ raise = [], ...rest }) => [
    ...raise.map(({ argument }) => argument),
    ...('refs' in rest
      ? [...(rest.refs ?? []), ...(rest.refspecs ?? []), ...(rest.revisions ?? []), ...(rest.url_parts ?? [])]
      : []),
  ]);
  return canonical.flatMap((name) => namesIn(known, name)).filter((name) => !name.includes('{'));
}

function namesIn({ server, entry }: Known, canonical: string): string[] {
  return ({ ...server.server.arguments, ...entry.arguments } as Record<string, string[]>)[canonical] ?? [canonical];
}

/** What the catalog says of it, and of each tool that an argument may make of it. */
function rulesOf({ server, entry }: Known): (CatalogServerTool | CatalogTool)[] {
  const { tools } = server.integration;
  const base = entry.tool === undefined ? [] : [tools.get(entry.tool)!.tool];
  const chosen = [entry, ...base].flatMap(({ select }) =>
    Object.values(select?.values ?? {}).flatMap((id) => tools.get(id)?.tool ?? []),
  );
  return [entry, ...base, ...chosen];
}

/** The arguments that choose what a call does, or lower it, by the first step of every name that the server has for them. */
function decidingNames(known: Known): Set<string> {
  const canonical = rulesOf(known).flatMap(({ select, lower = [], statement, inner, request }) => [
    ...(select === undefined ? [] : [select.argument]),
    ...lower.map(({ argument }) => argument),
    ...(statement === undefined ? [] : [statement.argument]),
    ...(inner === undefined ? [] : [inner.argument, inner.arguments]),
    ...(request === undefined ? [] : [request.path, request.method]),
  ]);
  const own = canonical.flatMap((name) => namesIn(known, name));
  return new Set(own.map((name) => name.replace(/[{}]/g, '').split('.')[0]!));
}
