/** What a call of a tool means: integration, canonical tool, operation, arguments. Pure. */
import {
  type Argument,
  type ClassSource,
  foldName,
  type JsonObject,
  type JsonValue,
  OPERATIONS,
  type Operation,
  type ToolName,
  worst,
} from '../call.ts';
import { type ArgumentNames, argumentReader, isJsonText } from './arguments.ts';
import { type Inference, infer, type ToolDefinition } from './infer.ts';
import type { Integration, IntegrationServer, ServerToolEntry } from './load.ts';
import type { Recognised } from './recognise.ts';
import type { CatalogTool, Lower, Raise, Select } from './schema.ts';

/** What one call, or a tool as such, was found to be. */
export interface Classification {
  readonly integration: string;
  readonly integrationTitle: string;
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
}

/** Classifies a tool of a recognised server. Resolving names is done here, once; a call then only reads its arguments. */
export function classifyTool(recognised: Recognised, definition: ToolDefinition): ToolClass {
  const found = lookUp(recognised, definition.name);
  const guess = infer(definition);
  if (found.length === 0) return inferredClass(recognised, definition, guess);
  const variants = found.map((candidate) => variant(candidate, recognised, declaredArguments(definition)));
  const only = variants.length === 1 ? variants[0]! : null;
  const label = recognised.by === 'label' || recognised.by === 'key';
  const ofCall = (args: JsonObject | null): Classification => {
    const outcomes = variants.map((each) => each.outcome(args));
    const merged = outcomes.length === 1 ? outcomes[0]! : union(outcomes);
    const ours = { ...variants[0]!.origin, ...merged };
    return label ? neverLowered(ours, guessOutcome(guess, args, definition, recognised)) : ours;
  };
  const tool = ofCall(null);
  const fixed = only?.fixed === true && !label;
  return { tool, ofCall: fixed ? () => tool : ofCall, reader: (only ?? variants[0]!).reader };
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

interface Outcome {
  readonly tools: readonly ToolName[];
  readonly possible: readonly Operation[];
  readonly operation: Operation | null;
  readonly reasons: readonly string[];
}

interface Variant {
  readonly origin: { readonly integration: string; readonly integrationTitle: string; readonly source: ClassSource };
  /** no argument changes the outcome */
  readonly fixed: boolean;
  readonly outcome: (args: JsonObject | null) => Outcome;
  readonly reader: (args: JsonObject) => (canonical: string) => Argument;
}

function variant({ server, entry }: Candidate, recognised: Recognised, declared: ReadonlySet<string> | null): Variant {
  const { integration } = server;
  const spec = entry.entry;
  const base = spec.tool === undefined ? null : toolOf(integration, spec.tool);
  const select = spec.select ?? base?.tool.select;
  const raise = [...(spec.raise ?? []), ...(base?.tool.raise ?? [])];
  const lower = [...(spec.lower ?? []), ...(base?.tool.lower ?? [])];
  const names = argumentNames(server, spec.arguments);
  const paths = new Set(base?.tool.paths ?? pathsOf(integration, select));
  const reader = (args: JsonObject) => argumentReader(args, names, (canonical) => paths.has(canonical));
  const origin = {
    integration: integration.id,
    integrationTitle: integration.title,
    source: base?.origin === 'owner' || entry.origin === 'owner' ? ('owner' as const) : ('catalog' as const),
  };
  const place = `${entry.calledName} in the catalog's ${server.name}`;

  const outcome = (args: JsonObject | null): Outcome => {
    if (spec.inner !== undefined) return innerOutcome(spec.inner, args, recognised);
    const read = args === null ? null : reader(args);
    let state: Outcome =
      base === null
        ? { tools: [], possible: [], operation: null, reasons: [place] }
        : { tools: [base.name], possible: [base.tool.operation], operation: base.tool.operation, reasons: [place] };
    if (select !== undefined) state = selected(state, select, integration, read);
    // Other modifiers of a tool that the selection named count too.
    const named =
      state.tools.length === 1 && state.tools[0]!.id !== base?.name.id
        ? integration.tools.get(state.tools[0]!.id)?.tool
        : undefined;
    for (const rule of [...raise, ...(named?.raise ?? [])]) state = raised(state, rule, read);
    for (const rule of [...lower, ...(named?.lower ?? [])]) {
      // An argument that the tool doesn't declare is ignored by it: then it lowers nothing.
      const sources = names.get(rule.argument) ?? [rule.argument];
      if (declared === null || sources.some((source) => declared.has(source.split('.')[0]!)))
        state = lowered(state, rule, read);
    }
    return state;
  };
  return {
    origin,
    fixed: select === undefined && raise.length === 0 && lower.length === 0 && spec.inner === undefined,
    outcome,
    reader,
  };
}

/** The arguments that a tool says it takes; null if it doesn't say. */
function declaredArguments(definition: ToolDefinition): ReadonlySet<string> | null {
  const properties = definition.inputSchema?.['properties'];
  if (properties === null || typeof properties !== 'object' || Array.isArray(properties)) return null;
  return new Set(Object.keys(properties));
}

function toolOf(
  integration: Integration,
  id: string,
): { name: ToolName; tool: CatalogTool; origin: 'owner' | 'catalog' } | null {
  const found = integration.tools.get(id);
  return found === undefined ? null : { name: { id, title: found.tool.title }, ...found };
}

function pathsOf(integration: Integration, select: Select | undefined): string[] {
  return Object.values(select?.values ?? {}).flatMap((meaning) => integration.tools.get(meaning)?.tool.paths ?? []);
}

function argumentNames(server: IntegrationServer, own: Record<string, string[]> | undefined): ArgumentNames {
  return new Map(Object.entries({ ...server.server.arguments, ...own }));
}

/** Absent, unknown or unreadable: it may be any of the map, and the worst of it is what is shown. */
function selected(
  state: Outcome,
  select: Select,
  integration: Integration,
  read: ((name: string) => Argument) | null,
): Outcome {
  const found = read?.(select.argument) ?? { state: 'missing' as const };
  const keys = found.state === 'value' ? (Array.isArray(found.value) ? found.value : [found.value]) : [];
  const meanings = keys.map((key) => meaningOf(select, key));
  const known = meanings.length > 0 && meanings.every((meaning) => meaning !== undefined);
  const chosen = known ? (meanings as string[]) : Object.values(select.values);
  const outcomes = [...new Set(chosen)].map((meaning): { tool: ToolName | null; operation: Operation } => {
    if ((OPERATIONS as readonly string[]).includes(meaning)) return { tool: null, operation: meaning as Operation };
    const tool = toolOf(integration, meaning)!;
    return { tool: tool.name, operation: tool.tool.operation };
  });
  const possible = unique(outcomes.map(({ operation }) => operation));
  // Several inner operations in one call: the worst of them is what the call does.
  const settled = known ? [worst(possible)!] : possible;
  const named = outcomes
    .filter(({ tool, operation }) => tool !== null && (!known || operation === settled[0]))
    .map(({ tool }) => tool!);
  const tools = named.length > 0 ? named : state.tools;
  const reason = known
    ? `"${select.argument}" is ${keys.map((key) => JSON.stringify(key)).join(', ')}`
    : `"${select.argument}" decides and ${why(found)}: taken as the worst`;
  return { tools, possible: settled, operation: worst(settled), reasons: [...state.reasons, reason] };
}

function meaningOf(select: Select, key: JsonValue): string | undefined {
  if (typeof key !== 'string' && typeof key !== 'number' && typeof key !== 'boolean') return undefined;
  const wanted = foldName(String(key));
  return Object.entries(select.values).find(([value]) => foldName(value) === wanted)?.[1];
}

/** Absent or false: as it is. Unreadable: either. Else raised. */
function raised(state: Outcome, rule: Raise, read: ((name: string) => Argument) | null): Outcome {
  if (read === null) return state;
  const given = read(rule.argument);
  if (given.state === 'missing') return state;
  const found: Argument =
    given.state === 'value' && rule.is !== undefined && isJsonText(given.value)
      ? { state: 'unreadable', why: 'it is JSON written as text' }
      : given;
  const to = rule.to;
  if (found.state === 'unreadable') {
    const possible = unique([...state.possible, worst([...state.possible, to])!]);
    return {
      ...state,
      possible,
      operation: worst(possible),
      reasons: [...state.reasons, `"${rule.argument}" ${why(found)}: taken as ${to}`],
    };
  }
  const values = Array.isArray(found.value) ? found.value : [found.value];
  const hit =
    rule.is === undefined
      ? values.some((value) => value !== false && value !== null)
      : values.some((value) => rule.is!.some((wanted) => foldName(wanted) === foldName(String(value))));
  if (!hit) return state;
  const possible = unique(
    state.possible.length === 0 ? [to] : state.possible.map((operation) => worst([operation, to])!),
  );
  return {
    ...state,
    possible,
    operation: worst(possible),
    reasons: [...state.reasons, `"${rule.argument}" makes it a ${to}`],
  };
}

/** Only a literal `true` lowers. */
function lowered(state: Outcome, rule: Lower, read: ((name: string) => Argument) | null): Outcome {
  const found = read?.(rule.argument);
  if (found?.state !== 'value' || found.value !== true) return state;
  return {
    ...state,
    possible: [rule.to],
    operation: rule.to,
    reasons: [...state.reasons, `"${rule.argument}" is true: only a ${rule.to}`],
  };
}

/** A tool that runs another of the same server: absent or unknown gives unknown. */
function innerOutcome(
  inner: { argument: string; arguments: string },
  args: JsonObject | null,
  recognised: Recognised,
): Outcome {
  const name = args?.[inner.argument];
  const unknown = (reason: string): Outcome => ({ tools: [], possible: [], operation: null, reasons: [reason] });
  if (typeof name !== 'string') return unknown(`"${inner.argument}" names the real tool and can't be read`);
  const found = lookUp(recognised, name).filter(({ entry }) => entry.entry.inner === undefined);
  if (found.length === 0) return unknown(`it runs "${name}", which the catalog doesn't know`);
  const given = args?.[inner.arguments];
  const object = given !== null && typeof given === 'object' && !Array.isArray(given) ? (given as JsonObject) : null;
  const outcome = union(found.map((candidate) => variant(candidate, recognised, null).outcome(object ?? {})));
  return { ...outcome, reasons: [`it runs "${name}"`, ...outcome.reasons] };
}

function union(outcomes: readonly Outcome[]): Outcome {
  const unknown = outcomes.some(({ possible }) => possible.length === 0);
  const possible = unknown ? [] : unique(outcomes.flatMap((outcome) => outcome.possible));
  const tools = outcomes
    .flatMap((outcome) => outcome.tools)
    .filter((tool, index, all) => all.findIndex(({ id }) => id === tool.id) === index);
  return {
    tools,
    possible,
    operation: worst(possible),
    reasons: [...new Set(outcomes.flatMap((outcome) => outcome.reasons))],
  };
}

function inferredClass(recognised: Recognised, definition: ToolDefinition, guess: Inference): ToolClass {
  const ofCall = (args: JsonObject | null) => guessOutcome(guess, args, definition, recognised);
  const tool = ofCall(null);
  return {
    tool,
    ofCall: guess.select === null ? () => tool : ofCall,
    reader: (args) => argumentReader(args, new Map(), (name) => PATH_NAME.test(name)),
  };
}

/** Arguments of unknown tools that are paths by their name. */
const PATH_NAME =
  /(^|[_.-])(path|paths|file|filename|filepath|dir|directory|folder|source|destination)$|([a-z])(Path|Paths|File|Dir)$/;

function guessOutcome(
  guess: Inference,
  args: JsonObject | null,
  definition: ToolDefinition,
  recognised: Recognised,
): Classification {
  let possible = guess.possible;
  if (guess.select !== null && args !== null) {
    const value = args[guess.select.argument];
    const chosen = typeof value === 'string' ? guess.select.values.get(value) : undefined;
    if (chosen === null) possible = [];
    else if (chosen !== undefined) possible = [chosen];
  }
  return {
    integration: recognised.integration.id,
    integrationTitle: recognised.integration.title,
    tools: [{ id: idOf(definition.name), title: definition.title ?? titleOf(definition.name) }],
    possible,
    operation: worst(possible),
    source: possible.length === 0 && guess.select === null ? 'unknown' : 'inferred',
    reasons: guess.reasons,
  };
}

/** A label alone may add an integration's name and strictness, but what the tool may do is at least what we'd guess. */
function neverLowered(ours: Classification, guessed: Classification): Classification {
  if (guessed.possible.length === 0 && ours.operation !== 'Delete')
    return {
      ...ours,
      possible: [],
      operation: null,
      source: 'unknown',
      reasons: [...ours.reasons, ...guessed.reasons],
    };
  const possible = unique([...ours.possible, ...guessed.possible]);
  const operation = worst(possible);
  return {
    ...ours,
    possible: operation === null ? [] : [operation],
    operation,
    reasons: [...ours.reasons, ...guessed.reasons],
  };
}

function idOf(name: string): string {
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

function why(found: Argument): string {
  switch (found.state) {
    case 'missing':
      return 'is absent';
    case 'unreadable':
      return `can't be read (${found.why})`;
    case 'value':
      return "has a value we don't know";
  }
}

function unique<T>(items: readonly T[]): T[] {
  return [...new Set(items)];
}
