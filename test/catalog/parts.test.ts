/** The part of the catalog that a hook reads says no less than all of it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { buildCatalog } from '../../src/catalog/load.ts';
import { commandsOnly, fromParts, inParts } from '../../src/catalog/parts.ts';
import type { Reading } from '../../src/catalog/shell-findings.ts';
import { readShell } from '../../src/catalog/shell-reading.ts';
import { builtInCatalog } from '../../src/cli/built-in.ts';

const files = (await builtInCatalog()).whole();
const whole = buildCatalog(files);
const lines = (
  parse(readFileSync(join(import.meta.dirname, 'cases/lines.yaml'), 'utf8')) as { readonly line: string }[]
).map(({ line }) => line);
const around = {
  cwd: '/work/web',
  home: '/home/ann',
  aliases: new Map<string, string>(),
  git: new Map(),
  remotes: new Map<string, string>(),
  own: {
    config: ['/home/ann/.config/toolgate'],
    state: ['/home/ann/.local/state/toolgate'],
    program: ['/opt/toolgate/dist'],
    ports: [7433],
  },
};

test('the commands alone judge commands as the whole does', () => {
  const { heads, contents } = inParts(commandsOnly(files));
  const commands = buildCatalog(fromParts(heads, (integration) => contents[integration]!));
  const shown = ({ calls, unresolved, opaque }: Reading) => ({
    calls: calls.map(({ name, tools, possible, operation, integration, argument, canonical }) => ({
      name,
      tools,
      possible,
      operation,
      integration,
      arguments: canonical.map(argument),
    })),
    unresolved: unresolved.map(({ integrations, why }) => [
      integrations === 'every' ? 'every' : integrations.map(({ id }) => id),
      why,
    ]),
    opaque,
  });
  for (const line of lines)
    expect(shown(readShell(commands, line, around)), line).toEqual(shown(readShell(whole, line, around)));
});
