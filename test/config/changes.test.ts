import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { folder, linear, reviewerKey } from '../support/approvals.ts';
import { haveChromium, openConsolePage } from '../support/browser.ts';
import { connectGate, eventually, type RunningGate, readEvents, run, startGate } from '../support/gate.ts';
import { have } from '../support/need.ts';
import type { Scratch } from '../support/scratch.ts';
import { scripted } from '../support/servers.ts';
import { terminal } from '../support/terminal.ts';
import { TIMED } from '../support/timed.ts';

const BLOCK = '  - { name: No writes, if: { integration: Linear, operation: Write }, action: block }\n';
const OPEN = BLOCK.replace('block', 'alert');
const file = (policies: string, more = '') => `version: 1\n${more}policies:\n${policies}`;
const REVIEWED = 'defaults: { changes: reviewed }\nchannels: { desktop: true }\n';

async function gates(policies: string): Promise<{ where: Scratch; all: RunningGate[] }> {
  const where = folder();
  const { server } = linear(where);
  const first = await startGate({ where, servers: { linear: server }, policies });
  const all = [first, await connectGate(where)];
  for (const { client } of all) await client.listTools();
  return { where, all };
}

const isBlocked = async ({ client }: RunningGate) =>
  (await client.callTool({ name: 'linear__create_issue', arguments: { title: 'x' } })).isError === true;
const write = (where: Scratch, text: string) => writeFileSync(join(where.config, 'policies.yaml'), text);
const alerts = async (where: Scratch) =>
  JSON.parse((await run(where, ['alerts', '--json'])).out) as { title: string; severity: string; detail: any }[];

describe('a change of the rules', () => {
  test.each<[string, (path: string, text: string) => void]>([
    ['written in place', (path, text) => writeFileSync(path, text)],
    [
      'put in place of the file by an editor',
      (path, text) => {
        writeFileSync(`${path}~`, text);
        renameSync(`${path}~`, path);
      },
    ],
    [
      'of the same length, with its time set back',
      (path, text) => {
        const { atime, mtime } = statSync(path);
        writeFileSync(path, text);
        utimesSync(path, atime, mtime);
      },
    ],
  ])('is in force at every gate within a second, and told in words: %s', TIMED, async (_, edit) => {
    const { where, all } = await gates(file(BLOCK));
    expect(await Promise.all(all.map(isBlocked))).toEqual([true, true]);
    const started = performance.now();
    edit(join(where.config, 'policies.yaml'), file(OPEN));
    await eventually(async () => (await Promise.all(all.map(isBlocked))).every((blocked) => !blocked));
    // Half a second at most between two looks; the rest is for a busy machine.
    expect(performance.now() - started).toBeLessThan(3000);
    const changed = await eventually(() => readEvents(where.state, 'rules.changed')[0]);
    expect(changed['toolgate.rules.changes']).toEqual([
      'policy "No writes": block if integration: Linear and operation: Write → alert if integration: Linear and operation: Write',
    ]);
    expect((await alerts(where)).map(({ title }) => title)).toContain('The rules have changed');
  });

  test('of comments, tests and order alone is an event, and no alert', async () => {
    const { where, all } = await gates(file(BLOCK));
    await isBlocked(all[0]!);
    write(where, `# a comment\n${file(BLOCK)}`);
    const changed = await eventually(() => readEvents(where.state, 'rules.changed')[0]);
    expect(changed['toolgate.rules.changes']).toEqual([]);
    expect(await alerts(where)).toEqual([]);
  });

  test('of servers and of the owner’s catalog is told too', async () => {
    const { where } = await gates(file(BLOCK));
    mkdirSync(join(where.config, 'catalog'));
    writeFileSync(
      join(where.config, 'catalog', 'linear.yaml'),
      'integration: linear\ntitle: Linear\ntools: { create_issue: { title: Create issue, operation: Read } }\n',
    );
    const changed = await eventually(() => readEvents(where.state, 'rules.changed')[0]);
    expect(changed['toolgate.rules.changes']).toContain(
      'your catalog of linear: tools.create_issue.operation: nothing → Read',
    );
  });
});

describe('where changes are reviewed', () => {
  test.each<[string, (where: Scratch) => void, string]>([
    ['a policy', (where) => write(where, file(OPEN, REVIEWED)), 'policy "No writes": block if'],
    ['the rule for changes', (where) => write(where, file(OPEN)), 'defaults.changes: reviewed → at once'],
    [
      'the owner’s catalog',
      (where) => {
        mkdirSync(join(where.config, 'catalog'));
        writeFileSync(
          join(where.config, 'catalog', 'linear.yaml'),
          'integration: linear\ntitle: Linear\ntools: { create_issue: { title: Create issue, operation: Read } }\n',
        );
      },
      'your catalog of linear: tools.create_issue.operation: nothing → Read',
    ],
  ])('%s is looser only once a person has accepted it', TIMED, async (_, edit, words) => {
    const { where, all } = await gates(file(BLOCK, REVIEWED));
    expect(await isBlocked(all[0]!)).toBe(true);
    const edited = performance.now();
    edit(where);
    const proposed = await eventually(() => readEvents(where.state, 'rules.proposed')[0]);
    expect(performance.now() - edited).toBeLessThan(5000);
    expect(JSON.stringify(proposed['toolgate.rules.changes'])).toContain(JSON.stringify(words).slice(1, -1));
    expect(await alerts(where)).toMatchObject([
      { title: 'A change of the rules waits to be accepted', severity: 'high' },
    ]);
    const newcomer = await connectGate(where);
    await newcomer.client.listTools();
    expect(await Promise.all([...all, newcomer].map(isBlocked))).toEqual([true, true, true]);
    const status = await run(where, ['status']);
    expect(status).toMatchObject({ code: 1, out: expect.stringContaining('a change of them waits to be accepted') });
    // An agent's own shell is no place for it, nor is one without a terminal.
    expect(await run(where, ['policy', 'accept'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('this is no terminal'),
    });
    expect(await run(where, ['policy', 'accept', '--reviewer-key', join(where.state, 'none')])).toMatchObject({
      code: 2,
      err: expect.stringContaining("the key can't be read: ENOENT"),
    });
    expect(await run(where, ['policy', 'accept'], { env: { CLAUDECODE: '1' } })).toMatchObject({
      code: 1,
      err: expect.stringContaining("an agent can't answer"),
    });
    expect(await isBlocked(all[0]!)).toBe(true);
    expect(await run(where, ['policy', 'accept', '--reviewer-key', await reviewerKey(where)])).toMatchObject({
      code: 0,
      out: expect.stringContaining(words),
    });
    await eventually(
      async () => (await Promise.all([...all, newcomer].map(isBlocked))).every((blocked) => !blocked),
      10_000,
    );
    const [accepted] = readEvents(where.state, 'rules.accepted');
    expect(accepted).toMatchObject({
      'toolgate.rules': proposed['toolgate.rules'],
      'toolgate.channel': 'command line',
    });
    expect((await run(where, ['status'])).code).toBe(0);
  });

  test('a server that is new or changed is not started before it is accepted, also beside a broken file', async () => {
    const { where, all } = await gates(file(BLOCK, REVIEWED));
    await isBlocked(all[0]!);
    const servers = join(where.config, 'servers.json');
    const before = JSON.parse(readFileSync(servers, 'utf8')).mcpServers;
    const evil = scripted({ tools: ['pwn'] });
    writeFileSync(
      servers,
      JSON.stringify({ mcpServers: { linear: { ...before.linear, integration: 'Notion' }, evil } }),
    );
    await eventually(() => readEvents(where.state, 'rules.proposed')[0]);
    const tools = async () => {
      const gate = await connectGate(where);
      return gate.client.listTools().then(
        (list) => list.tools.map(({ name }) => name),
        (error) => String(error),
      );
    };
    expect(await tools()).toContain('its change waits to be accepted');
    write(where, 'policies: [');
    await eventually(() => readEvents(where.state, 'rules.reload_failed').length > 0);
    expect(await tools()).toContain('its change waits to be accepted');
    write(where, file(BLOCK, REVIEWED));
    expect((await run(where, ['policy', 'accept', '--reviewer-key', await reviewerKey(where)])).code).toBe(0);
    expect(await tools()).toContain('evil__pwn');
  });

  test('what is accepted is what was shown; back again is no change', async () => {
    const { where, all } = await gates(file(BLOCK, REVIEWED));
    await isBlocked(all[0]!);
    write(where, file(OPEN, REVIEWED));
    await eventually(() => readEvents(where.state, 'rules.proposed')[0]);
    const tty = terminal(where, ['--config', where.config, '--state', where.state, 'policy', 'accept']);
    await tty.shows('Accept this change of the rules?');
    write(where, file(OPEN.replace('Write', 'Delete'), REVIEWED));
    tty.type('y\n');
    await tty.shows('the files have changed since this was shown');
    expect(await tty.ended).toBe(1);
    expect(readEvents(where.state, 'rules.accepted')).toEqual([]);
    write(where, file(BLOCK, REVIEWED));
    expect(await run(where, ['policy', 'accept', '--show'])).toMatchObject({
      code: 0,
      err: 'no change of the rules waits to be accepted\n',
    });
    expect(await isBlocked(all[0]!)).toBe(true);
  });

  test('a file with a mistake, or none at all, keeps the rules before', async () => {
    const { where, all } = await gates(file(BLOCK, REVIEWED));
    await isBlocked(all[0]!);
    write(where, 'policies: [');
    await eventually(() => readEvents(where.state, 'rules.reload_failed').length > 0);
    expect(await isBlocked(all[0]!)).toBe(true);
    rmSync(join(where.config, 'policies.yaml'));
    await eventually(() => readEvents(where.state, 'rules.reload_failed').length > 1);
    expect(await isBlocked(all[1]!)).toBe(true);
  });

  test('a stored set of rules that somebody has written on is no set of rules', async () => {
    const { where, all } = await gates(file(BLOCK, REVIEWED));
    await isBlocked(all[0]!);
    let database = new DatabaseSync(join(where.state, 'toolgate.db'));
    database.exec(`UPDATE rules SET artefact = replace(artefact, '"action":"block"', '"action":"alert"')`);
    database.close();
    const newcomer = await connectGate(where);
    await newcomer.client.listTools();
    expect(await isBlocked(newcomer)).toBe(true);
    // Nor is it a way round the review: what was in force is lost, so nothing is until somebody accepts.
    database = new DatabaseSync(join(where.state, 'toolgate.db'));
    database.exec(`UPDATE rules SET artefact = replace(artefact, '"action":"block"', '"action":"alert"')`);
    database.close();
    write(where, file(OPEN, REVIEWED));
    const late = await connectGate(where);
    await expect(late.client.listTools()).rejects.toThrow(/its change waits to be accepted/);
    const key = await reviewerKey(where);
    expect((await run(where, ['policy', 'accept', '--reviewer-key', key])).code).toBe(0);
    const after = await connectGate(where);
    await after.client.listTools();
    expect(await isBlocked(after)).toBe(false);
  });
});

test.runIf(have(haveChromium, 'chromium'))('a change is accepted in the console', async () => {
  const { where, all } = await gates(file(BLOCK, REVIEWED));
  await isBlocked(all[0]!);
  const { page, faults } = await openConsolePage(where);
  write(where, file(OPEN, REVIEWED));
  await page.getByText('A change of the rules waits to be accepted').waitFor();
  await page.getByText('policy "No writes": block if').waitFor();
  expect(await isBlocked(all[0]!)).toBe(true);
  await page.getByRole('button', { name: 'Accept this change' }).click();
  await page.getByText('A change of the rules waits to be accepted').waitFor({ state: 'detached' });
  await eventually(async () => !(await isBlocked(all[0]!)));
  expect(readEvents(where.state, 'rules.accepted')[0]).toMatchObject({ 'toolgate.channel': 'console' });
  expect(faults).toEqual([]);
});
