/**
 * Judges a tool that no catalog knows, by its name's verbs, its argument choices and its annotations. It errs upward:
 * what the upstream says of itself may raise. It lowers in one case alone, which the design allows: `readOnlyHint: true`
 * makes a tool a Read of which nothing else is known, if neither its name nor its choices have a verb that changes.
 */
import { type JsonObject, type JsonValue, type Operation, worst } from '../call.ts';

/** A tool as its upstream describes it. */
export interface ToolDefinition {
  readonly name: string;
  readonly description?: string | undefined;
  readonly annotations?:
    | { readonly readOnlyHint?: boolean | undefined; readonly destructiveHint?: boolean | undefined }
    | undefined;
  readonly inputSchema?: JsonObject;
}

/** An argument that decides, with what each of its values does; null is not known. */
export interface Decider {
  readonly argument: string;
  readonly values: ReadonlyMap<string, Operation | null>;
}

/** A guess: what the tool as such may do, and the arguments that say more of a call. */
export interface Inference {
  /** empty if there was nothing to go by */
  readonly possible: readonly Operation[];
  readonly reasons: readonly string[];
  /** what the name alone says: no argument makes a call milder than that */
  readonly floor: Operation | null;
  readonly deciders: readonly Decider[];
}

const DELETE = words(
  'delete del remove rm rmdir unlink destroy purge erase wipe trash bin archive revoke drop truncate discard uninstall clear prune expunge terminate kill deprovision dispose empty flush reset deactivate ban blacklist evict obliterate nuke shred scrub annihilate cleanup clean detach unpublish invalidate rescind unregister deregister forget disconnect teardown void decommission expire',
);
/** Inside a longer word too: `bulkdelete`, `removeuser`. */
const DELETE_INSIDE = /delet|remov|destroy|purge|erase|teardown|terminat|revok|uninstall|truncat|unlink|wipeout/;
/** `deleted`, `removal`, `archives`, `purging`: a deed or a thing. */
const DELETE_FORMS =
  /^(delet|remov|destroy|purg|eras|wip|trash|archiv|revok|dropp|truncat|discard|clear|prun|terminat|kill|deactivat)(e[ds]?|ed|es|s|ing|al|als|ion|ions|er)$/;
const WRITE = words(
  'overwrite email wire login logout checkin create add new insert make build generate write put post set update edit modify change patch upsert replace rename move copy duplicate clone import upload send reply forward publish share invite assign unassign merge approve reject accept close reopen open start stop pause resume cancel enable disable mute unmute mark save store submit sync push commit checkout rebase cherrypick tag label star unstar subscribe unsubscribe restore untrash unarchive undelete run trigger deploy apply append attach link unlinking schedule reschedule transition convert transfer grant register install configure init initialize fork lock unlock pin unpin react resolve unresolve draft book pay charge refund transact stage unstage stash pull rotate retry rerun dispatch emit record finish toggle increment click type press fill drag hover navigate promote demote watch unwatch join leave follow unfollow vote mint',
);
const READ = words(
  'get list search read find fetch describe show view query count lookup download check validate verify preview inspect explain browse scan status diff compare summarize summarise analyze analyse retrieve peek head stat stats history whoami me info version ping help tail monitor trace test echo calculate compute sum estimate suggest autocomplete export blame tree',
);
/** Verbs that are as often things: after a reading word they are taken as such (`get_pull_request`, `list_check_run`). */
const THINGS = words(
  'pull tag label star record draft link book charge post patch commit run release fork stash store new set open make type lock build share',
);
/** These run whatever they are given: neither the name nor a choice tells what. */
const RUNS_ANYTHING = words('execute exec eval invoke command shell sql script request api rest graphql raw');
/** These do what an argument says, if one does. */
const DOES_AS_TOLD = words('batch bulk manage handle process perform do method call operate');
/** Arguments whose choices say what a call does. */
const DECIDERS = words('action actions method operation operations mode command verb op');
const NOT_DELETE: ReadonlyMap<string, Operation> = new Map([
  ['unarchive', 'Write'],
  ['untrash', 'Write'],
  ['undelete', 'Write'],
  ['undeleted', 'Write'],
]);

/** Infers from the definition alone; pure. */
export function infer(tool: ToolDefinition): Inference {
  const guess = fromNameAndChoices(tool);
  // Its own words may raise; where arguments decide, they say which call it is that deletes.
  if (guess.possible.length === 0 || guess.deciders.length > 0 || guess.possible.includes('Delete')) return guess;
  if (!saysItDeletes(tool.description ?? '')) return guess;
  return { ...guess, possible: [...guess.possible, 'Delete'], reasons: [...guess.reasons, 'it says that it deletes'] };
}

const MAX_DESCRIPTION = 2000;
const NOT = /\b(not|never|no|cannot|without)\b|n['’]t\b/i;

/** A sentence whose verb is one of deleting: `Deletes …`, `Gets … and removes it`; the first may also be a command. */
function saysItDeletes(description: string): boolean {
  const sentences = description.slice(0, MAX_DESCRIPTION).split(/[.!?;:\n]+/);
  return sentences.some((sentence, index) => {
    if (NOT.test(sentence)) return false;
    const verbs = tokensOf(sentence);
    const first = verbs.findIndex((word) => isVerb(word) || isVerb(bareVerb(word)));
    return verbs.some((word, at) => {
      const leads = at === first || ['and', 'then', 'or'].includes(verbs[at - 1] ?? '');
      const bare = bareVerb(word);
      return leads && (bare !== word ? DELETE.has(bare) : index === 0 && at === first && DELETE.has(word));
    });
  });
}

/** `deletes` → `delete`, `purges` → `purge`, `erases` → `erase`; else the word itself. */
function bareVerb(word: string): string {
  for (const bare of [word.replace(/s$/, ''), word.replace(/es$/, ''), word.replace(/ies$/, 'y')])
    if (bare !== word && isVerb(bare)) return bare;
  return word;
}

function fromNameAndChoices(tool: ToolDefinition): Inference {
  const tokens = tokensOf(tool.name);
  const named = isMixed(tool.name) ? { ...operationOf(tokens), doubtful: true } : operationOf(tokens);
  const runs = tokens.find((token, index) => runsAnything(token, tokens[index - 1], tokens));
  const told = tokens.find((token) => DOES_AS_TOLD.has(token));
  const readOnly = tool.annotations?.readOnlyHint;
  const nothing = { floor: null, deciders: [] };
  if (named.operation === 'Delete')
    return { possible: ['Delete'], reasons: named.reasons, floor: 'Delete', deciders: [] };
  if (runs !== undefined) return { possible: [], reasons: [`"${runs}" in its name: it may do anything`], ...nothing };

  const deciders = decidersOf(tool.inputSchema);
  const choices = deciders.flatMap(({ values }) => [...values.values()]);
  if (choices.some((operation) => operation === 'Write' || operation === 'Delete')) {
    const floor = named.operation;
    const known = choices.filter((operation) => operation !== null);
    const possible = choices.includes(null)
      ? []
      : unique(known.map((operation) => worst(floor === null ? [operation] : [floor, operation])!));
    return {
      possible,
      reasons: [
        ...named.reasons,
        `its argument "${deciders.map(({ argument }) => argument).join('", "')}" chooses what it does`,
      ],
      floor,
      deciders,
    };
  }
  if (told !== undefined)
    return { possible: [], reasons: [`"${told}" in its name: it does as it is told`], ...nothing };
  const fixed = (operation: Operation, ...reasons: string[]): Inference => ({
    possible: [operation],
    reasons: [...named.reasons, ...reasons],
    floor: operation,
    deciders: [],
  });
  if (named.operation === 'Write') return fixed('Write');
  if (readOnly === true && !choices.includes(null))
    return fixed('Read', 'it says that it only reads, and nothing in its name or choices speaks against that');
  if (named.operation === 'Read' && !named.doubtful) {
    if (readOnly === false) return fixed('Write', 'it says that it does not only read');
    if (tool.annotations?.destructiveHint === true) return fixed('Write', 'it says that it is destructive');
    return fixed('Read');
  }
  return {
    possible: [],
    reasons: named.reasons.length > 0 ? named.reasons : ['nothing in its name says what it does'],
    ...nothing,
  };
}

function runsAnything(token: string, before: string | undefined, tokens: readonly string[]): boolean {
  // A pull request is a thing; a query that is run may be anything.
  if (token === 'request') return !['pull', 'merge', 'change', 'feature', 'review'].includes(before ?? '');
  return (
    RUNS_ANYTHING.has(token) ||
    (token === 'run' && tokens.some((each) => ['query', 'code', 'statement', 'cypher'].includes(each)))
  );
}

/** What one call does: the worst of what its deciding arguments say; unknown if any of them can't be known. */
export function inferCall(guess: Inference, args: JsonObject): readonly Operation[] {
  if (guess.deciders.length === 0) return guess.possible;
  const found: Operation[] = guess.floor === null ? [] : [guess.floor];
  for (const { argument, values } of guess.deciders) {
    const given = Object.hasOwn(args, argument) ? args[argument] : undefined;
    if (typeof given !== 'string') {
      if (given !== undefined || [...values.values()].includes(null)) return [];
      // Left out: it may be any of them.
      return unique([...values.values()].map((operation) => worst([...found, operation!])!));
    }
    const operation = values.get(given);
    if (operation === undefined || operation === null) return [];
    found.push(operation);
  }
  return [worst(found)!];
}

export interface Named {
  readonly operation: Operation | null;
  readonly reasons: readonly string[];
  /** a word of deleting stands where it may be a thing */
  readonly doubtful: boolean;
}

/** The worst verb of a name. */
export function operationOf(tokens: readonly string[]): Named {
  const reads = tokens[0] !== undefined && READ.has(tokens[0]);
  let best: Operation | null = null;
  let by = '';
  let doubtful = false;
  tokens.forEach((token, index) => {
    let operation: Operation | null = null;
    const exception = NOT_DELETE.get(token);
    if (exception !== undefined) operation = exception;
    else if (DELETE.has(token)) operation = 'Delete';
    else if (DELETE_FORMS.test(token) || DELETE_INSIDE.test(token)) {
      // `list_deleted_items` may well read; `mark_as_deleted` does not.
      if (reads && index > 0) doubtful = true;
      else operation = 'Delete';
    } else if (WRITE.has(token) && !(READ.has(token) && index === 0)) {
      const thing =
        reads && index > 0 && THINGS.has(token) && tokens[index - 1] !== 'and' && tokens[index - 1] !== 'or';
      if (!thing) operation = tokens.includes('force') ? 'Delete' : 'Write';
    } else if (READ.has(token)) operation = 'Read';
    if (operation !== null && worst(best === null ? [operation] : [best, operation]) !== best) {
      best = operation;
      by = token;
    }
  });
  // `check_out`, `get_rid_of`, `get_and_email`: another verb than it seems, or a second one that we don't know.
  if (
    reads &&
    (ELSEWHERE.has(tokens[1] ?? '') ||
      tokens.some((token, index) => (token === 'and' || token === 'then') && !isVerb(tokens[index + 1] ?? '')))
  )
    doubtful = true;
  return { operation: best, reasons: best === null ? [] : [`"${by}" in its name`], doubtful };
}

const ELSEWHERE = words('out rid off away over up down in');

/** Whether a word by itself says that something is taken away. */
export function isDeletingVerb(token: string): boolean {
  return DELETE.has(token);
}

function isVerb(token: string): boolean {
  return DELETE.has(token) || WRITE.has(token) || READ.has(token);
}

function decidersOf(schema: JsonObject | undefined): Decider[] {
  const properties = objectOf(schema?.['properties']);
  if (properties === null) return [];
  return Object.entries(properties).flatMap(([argument, property]) => {
    if (!tokensOf(argument).some((token) => DECIDERS.has(token))) return [];
    const choices = choicesOf(property, schema!, 0);
    const values = new Map(choices.map((choice) => [choice, operationOf(tokensOf(choice)).operation] as const));
    return [...values.values()].some((operation) => operation !== null) ? [{ argument, values }] : [];
  });
}

const MAX_SCHEMA_DEPTH = 8;

/** The texts that a property may be, however its schema says so. */
function choicesOf(property: JsonValue | undefined, root: JsonObject, depth: number): string[] {
  const schema = objectOf(property);
  if (schema === null || depth > MAX_SCHEMA_DEPTH) return [];
  const own = [...(Array.isArray(schema['enum']) ? schema['enum'] : []), schema['const']].filter(
    (item): item is string => typeof item === 'string',
  );
  const inner = ['anyOf', 'oneOf', 'allOf'].flatMap((key) =>
    Array.isArray(schema[key]) ? (schema[key] as JsonValue[]) : [],
  );
  const items = schema['items'] === undefined ? [] : [schema['items']];
  return [
    ...own,
    ...[...inner, ...items].flatMap((each) => choicesOf(each, root, depth + 1)),
    ...choicesOf(referred(schema['$ref'], root), root, depth + 1),
  ];
}

/** A reference within the same schema; others are not followed. */
function referred(ref: JsonValue | undefined, root: JsonObject): JsonValue | undefined {
  const path = typeof ref === 'string' ? /^#\/(\$defs|definitions)\/([^/]+)$/.exec(ref) : null;
  return path === null ? undefined : objectOf(root[path[1]!])?.[path[2]!];
}

function objectOf(value: JsonValue | undefined): JsonObject | null {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as JsonObject) : null;
}

/** Letters of two scripts in one word, or characters that nobody sees: it may read as another name than it is. */
function isMixed(name: string): boolean {
  const folded = name.normalize('NFKC');
  return (
    /[\p{Cf}\p{Cc}]/u.test(folded) ||
    (folded.match(/\p{L}+/gu) ?? []).some((word) => /\p{Script=Latin}/u.test(word) && /[^\p{Script=Latin}]/u.test(word))
  );
}

/** Words of a name in snake, kebab, dotted, camel or Pascal case, lower-cased. */
export function tokensOf(name: string): string[] {
  return name
    .normalize('NFKC')
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}]+/u)
    .filter((token) => token !== '');
}

function words(list: string): ReadonlySet<string> {
  return new Set(list.split(' '));
}

function unique<T>(items: readonly T[]): T[] {
  return [...new Set(items)];
}
