/** Rule files that are surely as they were are not read again; whatever may have changed them is noticed. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { builtInCatalog } from '../../src/cli/built-in.ts';
import { createRulesKeeper } from '../../src/config/keeper.ts';
import type { LoadedRules } from '../../src/config/rules.ts';
import { openStore, type Store } from '../../src/store/store.ts';

const POLICY = 'policies: [{ name: "One", if: { integration: Git }, action: block }]\n';

const OURS = await builtInCatalog();

let folder: string;
let store: Store;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'toolgate-rules-'));
  store = openStore(join(folder, 'state'));
  onTestFinished(() => {
    store.close();
    rmSync(folder, { recursive: true, force: true });
  });
  mkdirSync(join(folder, 'config'));
  write('policies.yaml', POLICY);
  write('servers.json', '{"mcpServers":{}}');
});

function write(name: string, text: string): void {
  writeFileSync(join(folder, 'config', name), text);
}

/** As another process would, by default a minute later: no file is too young then. */
async function load(later = 60_000): Promise<LoadedRules> {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + later });
  try {
    return await createRulesKeeper(store, join(folder, 'config'), OURS).load();
  } finally {
    vi.useRealTimers();
  }
}

/** Changes what the store says the rules were made of; whoever reads the files writes it anew. */
function spoilSource(): Promise<number> {
  return store.write((tx) =>
    tx.run("UPDATE meta SET value = json_set(value, '$.source', 'spoilt') WHERE key LIKE 'rules %'"),
  );
}

async function wereRead(): Promise<boolean> {
  const row = await store.read((tx) => tx.get<{ value: string }>("SELECT value FROM meta WHERE key LIKE 'rules %'"));
  return JSON.parse(row!.value).source !== 'spoilt';
}

const names = ({ rules }: LoadedRules) => rules?.policies.file.policies.map(({ name }) => name);

test('what nobody has touched is not read', async () => {
  const first = await load();
  await spoilSource();
  const again = await load();
  expect(await wereRead()).toBe(false);
  expect(again.rules?.hash).toBe(first.rules?.hash);
  expect(names(again)).toEqual(['One']);
});

test('what is too young to be told is read', async () => {
  await load(0);
  await spoilSource();
  await load(0);
  expect(await wereRead()).toBe(true);
});

test.each<[string, () => void]>([
  ['policies written anew, of the same length', () => write('policies.yaml', POLICY.replace('One', 'Two'))],
  [
    'policies put in their place',
    () => {
      write('new.yaml', POLICY.replace('One', 'Two'));
      renameSync(join(folder, 'config/new.yaml'), join(folder, 'config/policies.yaml'));
    },
  ],
  ['servers', () => write('servers.json', '{"mcpServers":{"a":{"command":"b"}}}')],
  [
    'a catalog',
    () => {
      mkdirSync(join(folder, 'config/catalog'));
      write(
        'catalog/a.yaml',
        'integration: acme\ntitle: Acme\ntools: { show_thing: { title: Show thing, operation: Read } }\n',
      );
    },
  ],
])('%s are read', async (_, change) => {
  const before = await load();
  change();
  const after = await load();
  expect(after.rules).not.toBeNull();
  expect(after.rules?.hash).not.toBe(before.rules?.hash);
});

test('who was overtaken does not put earlier rules back', async () => {
  await load(0);
  const config = join(folder, 'config');
  const overtaken = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  const slow: Store = {
    ...store,
    write: async (work) => {
      reached.resolve();
      await overtaken.promise;
      return store.write(work);
    },
  };
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 });
  try {
    const first = createRulesKeeper(slow, config, OURS).load();
    await reached.promise;
    write('policies.yaml', `defaults: { changes: reviewed }\n${POLICY}`);
    await createRulesKeeper(store, config, OURS).load();
    overtaken.resolve();
    expect((await first).rules?.policies.file.defaults.changes).toBe('reviewed');
    write('policies.yaml', 'policies: []\n');
    const after = await createRulesKeeper(store, config, OURS).load();
    expect(after.proposed).not.toBeNull();
    expect(names(after)).toEqual(['One']);
  } finally {
    vi.useRealTimers();
  }
});

test.each(["'{}'", "'{'", "replace(artefact, 'One', 'Two')"])(
  'stored rules that are not what they are named by are made anew: %s',
  async (artefact) => {
    const before = await load();
    await store.write((tx) => tx.run(`UPDATE rules SET artefact = ${artefact}`));
    const after = await load();
    expect(names(after)).toEqual(['One']);
    expect(after.rules?.hash).toBe(before.rules?.hash);
  },
);
