/**
 * The rules: policies, catalogs, servers and the statuses in the file, as one value with one hash. The last good rules
 * are kept in the store, so that a bad edit acts the same at every door: the last good stays, loudly stale. With none
 * yet, every call is refused with the error's place.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildCatalog, type Catalog, type Integration, type LoadedFile, readCatalogFolder } from '../catalog/load.ts';
import { recognise } from '../catalog/recognise.ts';
import type { CatalogFile } from '../catalog/schema.ts';
import { sha256 } from '../digest.ts';
import { messageOf } from '../errors.ts';
import { fileSign, isSettled, NotUtf8, readUtf8 } from '../files.ts';
import { once } from '../once.ts';
import { type CompiledPolicies, compilePolicies } from '../policy/compile.ts';
import type { Policies } from '../policy/load.ts';
import type { IntegrationWords, Vocabulary } from '../policy/vocabulary.ts';
import { errorAt, formatProblems, type Problem, WHOLE_FILE } from '../problem.ts';
import { getMeta, setMeta } from '../store/meta.ts';
import type { Store, Transaction } from '../store/store.ts';
import { isSameJudgement, rulesChanges } from './changes.ts';

/** What the store keeps: plain JSON, enough to judge without reading any of the owner's files. */
export interface Artefact {
  readonly policies: Policies;
  readonly ownersCatalog: readonly CatalogFile[];
  readonly servers: readonly ServerFacts[];
}

/** Counts up whenever a policy file is parsed into another shape: what an earlier program stored is not judged by. */
const ARTEFACT_FORMAT = 2;

interface Stored {
  readonly format: number;
  readonly artefact: Artefact;
  readonly warnings: readonly Problem[];
}

/** The catalog that comes with toolgate. */
export interface OurCatalog {
  /** names all of it */
  readonly hash: string;
  readonly whole: () => readonly CatalogFile[];
  /** as much of it as judging needs here */
  readonly judging: () => readonly LoadedFile[];
}

/** What judging needs of a configured server. */
interface ServerFacts {
  readonly key: string;
  readonly integration: string | null;
  /** fingerprint of how it is started */
  readonly launch: string;
  /** the integrations that it surely is, by what the owner says or by how it is started; null if nobody knows yet */
  readonly recognised: readonly string[] | null;
}

export interface Rules {
  /** what they were made of */
  readonly source: Artefact;
  /** names the rules in every record: 64 hex digits */
  readonly hash: string;
  readonly policies: CompiledPolicies;
  readonly catalog: Catalog;
  readonly vocabulary: Vocabulary;
}

export interface LoadedRules {
  /** null: there are none, and every call is refused */
  readonly rules: Rules | null;
  /** errors and warnings of the files as they are now */
  readonly problems: readonly Problem[];
  /** the files have errors, and `rules` are the last good ones */
  readonly stale: boolean;
  /** stale, and there were none before: `rules` are the files' without the owner's catalog file that has the mistake */
  readonly partial?: boolean;
  /** the files are good, and wait to be accepted as `defaults.changes: reviewed` wants; `rules` are those before */
  readonly proposed: ProposedRules | null;
  /** servers that must not be started: they are new or changed, and nobody has accepted that */
  readonly heldBack: readonly string[];
}

export interface ProposedRules {
  readonly hash: string;
  /** in words, a line each */
  readonly changes: readonly string[];
}

/** The owner's files, as text; a file that can't be read carries the reason. */
export interface RuleFiles {
  readonly policies: FileText;
  readonly servers: FileText;
  readonly catalogFolder: string;
  /** changes whenever any of them does */
  readonly fingerprint: string;
  /** the key under which the store keeps the last good rules of this folder */
  readonly pointer: string;
}

type FileText = { readonly text: string } | { readonly problem: Problem };

export function readRuleFiles(configFolder: string): RuleFiles {
  const policies = readText(
    join(configFolder, 'policies.yaml'),
    'policies.yaml',
    'write one: docs/policies.md shows how, and policies.example.yaml is a start',
  );
  const servers = readText(
    join(configFolder, 'servers.json'),
    'servers.json',
    'write one: servers.example.json is a start',
  );
  const catalogFolder = join(configFolder, 'catalog');
  const parts = [policies, servers].map((file) => ('text' in file ? file.text : `!${file.problem.fault}`));
  for (const name of namesIn(catalogFolder)) parts.push(name, tryRead(join(catalogFolder, name)));
  return {
    policies,
    servers,
    catalogFolder,
    fingerprint: sha256(JSON.stringify(parts)),
    pointer: pointerKey(configFolder),
  };
}

/** A cheap sign that a file may have changed: names, sizes, times. */
export function ruleFilesSignature(configFolder: string): RuleFilesSign {
  const names = ['policies.yaml', 'servers.json', 'catalog'];
  const catalog = join(configFolder, 'catalog');
  names.push(...namesIn(catalog).map((name) => join('catalog', name)));
  const signs = names.map((name) => fileSign(join(configFolder, name)));
  const now = Date.now();
  return {
    text: signs.map(({ text }, at) => `${names[at]} ${text}`).join('\n'),
    settled: signs.every((sign) => isSettled(sign, now)),
  };
}

interface RuleFilesSign {
  /** the same for as long as no file has changed */
  readonly text: string;
  /** no file was changed so shortly before that it may change again without a sign */
  readonly settled: boolean;
}

/** Checks the files against the catalog; the value is null if any has an error. */
export async function checkRules(
  files: RuleFiles,
  ours: readonly CatalogFile[],
  policiesName = 'policies.yaml',
): Promise<{ artefact: Artefact | null; servers: readonly ServerFacts[]; problems: Problem[]; complete: boolean }> {
  const [{ checkIntegrations, readServers }, { readPolicies }] = await Promise.all([
    import('./servers.ts'),
    import('../policy/load.ts'),
  ]);
  const owners = await readCatalogFolder(files.catalogFolder);
  const problems = [...owners.problems];
  const servers =
    'text' in files.servers
      ? readServers(files.servers.text)
      : { servers: null, problems: [files.servers.problem], locate: null };
  problems.push(...servers.problems);
  const catalog = buildCatalog(ours, owners.files);
  const facts = Object.entries(servers.servers?.entries ?? {}).map(([key, entry]): ServerFacts => {
    const {
      by,
      integration,
      servers: offering,
    } = recognise(catalog, { key, ...entry, url: entry.url ?? entry.serverUrl ?? entry.httpUrl });
    return {
      key,
      integration: entry.integration ?? null,
      launch: sha256(JSON.stringify(entry)).slice(0, 16),
      recognised:
        by === 'owner' || by === 'launch'
          ? [...new Set([integration.id, ...offering.map((server) => server.integration.id)])]
          : null,
    };
  });
  if (servers.servers !== null) problems.push(...checkIntegrations(servers.servers, catalog, servers.locate));
  const vocabulary = vocabularyOf(catalog, facts);
  const policies =
    'text' in files.policies
      ? readPolicies(files.policies.text, vocabulary, policiesName)
      : { policies: null, problems: [files.policies.problem] };
  problems.push(...policies.problems);
  if (policies.policies === null || servers.servers === null)
    return { artefact: null, servers: facts, problems, complete: false };
  const complete = !problems.some(({ severity }) => severity === 'error');
  const artefact = { policies: policies.policies, ownersCatalog: owners.files, servers: facts };
  return { artefact, servers: facts, problems, complete };
}

/** The rules in force, where the files are as they were when they last came into force; null if that must be looked at. */
export async function loadUnchanged(
  store: Store,
  configFolder: string,
  sign: RuleFilesSign,
  ours: OurCatalog,
): Promise<LoadedRules | null> {
  const stored = await store.read((tx) => {
    const pointer = pointerOf(tx, pointerKey(configFolder));
    if (pointer?.sign !== sign.text || pointer.program !== programOf(ours)) return null;
    const row = rowOf(tx, pointer.hash);
    const stored = row === undefined ? null : parsed(row.artefact);
    // Rules that aren't those which they are named by are none.
    return stored !== null && hashOf(stored.artefact, ours.hash) === pointer.hash
      ? { ...stored, hash: pointer.hash }
      : null;
  });
  if (stored === null) return null;
  const rules = rulesOf(stored.artefact, ours.judging(), ours.hash, 'policies.yaml', stored.hash);
  return { rules, problems: stored.warnings, stale: false, proposed: null, heldBack: [] };
}

/** What makes rules of files: our catalog, and how the files are read. */
function programOf({ hash }: OurCatalog): string {
  return `${ARTEFACT_FORMAT} ${hash}`;
}

/**
 * The rules in force: those of the files, or else the last good ones of the store. Writes the good ones down. `sign`: of the
 * files, taken before they were read. Null if other rules came into force meanwhile: look again.
 */
export async function loadRules(
  store: Store,
  files: RuleFiles,
  ours: OurCatalog,
  sign: RuleFilesSign,
): Promise<LoadedRules | null> {
  const source = sha256(`${programOf(ours)} ${files.fingerprint}`);
  const signed = sign.settled && { sign: sign.text, program: programOf(ours) };
  const { pointer, stored, accepted } = await store.read((tx) => inForce(tx, files));
  const before = stored === null ? null : rulesOf(stored.artefact, ours.judging(), ours.hash);
  if (stored !== null && pointer?.source === source) {
    if (signed && !(await store.write((tx) => movePointer(tx, files, pointer, { ...pointer, ...signed })))) return null;
    return { rules: before, problems: stored.warnings, stale: false, proposed: null, heldBack: [] };
  }
  const { artefact, servers, problems, complete } = await checkRules(files, ours.whole());
  const reviewed = pointer?.reviewed === true && pointer.fingerprint !== files.fingerprint;
  const isKnown = ({ key, launch }: ServerFacts) =>
    stored?.artefact.servers.some((each) => each.key === key && each.launch === launch) === true;
  const heldBack = reviewed ? servers.filter((server) => !isKnown(server)).map(({ key }) => key) : [];
  if (artefact === null || (!complete && before !== null))
    return { rules: before, problems, stale: true, proposed: null, heldBack };
  const rules = rulesOf(artefact, ours.whole(), ours.hash);
  if (reviewed && accepted !== rules.hash && (stored === null || !isSameJudgement(stored.artefact, artefact))) {
    const words =
      stored === null
        ? ['the rules before are not known any more: look at all of it']
        : rulesChanges(stored.artefact, artefact);
    const changes = words.length > 0 ? words : ['the order in which things are written'];
    return { rules: before, problems, stale: false, proposed: { hash: rules.hash, changes }, heldBack };
  }
  // A bad catalog file of the owner's, and no good rules before: ours are in force without it, and it is said.
  if (!complete) return { rules, problems, stale: true, partial: true, proposed: null, heldBack };
  const text = JSON.stringify({ format: ARTEFACT_FORMAT, artefact, warnings: problems } satisfies Stored);
  const next: Pointer = {
    source,
    hash: rules.hash,
    fingerprint: files.fingerprint,
    reviewed: artefact.policies.file.defaults.changes === 'reviewed',
    ...signed,
  };
  const isMoved = await store.write((tx) => {
    tx.run(
      'INSERT INTO rules (hash, artefact, artefact_hash, loaded_at) VALUES (?, ?, ?, ?) ON CONFLICT (hash) DO UPDATE SET artefact = excluded.artefact, artefact_hash = excluded.artefact_hash',
      rules.hash,
      text,
      sha256(text),
      Date.now(),
    );
    return movePointer(tx, files, pointer, next);
  });
  return isMoved ? { rules, problems, stale: false, proposed: null, heldBack: [] } : null;
}

/** False if others came into force since `from` was read: what was made of it may no longer be what its owner wants. */
function movePointer(tx: Transaction, files: RuleFiles, from: Pointer | null, to: Pointer): boolean {
  const now = pointerOf(tx, files.pointer);
  if (now?.source !== from?.source || now?.hash !== from?.hash) return false;
  setMeta(tx, files.pointer, JSON.stringify(to));
  return true;
}

/** Whether the rules in force want every change of them accepted; cheap, and known before they are loaded. */
export function isReviewed(tx: Transaction, configFolder: string): boolean {
  return pointerOf(tx, pointerKey(configFolder))?.reviewed === true;
}

/** A person accepts a change: exactly these rules may come into force. */
export function acceptRules(tx: Transaction, files: Pick<RuleFiles, 'pointer'>, hash: string): void {
  setMeta(tx, acceptedKey(files), hash);
}

function acceptedKey({ pointer }: Pick<RuleFiles, 'pointer'>): string {
  return `accepted ${pointer}`;
}

/** What the store keeps under the hash of rules that were in force once; null if that isn't whole, or of another program. */
export function storedArtefact(tx: Transaction, hash: string): Stored | null {
  const row = rowOf(tx, hash);
  // An artefact that isn't what was written is no rule at all.
  if (row === undefined || sha256(row.artefact) !== row.artefact_hash) return null;
  const stored = JSON.parse(row.artefact) as Stored;
  return stored.format === ARTEFACT_FORMAT ? stored : null;
}

function parsed(text: string): Stored | null {
  try {
    return JSON.parse(text) as Stored | null;
  } catch {
    return null;
  }
}

function hashOf(artefact: Artefact, oursHash: string): string {
  return sha256(`${oursHash} ${JSON.stringify(artefact)}`);
}

function rowOf(tx: Transaction, hash: string): { artefact: string; artefact_hash: string } | undefined {
  return tx.get('SELECT artefact, artefact_hash FROM rules WHERE hash = ?', hash);
}

/** What is in force while the files have errors, in a sentence. */
export function inForceMeanwhile({ rules, partial }: Pick<LoadedRules, 'rules' | 'partial'>): string {
  if (rules === null) return 'there are no rules yet: every call is refused';
  return partial === true
    ? 'the rules are in force without your catalog file that has the mistake'
    : 'the last good rules stay in force';
}

/** What to tell people of rules that can't be used. */
export function rulesFault(loaded: LoadedRules): string {
  const faults = formatProblems(loaded.problems.filter(({ severity }) => severity === 'error'));
  return faults === '' && loaded.proposed !== null
    ? 'a change of them waits to be accepted: toolgate policy accept'
    : faults;
}

/** Which rules are in force for a folder. */
interface Pointer {
  /** of the files and the program that they were made of */
  readonly source: string;
  readonly hash: string;
  /** of the files alone */
  readonly fingerprint: string;
  /** another set comes into force only when a person has accepted it */
  readonly reviewed: boolean;
  /** while the files have it and the program is this, they need not be read */
  readonly sign?: string;
  readonly program?: string;
}

function pointerKey(configFolder: string): string {
  return `rules ${sha256(configFolder)}`;
}

function pointerOf(tx: Transaction, key: string): Pointer | null {
  const text = getMeta(tx, key);
  // An earlier program wrote it otherwise: then the files count.
  return text?.startsWith('{') ? (JSON.parse(text) as Pointer) : null;
}

function inForce(
  tx: Transaction,
  files: RuleFiles,
): { pointer: Pointer | null; stored: Stored | null; accepted: string | null } {
  const pointer = pointerOf(tx, files.pointer);
  return {
    pointer,
    stored: pointer === null ? null : storedArtefact(tx, pointer.hash),
    accepted: getMeta(tx, acceptedKey(files)),
  };
}

/** The rules that an artefact makes, with our catalog. */
export function rulesOf(
  artefact: Artefact,
  ours: readonly LoadedFile[],
  oursHash: string,
  policiesName = 'policies.yaml',
  hash = hashOf(artefact, oursHash),
): Rules {
  const catalog = buildCatalog(ours, artefact.ownersCatalog);
  const vocabulary = vocabularyOf(catalog, artefact.servers);
  return {
    source: artefact,
    hash,
    policies: compilePolicies(artefact.policies, vocabulary, policiesName),
    catalog,
    vocabulary,
  };
}

/** Its tools' words are put together when they are first asked for: judging doesn't need them. */
function wordsOf(integration: Integration): IntegrationWords {
  const { id, title, aliases } = integration;
  const facts = once(() =>
    [...integration.tools].map(([toolId, { tool }]) => ({
      id: toolId,
      title: tool.title,
      operation: tool.operation,
      fixed: [tool.select, tool.raise, tool.lower, tool.refspecs, tool.refs].every((rule) => rule === undefined),
    })),
  );
  const tools = once(() => [
    ...facts().flatMap((tool) => [tool.id, tool.title]),
    ...integration.servers.flatMap(({ server }) => Object.keys(server.tools)),
  ]);
  return {
    id,
    title,
    aliases,
    get tools() {
      return tools();
    },
    get toolTitles() {
      return facts().map((tool) => tool.title);
    },
    get facts() {
      return facts();
    },
  };
}

/** The words that policies may use: the catalog's integrations, and those that only servers.json names. */
export function vocabularyOf(catalog: Catalog, servers: readonly ServerFacts[]): Vocabulary {
  const known = [...catalog.integrations.values()].map(wordsOf);
  const own = servers
    .flatMap(({ key, integration }) => [key, ...(integration === null ? [] : [integration])])
    .filter((name) => catalog.find(name) === null)
    .map((name) => ({
      id: name.toLowerCase().replace(/[\s_]+/g, '-'),
      title: name,
      aliases: [],
      tools: [],
      toolTitles: [],
      facts: [],
    }));
  return { integrations: [...known, ...own], servers: servers.map(({ key }) => key), offered: offeredBy(servers) };
}

/** Null where a server is known by its key alone: its tools may show that it is something else. */
function offeredBy(servers: readonly ServerFacts[]): string[] | null {
  if (servers.length === 0 || servers.some(({ recognised }) => recognised === null)) return null;
  return servers.flatMap(({ recognised }) => recognised ?? []);
}

function readText(path: string, name: string, mend: string): FileText {
  try {
    return { text: readUtf8(path) };
  } catch (error) {
    if (error instanceof NotUtf8)
      return { problem: errorAt(name, WHOLE_FILE, error.message, 'save it as UTF-8 in your editor') };
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const fault = missing ? `there is no ${path}` : `${path} can't be read: ${messageOf(error)}`;
    return {
      problem: errorAt(name, WHOLE_FILE, fault, missing ? mend : 'it must be a file that you may read'),
    };
  }
}

/** The files of a folder; one line that says so if it can't be read, none if it isn't there. */
function namesIn(folder: string): string[] {
  try {
    return existsSync(folder) ? readdirSync(folder).sort() : [];
  } catch (error) {
    return [`!${messageOf(error)}`];
  }
}

function tryRead(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    return `!${messageOf(error)}`;
  }
}
