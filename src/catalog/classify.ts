/** What a call of a tool means: integration, canonical tool, operation, arguments. Pure. */
import {
  type Argument,
  type CallIntegration,
  type ClassSource,
  foldName,
  type JsonObject,
  type JsonValue,
  type Operation,
  type ToolName,
  worst,
} from '../call.ts';
import { kindsOf, outcomeOf, rulesOfTool } from './applying.ts';
import { type ArgumentNames, argumentReader, ownNames, readPath } from './arguments.ts';
import { type Inference, infer, inferCall, type ToolDefinition } from './infer.ts';
import { unique } from './lists.ts';
import type { IntegrationServer, ServerToolEntry } from './load.ts';
import { type Outcome, raisedTo, union } from './outcome.ts';
import type { Recognised } from './recognise.ts';
import type { CatalogServer } from './schema.ts';

/** What one call, or a tool as such, was found to be. */
export interface Classification {
  /** the likeliest first; a call belongs to all of them where it comes to restricting it */
  readonly integrations: readonly CallIntegration[];
  readonly tools: readonly ToolName[];
  readonly possible: readonly Operation[];
  readonly operation: Operation | null;
  readonly source: ClassSource;
  readonly reasons: readonly string[];
}

/** A tool, classified as far as its definition goes; `ofCall` finishes with the arguments. */
export interface ToolClass {
  /** the class of the tool as such, whatever its arguments */
  readonly tool: Classification;
  readonly ofCall: (args: JsonObject) => Classification;
  readonly reader: (args: JsonObject) => (canonical: string) => Argument;
  /** what the server calls an argument of that canonical name; the parts, where it is made of several */
  readonly namesOf: (canonical: string) => readonly string[];
}

/** Classifies a tool of a recognised server. Resolving names is done here, once; a call then only reads its arguments. */
export function classifyTool(recognised: Recognised, definition: ToolDefinition): ToolClass {
  const found = lookUp(recognised, definition.name);
  if (found.length === 0) return inferredClass(recognised, definition, infer(definition));
  const variants = found.map((candidate) => variant(candidate, recognised, declaredArguments(definition)));
  const only = variants.length === 1 ? variants[0]! : null;
  // What the owner wrote of the integration that their own key names is as sure as the key.
  const isOwners = ({ source, integration }: Variant) => source === 'owner' && integration.id === recognised.own.id;
  const guess = isSure(recognised) || variants.every(isOwners) ? null : infer(definition);
  const ofCall = (args: JsonObject | null): Classification => {
    const outcomes = variants.map((each) => each.outcome(args));
    const merged = outcomes.length === 1 ? outcomes[0]! : union(outcomes);
    const { integration, source } = variants[0]!;
    const ours = { integrations: integrationsOf(integration, recognised), source, ...merged };
    return guess === null ? ours : neverLowered(ours, guessOutcome(guess, args, definition, recognised));
  };
  const tool = ofCall(null);
  const fixed = only?.fixed === true && guess === null;
  return {
    tool,
    ofCall: fixed ? () => tool : ofCall,
    reader: only === null ? agreeing(variants) : only.reader,
    namesOf: (canonical) => variants.flatMap(({ names }) => ownNames(names, canonical)),
  };
}

/** What the owner wrote is sure: the integration, the package, the address. What the upstream says of itself is not. */
function isSure(recognised: Recognised): boolean {
  return recognised.by === 'owner' || recognised.by === 'launch';
}

/** What an upstream says of itself may add an integration to the owner's key for it, never replace it. */
function integrationsOf(main: { id: string; title: string }, recognised: Recognised): readonly CallIntegration[] {
  const { id, title } = main;
  if (isSure(recognised)) return [{ id, title, sure: true }];
  const { own } = recognised;
  return own.id === id
    ? [{ id, title, sure: true }]
    : [
        { id, title, sure: false },
        { id: own.id, title: own.title, sure: true },
      ];
}

/**
 * Of what no entry places, a tool that nobody knows or a resource: where one package serves several integrations it may
 * belong to any of them, so policies on each restrict it and none loosens.
 */
export function unplacedIntegrations(recognised: Recognised): readonly CallIntegration[] {
  const owners = new Map(recognised.servers.map(({ integration }) => [integration.id, integration]));
  return recognised.by === 'launch' && owners.size > 1
    ? [...owners.values()].map(({ id, title }) => ({ id, title, sure: false }))
    : integrationsOf(recognised.integration, recognised);
}

/** Where it isn't known which of several tools this is, an argument is readable only if all would read it alike. */
function agreeing(variants: readonly Variant[]): ToolClass['reader'] {
  return (args) => {
    const readers = variants.map(({ reader }) => reader(args));
    return (canonical) => {
      const [first, ...others] = readers.map((read) => read(canonical)) as [Argument, ...Argument[]];
      return others.every((other) => JSON.stringify(other) === JSON.stringify(first))
        ? first
        : { state: 'unreadable', why: 'it depends on which server this is' };
    };
  };
}

interface Candidate {
  readonly server: IntegrationServer;
  readonly entry: ServerToolEntry;
}

/**
 * Entries for a called name. An exact spelling on the likeliest server wins; a server that is known only by its
 * integration may be any of that integration's servers, so all their entries count.
 */
function lookUp(recognised: Recognised, calledName: string): Candidate[] {
  const folded = foldName(calledName);
  const certain = recognised.by === 'launch' || (recognised.by === 'owner' && recognised.servers.length === 1);
  const result: Candidate[] = [];
  for (const server of recognised.servers) {
    const entries = server.byName.get(folded) ?? [];
    const exact = entries.filter((entry) => entry.calledName === calledName);
    for (const entry of exact.length > 0 ? exact : entries) {
      if (entry.entry.inner !== undefined && entry.entry.tool === undefined) result.push({ server, entry });
      else if (!result.some((known) => sameMeaning(known, { server, entry }))) result.push({ server, entry });
    }
    if (certain && result.length > 0) break;
  }
  return result;
}

function sameMeaning(a: Candidate, b: Candidate): boolean {
  const meaning = ({ server, entry }: Candidate) =>
    JSON.stringify([server.integration.id, entry.entry, server.server.arguments]);
  return meaning(a) === meaning(b);
}

interface Variant {
  readonly integration: { readonly id: string; readonly title: string };
  readonly source: ClassSource;
  /** no argument changes the outcome */
  readonly fixed: boolean;
  readonly outcome: (args: JsonObject | null) => Outcome;
  readonly reader: (args: JsonObject) => (canonical: string) => Argument;
  readonly names: ArgumentNames;
}

function variant({ server, entry }: Candidate, recognised: Recognised, shown: ReadonlySet<string> | null): Variant {
  const declared = server.server.undeclared === true ? null : shown;
  const { integration } = server;
  const spec = entry.entry;
  const rules = rulesOfTool(integration, spec);
  const names = argumentNames(server, spec.arguments);
  const reading = { names, kindOf: kindsOf(rules.tools, server.server.encoded), declared };
  const reader = (args: JsonObject) => argumentReader(args, reading);
  const source = rules.base?.origin === 'owner' || entry.origin === 'owner' ? ('owner' as const) : ('catalog' as const);
  const place = `${entry.calledName} in the catalog's ${server.name}`;
  const sourcesOf = (canonical: string) => names.get(canonical) ?? [canonical];
  // An argument that the tool doesn't declare is ignored by it: then it lowers nothing.
  const mayLower = (canonical: string) =>
    declared === null || sourcesOf(canonical).some((source) => declared.has(source.split('.')[0]!));
  const outcome = (args: JsonObject | null): Outcome => {
    if (spec.inner !== undefined) return innerOutcome(spec.inner, args, recognised);
    if (args === null) return outcomeOf(rules, null, place);
    const given = (canonical: string) =>
      sourcesOf(canonical)
        .map((source) => readPath(args, source))
        .flatMap((each) => (each.state === 'value' ? [each.value] : []));
    const found = outcomeOf(rules, { read: reader(args), given, own: (name) => readPath(args, name), mayLower }, place);
    return server.server.shell === true && holdsShell(args)
      ? raisedTo(found, 'Delete', 'a shell could run what its arguments hold')
      : found;
  };
  return {
    integration,
    source,
    fixed: rules.fixed && spec.inner === undefined && server.server.shell !== true,
    outcome,
    reader,
    names,
  };
}

/** Whether any text of a value could be more than one plain word or text to a shell. */
function holdsShell(value: JsonValue): boolean {
  if (typeof value === 'string') return /[`$\\;&|<>"\p{Cc}]/u.test(value);
  return value !== null && typeof value === 'object' && Object.values(value).some(holdsShell);
}

/** The arguments that a tool says it takes; null if it doesn't say. */
function declaredArguments(definition: ToolDefinition): ReadonlySet<string> | null {
  const properties = definition.inputSchema?.['properties'];
  if (properties === null || typeof properties !== 'object' || Array.isArray(properties)) return null;
  return new Set(Object.keys(properties));
}

/** A server's own names for all its tools are the same map for each of them. */
const SHARED_NAMES = new WeakMap<CatalogServer, ArgumentNames>();

function argumentNames({ server }: IntegrationServer, own: Record<string, string[]> | undefined): ArgumentNames {
  const shared = SHARED_NAMES.get(server) ?? new Map(Object.entries(server.arguments ?? {}));
  SHARED_NAMES.set(server, shared);
  return own === undefined ? shared : new Map([...shared, ...Object.entries(own)]);
}

/** A tool that runs another of the same server: absent, unknown or unreadable gives unknown. */
function innerOutcome(
  inner: { argument: string; arguments: string },
  args: JsonObject | null,
  recognised: Recognised,
): Outcome {
  const unknown = (reason: string): Outcome => ({ tools: [], possible: [], operation: null, reasons: [reason] });
  const name = args === null ? null : readPath(args, inner.argument);
  if (name?.state !== 'value' || typeof name.value !== 'string')
    return unknown(`"${inner.argument}" names the real tool and can't be read`);
  const called = name.value;
  const found = lookUp(recognised, called).filter(({ entry }) => entry.entry.inner === undefined);
  if (found.length === 0) return unknown(`it runs "${called}", which the catalog doesn't know`);
  const given = readPath(args!, inner.arguments);
  const object =
    given.state === 'missing'
      ? {}
      : given.state === 'value' &&
          given.value !== null &&
          typeof given.value === 'object' &&
          !Array.isArray(given.value)
        ? (given.value as JsonObject)
        : null;
  if (object === null) return unknown(`it runs "${called}", and "${inner.arguments}" can't be read`);
  const outcome = union(found.map((candidate) => variant(candidate, recognised, null).outcome(object)));
  return { ...outcome, reasons: [`it runs "${called}"`, ...outcome.reasons] };
}

function inferredClass(recognised: Recognised, definition: ToolDefinition, guess: Inference): ToolClass {
  const ofCall = (args: JsonObject | null) => guessOutcome(guess, args, definition, recognised);
  const tool = ofCall(null);
  const rules = {
    names: new Map(),
    kindOf: (name: string) => (PATH_NAME.test(name) ? ('path' as const) : null),
    declared: null,
  };
  return {
    tool,
    ofCall: guess.deciders.length === 0 ? () => tool : ofCall,
    reader: (args) => argumentReader(args, rules),
    namesOf: (canonical) => ownNames(rules.names, canonical),
  };
}

/** Arguments of unknown tools that are paths by their name. */
const PATH_NAME =
  /(^|[_.-])(path|paths|file|filename|filepath|dir|directory|folder|source|destination)$|([a-z])(Path|Paths|File|Dir)$/;

/** Id and title come from the tool's name alone: a title of the upstream's own could be any other tool's. */
function guessOutcome(
  guess: Inference,
  args: JsonObject | null,
  definition: ToolDefinition,
  recognised: Recognised,
): Classification {
  const possible = args === null ? guess.possible : inferCall(guess, args);
  return {
    integrations: unplacedIntegrations(recognised),
    tools: [{ id: idOf(definition.name), title: titleOf(definition.name) }],
    possible,
    operation: worst(possible),
    source: possible.length === 0 && guess.deciders.length === 0 ? 'unknown' : 'inferred',
    reasons: guess.reasons,
  };
}

/** What only the upstream's own words say may add strictness: what the tool may do is at least what we'd guess. */
function neverLowered(ours: Classification, guessed: Classification): Classification {
  const reasons = [...new Set([...ours.reasons, ...guessed.reasons])];
  if (guessed.possible.length === 0 && ours.operation !== 'Delete')
    return { ...ours, possible: [], operation: null, source: 'unknown', reasons };
  const floor = guessed.operation;
  const possible = unique(ours.possible.map((operation) => (floor === null ? operation : worst([operation, floor])!)));
  return { ...ours, possible, operation: worst(possible), reasons };
}

/** A tool's id from the name that a server gives it. */
export function idOf(name: string): string {
  return (
    name
      .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '_')
      .replace(/^_+|_+$/g, '') || 'tool'
  );
}

function titleOf(name: string): string {
  const words = idOf(name).replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
