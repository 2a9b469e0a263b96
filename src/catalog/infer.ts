/**
 * Judges a tool that no catalog knows, by its name's verbs, its argument choices and its annotations. It errs upward:
 * what the upstream says of itself may raise. It lowers in one case alone, which the design allows: `readOnlyHint: true`
 * makes a tool a Read of which nothing else is known, if neither its name nor its choices have a verb that changes.
 */
import { type JsonObject, type JsonValue, type Operation, worst } from '../call.ts';
import { readPath } from './arguments.ts';
import { unique, wordSet } from './lists.ts';

/** A tool as its upstream describes it. */
export interface ToolDefinition {
  readonly name: string;
  readonly description?: string | undefined;
  readonly annotations?:
    | { readonly readOnlyHint?: boolean | undefined; readonly destructiveHint?: boolean | undefined }
    | undefined;
  readonly inputSchema?: JsonObject;
}

/** An argument that decides what a call does. */
export type Decider =
  /** what each of its values does; null is not known */
  | { readonly kind: 'choice'; readonly argument: string; readonly values: ReadonlyMap<string, Operation | null> }
  /** any text, whose verb says it */
  | { readonly kind: 'text'; readonly argument: string }
  /** `purge: true` deletes beside what the tool does anyway */
  | { readonly kind: 'switch'; readonly argument: string; readonly byDefault: boolean };

/** A guess: what the tool as such may do, and the arguments that say more of a call. */
export interface Inference {
  /** empty if there was nothing to go by */
  readonly possible: readonly Operation[];
  readonly reasons: readonly string[];
  /** what the name alone says: no argument makes a call milder than that */
  readonly floor: Operation | null;
  readonly deciders: readonly Decider[];
}

const DELETE = wordSet(
  'delete del remove rm rmdir unlink destroy purge erase wipe trash bin archive revoke drop truncate discard uninstall clear prune expunge terminate kill deprovision dispose empty flush reset deactivate ban blacklist evict obliterate nuke shred scrub annihilate cleanup clean detach unpublish invalidate rescind unregister deregister forget disconnect teardown void decommission expire pop rollback revert undo unset kick expel eject retire yank withdraw redact rem trim squash drain offboard deauthorize disassociate deallocate unbind unmount unshare dequeue recycle junk scrap zap sweep shutdown recall unsend retract takedown delist unlist nullify dissociate untag erasure',
);
/** Inside a longer word too: `bulkdelete`, `removeuser`. */
const DELETE_INSIDE = /delet|remov|destroy|purge|erase|teardown|terminat|revok|uninstall|truncat|unlink|wipeout/;
/** `deleted`, `removal`, `archives`, `purging`: a deed or a thing. */
const DELETE_FORMS =
  /^(delet|remov|destroy|purg|eras|wip|trash|archiv|revok|dropp|truncat|discard|clear|prun|terminat|kill|deactivat)(e[ds]?|ed|es|s|ing|al|als|ion|ions|er)$/;
const WRITE = wordSet(
  'overwrite email wire login logout checkin create add new insert make build generate write put post set update edit modify change patch upsert replace rename move copy duplicate clone import upload send reply forward publish share invite assign unassign merge approve reject accept close reopen open start stop pause resume cancel enable disable mute unmute mark save store submit sync push commit checkout rebase cherrypick tag label star unstar subscribe unsubscribe restore untrash unarchive undelete run trigger deploy apply append attach link unlinking schedule reschedule transition convert transfer grant register install configure init initialize fork lock unlock pin unpin react resolve unresolve draft book pay charge refund transact stage unstage stash pull rotate retry rerun dispatch emit record finish toggle increment click type press fill drag hover navigate promote demote watch unwatch join leave follow unfollow vote mint suspend block abort dismiss hide',
);
/** These only read, and make the verb after them a thing: `get_pull_request`. */
const READ_PURELY = wordSet('get list read fetch find search count view');
const READ = wordSet(
  'get list search read find fetch describe show lookup download verify preview inspect explain browse compare summarize summarise retrieve peek whoami calculate compute estimate suggest autocomplete',
);
/** Things as often as verbs: they read only where a name begins with them. */
const READ_AT_FIRST = wordSet(
  'view query count check validate scan status diff analyze analyse head stat stats history me info version ping help tail monitor trace test echo sum export blame tree',
);
/** Verbs that are as often things: after a reading word they are taken as such (`get_pull_request`, `list_check_run`). */
const THINGS = wordSet(
  'pull tag label star record draft link book charge post patch commit run release fork stash store new set open make type lock build share block email merge schedule start import deploy sync transfer refund edit upload trigger close',
);
/** These run whatever they are given: neither the name nor a choice tells what. */
const RUNS_ANYTHING = wordSet('execute exec eval invoke command shell sql script request api rest graphql raw cypher');
/** These do too, but after a reading word they are things. */
const RUNNERS = wordSet('bash cmd terminal powershell python javascript js applescript');
/** An argument of this name holds what is to be run. */
const RUN_ARGUMENTS = wordSet('sql statement cypher script command commands cmd exec shell javascript js python');
/** What such a tool is told is run as it stands: `query_database`, `apply_migration`. */
const ASKS_DATABASE = wordSet('database db sql postgres postgresql mysql mongo data bigquery snowflake');
const APPLIED = wordSet('migration migrations terraform manifest');
/** Before these words they are things: `get_request`, `list_api_keys`; `fetch_api` is none of them. */
const LOOKS_AT = wordSet('get list read search find count');
const NEVER_A_THING = wordSet('sql graphql cypher raw rest');
/** These do what an argument says, if one does. */
const DOES_AS_TOLD = wordSet('batch bulk manage handle process perform do method call operate');
/** Arguments whose value says what a call does, whatever it may be. */
const ACTIONS = wordSet('action actions method operation operations verb op');
/** Arguments whose choices say what a call does. */
const DECIDERS = wordSet('action actions method operation operations mode command verb op');
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
const NOT = wordSet('not never no cannot without nor don doesn won isn aren');

/**
 * A sentence that says so: `Deletes …`, `Gets … and removes it`, `… will delete`, `… is deleted`, `by deleting`; the first
 * may also be a command. What is denied before the verb doesn't count.
 */
function saysItDeletes(description: string): boolean {
  const sentences = description.slice(0, MAX_DESCRIPTION).split(/[.!?;:\n]+/);
  return sentences.some((sentence, index) => {
    const verbs = tokensOf(sentence);
    const first = verbs.findIndex((word) => isVerb(word) || isVerb(bareVerb(word)));
    return verbs.some((word, at) => {
      if (verbs.slice(Math.max(0, at - 8), at).some((before) => NOT.has(before))) return false;
      const before = verbs[at - 1] ?? '';
      if (before === 'will' || before === 'to') return before === 'will' && DELETE.has(word);
      if (DELETE_FORMS.test(word) && /ed$|en$/.test(word)) return isPassive(verbs, at);
      if (DELETE_FORMS.test(word) && word.endsWith('ing')) return before === 'by' || before === 'and';
      const leads = at === first || ['and', 'then', 'or'].includes(before);
      const bare = bareVerb(word);
      return leads && (bare !== word ? DELETE.has(bare) : index === 0 && at === first && DELETE.has(word));
    });
  });
}

/** `the page is permanently deleted`; not `pages that are deleted`, which only tells them apart. */
function isPassive(verbs: readonly string[], at: number): boolean {
  const auxiliary = verbs[at - 1]?.endsWith('ly') ? at - 2 : at - 1;
  return (
    ['is', 'are', 'be', 'gets', 'get'].includes(verbs[auxiliary] ?? '') &&
    !['that', 'which', 'who', 'if', 'when', 'whether'].includes(verbs[auxiliary - 1] ?? '')
  );
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
  const told = tokens.find((token) => DOES_AS_TOLD.has(token) && !LOOKS_AT.has(tokens[0]!));
  const readOnly = tool.annotations?.readOnlyHint;
  const nothing = { floor: null, deciders: [] };
  if (named.operation === 'Delete')
    return { possible: ['Delete'], reasons: named.reasons, floor: 'Delete', deciders: [] };
  if (runs !== undefined) return { possible: [], reasons: [`"${runs}" in its name: it may do anything`], ...nothing };
  const code = runArgumentOf(tool, tokens);
  if (code !== null) return { possible: [], reasons: [`its argument "${code}" may hold anything to run`], ...nothing };

  const { deciders, doubtful } = decidersOf(tool.inputSchema, named.operation);
  if (deciders.some(({ kind }) => kind !== 'switch') || (deciders.length > 0 && named.operation !== null)) {
    const floor = named.operation;
    const chooses = `its argument "${deciders.map(({ argument }) => argument).join('", "')}" chooses what it does`;
    const guess = { possible: [], reasons: [...named.reasons, chooses], floor, deciders };
    return { ...guess, possible: combined(guess, (decider) => meantBy(decider, undefined, true)) };
  }
  if (told !== undefined)
    return { possible: [], reasons: [`"${told}" in its name: it does as it is told`], ...nothing };
  const fixed = (operation: Operation, ...reasons: string[]): Inference => ({
    possible: [operation],
    reasons: [...named.reasons, ...reasons],
    floor: operation,
    deciders: [],
  });
  const applied = tokens.find((token) => token === 'query' || APPLIED.has(token));
  if (named.operation === 'Write' && applied !== undefined)
    return {
      possible: [],
      reasons: [`"${applied}" in its name beside a verb of writing: it may run anything`],
      ...nothing,
    };
  if (named.operation === 'Write') return fixed('Write');
  if (readOnly === true && !doubtful && deciders.length === 0)
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
  if (LOOKS_AT.has(tokens[0]!) && !NEVER_A_THING.has(token) && !['and', 'or', 'then'].includes(before ?? ''))
    return false;
  if (RUNNERS.has(token)) return true;
  return (
    RUNS_ANYTHING.has(token) ||
    (token === 'run' && tokens.some((each) => ['query', 'code', 'statement', 'cell'].includes(each)))
  );
}

/** An argument that is run, by its name; "code" is as often that of a country, and "query" what is searched for. */
function runArgumentOf({ description = '', inputSchema }: ToolDefinition, tokens: readonly string[]): string | null {
  const first = tokens[0] ?? '';
  const isCode = !READ_PURELY.has(first) && !WRITE.has(first);
  const isStatement =
    (first === 'query' && (tokens.length === 1 || tokens.some((token) => ASKS_DATABASE.has(token)))) ||
    /\b(SQL|Cypher|GraphQL)\b/i.test(description.slice(0, MAX_DESCRIPTION));
  const runs = ([name, property]: [string, JsonValue]) => {
    if (Array.isArray(objectOf(property)?.['enum'])) return false;
    const words = tokensOf(name);
    if (words.some((word) => RUN_ARGUMENTS.has(word)) || (words.includes('code') && words.length === 1 && isCode))
      return true;
    return isStatement && (words.includes('query') || name === 'q');
  };
  return Object.entries(objectOf(inputSchema?.['properties']) ?? {}).find(runs)?.[0] ?? null;
}

/** What one call does: the worst of what its deciding arguments say; unknown if any of them can't be known. */
export function inferCall(guess: Inference, args: JsonObject): readonly Operation[] {
  if (guess.deciders.length === 0) return guess.possible;
  return combined(guess, (decider) => {
    const given = readPath(args, decider.argument);
    return given.state === 'unreadable'
      ? [null]
      : meantBy(decider, given.state === 'value' ? given.value : undefined, false);
  });
}

/** With each decider's alternatives (an empty list adds nothing), every worst that there may be. */
function combined(
  { floor, deciders }: Pick<Inference, 'floor' | 'deciders'>,
  alternativesOf: (decider: Decider) => readonly (Operation | null)[],
): readonly Operation[] {
  let found: readonly (Operation | null)[] = floor === null ? [] : [floor];
  for (const decider of deciders) {
    const alternatives = alternativesOf(decider);
    if (alternatives.includes(null)) return [];
    const known = alternatives as readonly Operation[];
    if (found.length === 0) found = unique(known);
    else if (known.length > 0)
      found = unique(found.flatMap((each) => known.map((operation) => worst([each!, operation]))));
  }
  return found as readonly Operation[];
}

/** What a value may mean, where null is not known; left out, or asked of the tool as such, it may be any. */
function meantBy(decider: Decider, value: JsonValue | undefined, asSuch: boolean): readonly (Operation | null)[] {
  switch (decider.kind) {
    case 'choice':
      if (value === undefined) return unique([...decider.values.values()]);
      return [typeof value === 'string' ? (decider.values.get(value) ?? null) : null];
    case 'text':
      return [typeof value === 'string' ? saidBy(value) : null];
    case 'switch':
      if (asSuch) return ['Read', 'Delete'];
      if (value === undefined || value === null) return decider.byDefault ? ['Delete'] : [];
      return value === false || (Array.isArray(value) && value.length === 0) ? [] : ['Delete'];
  }
}

/** Longer than any name of a deed. */
const MAX_CHOICE = 200;

function saidBy(value: string): Operation | null {
  if (value.length > MAX_CHOICE) return null;
  const { operation, doubtful } = operationOf(tokensOf(value));
  return doubtful ? null : operation;
}

export interface Named {
  readonly operation: Operation | null;
  readonly reasons: readonly string[];
  /** a word of deleting stands where it may be a thing */
  readonly doubtful: boolean;
}

/** `acme_get_order` is told by what stands after whose it is. */
function withoutPrefix(tokens: readonly string[]): readonly string[] {
  const first = tokens.slice(0, 4).findIndex(isVerb);
  return first > 0 && READ_PURELY.has(tokens[first]!) ? tokens.slice(first) : tokens;
}

/** The worst verb of a name. */
export function operationOf(name: readonly string[]): Named {
  const tokens = withoutPrefix(name);
  const reads = tokens[0] !== undefined && READ_PURELY.has(tokens[0]);
  const reading = READ.has(tokens[0] ?? '') || READ_AT_FIRST.has(tokens[0] ?? '');
  const forced = tokens.includes('force');
  let best: Operation | null = null;
  let by = '';
  let doubtful = false;
  tokens.forEach((token, index) => {
    let operation: Operation | null = null;
    const exception = NOT_DELETE.get(token);
    const after = tokens[index - 1] ?? '';
    const isThing = reads && index > 0 && !['and', 'or', 'then'].includes(after);
    if (exception !== undefined) operation = exception;
    else if (DELETE.has(token) || DELETE_FORMS.test(token) || DELETE_INSIDE.test(token)) {
      // `list_deleted_items`, `get_trash` and `query_deletion` may well read; `mark_as_deleted` and `status_reset` do not.
      if (isThing || (index > 0 && reading && !DELETE.has(token))) doubtful = true;
      else operation = 'Delete';
    } else if (WRITE.has(token)) {
      if (!(isThing && THINGS.has(token))) operation = forced ? 'Delete' : 'Write';
    } else if (READ.has(token) || (index === 0 && READ_AT_FIRST.has(token))) operation = 'Read';
    if (operation !== null && worst(best === null ? [operation] : [best, operation]) !== best) {
      best = operation;
      by = token;
    }
  });
  // `check_out`, `get_rid_of`, `get_and_email`: another verb than it seems, or a second one that we don't know.
  if (
    reading &&
    (ELSEWHERE.has(tokens[1] ?? '') ||
      tokens.some((token, index) => (token === 'and' || token === 'then') && !isVerb(tokens[index + 1] ?? '')))
  )
    doubtful = true;
  return { operation: best, reasons: best === null ? [] : [`"${by}" in its name`], doubtful };
}

const ELSEWHERE = wordSet('out rid off away over up down in');

/** Whether a word by itself says that something is taken away. */
export function isDeletingVerb(token: string): boolean {
  return DELETE.has(token);
}

function isVerb(token: string): boolean {
  return DELETE.has(token) || WRITE.has(token) || READ.has(token) || READ_AT_FIRST.has(token);
}

/** The arguments that decide; `doubtful` if another has choices that nobody knows. */
function decidersOf(
  schema: JsonObject | undefined,
  named: Operation | null,
): { deciders: Decider[]; doubtful: boolean } {
  const deciders: Decider[] = [];
  const budget = { left: MAX_SCHEMA_NODES };
  let doubtful = false;
  for (const [argument, property] of Object.entries(objectOf(schema?.['properties']) ?? {})) {
    const tokens = tokensOf(argument);
    const described = objectOf(property);
    const types = typesOf(described);
    if (types.has('boolean') || (types.has('array') && isDeletingVerb(tokens[0] ?? ''))) {
      // `include_deleted` of a reading tool is a filter; of one that writes, `archived` is what becomes of a thing.
      const deletes =
        isDeletingVerb(tokens[0] ?? '') ||
        (named === 'Write' &&
          tokens.some((word) => word === 'force' || isDeletingVerb(word) || DELETE_FORMS.test(word)));
      if (deletes) deciders.push({ kind: 'switch', argument, byDefault: described?.['default'] === true });
      continue;
    }
    const decides = tokens.some((token) => DECIDERS.has(token));
    if (!decides && named === 'Read' && !tokens.includes('type')) continue;
    const isAction = ACTIONS.has(tokens.at(-1) ?? '');
    const choices = choicesOf(property, schema!, budget);
    const values = new Map(choices.map((choice) => [choice, saidBy(choice)] as const));
    const meanings = [...values.values()];
    if (!decides) {
      // Whatever it is called: a state that is "deleted" is one that a writing tool sets.
      if (!meanings.includes('Delete') || (named === 'Read' && !choices.every((choice) => HTTP.test(choice)))) continue;
      for (const [choice, operation] of values) values.set(choice, operation === 'Delete' ? operation : 'Read');
      deciders.push({ kind: 'choice', argument, values });
    } else if (choices.length === 0 || budget.left === 0) {
      if ((isAction && types.has('string')) || budget.left === 0) deciders.push({ kind: 'text', argument });
    } else if (meanings.some((each) => each === 'Write' || each === 'Delete') || (isAction && meanings.includes(null)))
      deciders.push({ kind: 'choice', argument, values });
    else if (meanings.includes(null) && meanings.some((each) => each !== null)) doubtful = true;
  }
  return { deciders, doubtful };
}

const HTTP = /^(get|head|options|post|put|patch|delete)$/i;

/** The types that a property may have, as schemas of several languages write them. */
function typesOf(described: JsonObject | null): ReadonlySet<JsonValue> {
  const inner = ['anyOf', 'oneOf'].flatMap((key) => listOf(described?.[key]).map((each) => objectOf(each)?.['type']));
  const own = described?.['type'];
  return new Set([...(Array.isArray(own) ? own : [own]), ...inner].filter((type) => type !== undefined) as JsonValue[]);
}

/** Larger schemas than any honest one; what is left out of one makes a choice unknown, never a Read. */
const MAX_SCHEMA_NODES = 2000;

/** The texts that a property may be, however its schema says so. */
function choicesOf(property: JsonValue | undefined, root: JsonObject, budget: { left: number }): string[] {
  const found: string[] = [];
  const waiting: (JsonValue | undefined)[] = [property];
  const seen = new Set<JsonObject>();
  while (waiting.length > 0 && budget.left > 0) {
    budget.left--;
    const schema = objectOf(waiting.pop());
    if (schema === null || seen.has(schema)) continue;
    seen.add(schema);
    for (const value of [...listOf(schema['enum']), schema['const']]) if (typeof value === 'string') found.push(value);
    for (const key of ['anyOf', 'oneOf', 'allOf']) waiting.push(...listOf(schema[key]).slice(0, MAX_SCHEMA_NODES));
    waiting.push(schema['items'], referred(schema['$ref'], root));
  }
  return found;
}

function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
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
    .replace(/(?<=[A-Z])(?=[A-Z][a-z])/g, ' ')
    .toLowerCase()
    .split(/[^\p{L}]+/u)
    .filter((token) => token !== '');
}
