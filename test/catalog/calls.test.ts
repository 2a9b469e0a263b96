/** Calls of known and unknown tools as tables: what each is taken for. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { JsonObject } from '../../src/call.ts';
import type { Classification } from '../../src/catalog/classify.ts';
import { infer, inferCall, type ToolDefinition } from '../../src/catalog/infer.ts';
import { classifyNamed } from '../../src/catalog/named.ts';
import { catalog } from '../support/judge.ts';

interface Expected {
  readonly is: string;
  readonly tool?: string;
  readonly integration?: string;
  readonly possible?: readonly string[];
}

interface LookAlikes {
  readonly name: string;
  readonly calls: readonly (Expected & {
    readonly server?: string;
    readonly key?: string;
    readonly launch?: { command: string; args: readonly string[] };
    readonly args: JsonObject;
  })[];
}

const read = <T>(name: string) => parse(readFileSync(join(import.meta.dirname, 'cases', name), 'utf8')) as T[];

/** What was found, as far as it was asked for. */
function asked({ operation, tools, integrations, possible }: Classification, wanted: Expected): Expected {
  return {
    is: operation ?? 'unknown',
    ...(wanted.tool !== undefined && { tool: tools.map(({ id }) => id).join(', ') }),
    ...(wanted.integration !== undefined && { integration: integrations.map(({ id }) => id).join(', ') }),
    ...(wanted.possible !== undefined && { possible }),
  };
}

function wantedOf({ is, tool, integration, possible }: Expected): Expected {
  return {
    is,
    ...(tool !== undefined && { tool }),
    ...(integration !== undefined && { integration }),
    ...(possible !== undefined && { possible }),
  };
}

const alike = read<LookAlikes>('look-alikes.yaml');

describe(`${alike.length} names that mean more than one thing`, () => {
  test.each(alike)('$name', ({ name, calls }) => {
    const found = calls.map(({ server, key, launch, args, ...wanted }) => {
      const named = server !== undefined;
      const { toolClass } = classifyNamed(catalog, { key: server ?? key ?? 'any', ...launch }, { name }, named);
      return asked(toolClass.ofCall(args), wanted);
    });
    expect(found).toEqual(calls.map(wantedOf));
    expect(new Set(found.map((each) => JSON.stringify(each))).size).toBeGreaterThan(1);
  });
});

interface ByArguments {
  readonly server: string;
  readonly tool: string;
  readonly calls: readonly (Expected & { readonly args: JsonObject })[];
}

const byArguments = read<ByArguments>('arguments.yaml');

describe(`${byArguments.length} tools of the nine whose arguments may make them a Delete`, () => {
  test.each(byArguments)('$server $tool', ({ server, tool, calls }) => {
    const { toolClass } = classifyNamed(catalog, { key: server }, { name: tool });
    const found = calls.map(({ args, ...wanted }) => asked(toolClass.ofCall(args), wanted));
    expect(found).toEqual(calls.map(wantedOf));
  });
});

interface Invented extends ToolDefinition {
  readonly hostile?: boolean;
  readonly args?: JsonObject;
  readonly may: readonly string[];
}

const invented = read<Invented>('invented.yaml');
const hostile = invented.filter((tool) => tool.hostile === true);

describe(`${invented.length} tools that nobody knows, ${hostile.length} of them hostile`, () => {
  test.each(invented)('$name $args $description', ({ hostile: isHostile, args, may, ...definition }) => {
    const guess = infer(definition);
    const possible = args === undefined ? guess.possible : inferCall(guess, args);
    expect([...possible].sort()).toEqual([...may].sort());
    if (isHostile) expect(possible).not.toEqual(['Read']);
  });
});
