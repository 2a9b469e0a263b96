/**
 * Judges a tool that no catalog knows, by its name's verbs, its argument choices and its annotations. It errs upward:
 * a claim by the upstream may raise, never lower, and a name without a verb we know stays unknown.
 */
import { type JsonObject, type Operation, worst } from '../call.ts';

/** A tool as its upstream describes it. */
export interface ToolDefinition {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly annotations?: { readonly readOnlyHint?: boolean; readonly destructiveHint?: boolean };
  readonly inputSchema?: JsonObject;
}

/** A guess: what it may do, and, if an argument decides, which one and how. */
export interface Inference {
  /** empty if there was nothing to go by */
  readonly possible: readonly Operation[];
  readonly reasons: readonly string[];
  readonly select: { readonly argument: string; readonly values: ReadonlyMap<string, Operation | null> } | null;
}

const DELETE = words(
  'delete del remove rm rmdir unlink destroy purge erase wipe trash bin archive revoke drop truncate discard uninstall clear prune expunge terminate kill deprovision dispose empty flush reset deactivate ban blacklist evict obliterate nuke shred scrub annihilate cleanup clean detach unpublish invalidate rescind unregister deregister forget disconnect',
);
const WRITE = words(
  'create add new insert make build generate write put post set update edit modify change patch upsert replace rename move copy duplicate clone import upload send reply forward publish share invite assign unassign merge approve reject accept close reopen open start stop pause resume cancel enable disable mute unmute mark save store submit sync push commit checkout rebase cherrypick tag label star unstar subscribe unsubscribe restore untrash unarchive undelete run trigger deploy apply append attach link unlinking schedule reschedule transition convert transfer grant register install configure init initialize fork lock unlock pin unpin react resolve unresolve draft book pay charge refund transact stage unstage stash pull rotate retry rerun dispatch emit log record complete finish toggle increment click type press fill drag hover navigate upload promote demote watch unwatch join leave follow unfollow vote',
);
const READ = words(
  'get list search read find fetch describe show view query count lookup download check validate verify preview inspect explain browse scan status diff compare summarize summarise analyze analyse retrieve load peek head stat stats history whoami me info version ping help tail monitor trace test echo calculate compute sum estimate suggest autocomplete complete resolveid export blame log tree',
);
/** These run whatever their arguments say: no name tells what they do. */
const OPAQUE = words(
  'execute exec eval invoke call command shell sql script request api rest graphql raw batch bulk manage handle process perform do method',
);
/** Arguments whose choices say what a call does. */
const DECIDERS = words('action method operation mode command verb type op task');
const EXCEPTIONS: readonly (readonly [string, Operation])[] = [
  ['unarchive', 'Write'],
  ['untrash', 'Write'],
  ['undelete', 'Write'],
];

/** Infers from the definition alone; pure. */
export function infer(tool: ToolDefinition): Inference {
  const reasons: string[] = [];
  const tokens = tokensOf(tool.name);
  const named = operationOf(tokens, reasons, `its name`);
  const opaque = tokens.find((token) => OPAQUE.has(token));
  const decider = decidingArgument(tool.inputSchema);
  const choices = decider === null ? [] : [...decider.values.values()];
  const changingChoice = choices.some((operation) => operation === 'Write' || operation === 'Delete');
  const readOnly = tool.annotations?.readOnlyHint;

  if (decider !== null && changingChoice && named !== 'Delete') {
    reasons.push(`its argument "${decider.argument}" chooses what it does`);
    const floor = named === 'Write' ? 'Write' : null;
    const values = new Map(
      [...decider.values].map(([value, operation]) => [
        value,
        floor === null || operation === null ? operation : worst([floor, operation]),
      ]),
    );
    const possible = [...new Set([...values.values()].filter((operation) => operation !== null))];
    return { possible, reasons, select: { argument: decider.argument, values } };
  }
  if (named === 'Delete') return { possible: ['Delete'], reasons, select: null };
  if (opaque !== undefined) {
    reasons.push(`"${opaque}" in its name: it may do anything`);
    return { possible: [], reasons, select: null };
  }
  if (named === 'Write') return { possible: ['Write'], reasons, select: null };
  if (readOnly === true) {
    reasons.push('it says that it only reads, and nothing in its name or choices speaks against that');
    return { possible: ['Read'], reasons, select: null };
  }
  if (readOnly === false && named === 'Read') {
    reasons.push('it says that it does not only read');
    return { possible: ['Write'], reasons, select: null };
  }
  if (named === 'Read' && tool.annotations?.destructiveHint !== true)
    return { possible: ['Read'], reasons, select: null };
  if (named === 'Read') {
    reasons.push('it says that it is destructive');
    return { possible: ['Write'], reasons, select: null };
  }
  if (reasons.length === 0) reasons.push('nothing in its name says what it does');
  return { possible: [], reasons, select: null };
}

/** The worst verb anywhere in the tokens; null if there is none. */
function operationOf(tokens: readonly string[], reasons: string[], where: string): Operation | null {
  let best: Operation | null = null;
  let by = '';
  tokens.forEach((token, index) => {
    const operation = verbOperation(token, index, tokens);
    if (operation !== null && worst(best === null ? [operation] : [best, operation]) !== best) {
      best = operation;
      by = token;
    }
  });
  if (best !== null) reasons.push(`"${by}" in ${where}`);
  return best;
}

function verbOperation(token: string, index: number, tokens: readonly string[]): Operation | null {
  const exception = EXCEPTIONS.find(([word]) => word === token);
  if (exception !== undefined) return exception[1];
  // A participle or plural noun names a thing, not a deed: `list_deleted_items`, `get_comments`, `search_archived`.
  if (DELETE.has(token)) return 'Delete';
  const stem =
    DELETE.has(token.replace(/(s|es|d|ed)$/, '')) ||
    DELETE.has(token.replace(/ing$/, '')) ||
    DELETE.has(token.replace(/ing$/, 'e'));
  if (stem && index === 0) return 'Delete';
  // Nouns that are spelt like verbs (`get_pull_request`, `list_tags`, `read_log`) count only where a verb stands: first.
  const verbStands =
    index === 0 ||
    tokens[index - 1] === 'and' ||
    tokens[index - 1] === 'or' ||
    !tokens.slice(0, index).some((before) => READ.has(before));
  if (verbStands && WRITE.has(token) && !(READ.has(token) && index === 0 && tokens.length > 1)) return 'Write';
  return READ.has(token) ? 'Read' : null;
}

function decidingArgument(
  schema: JsonObject | undefined,
): { argument: string; values: Map<string, Operation | null> } | null {
  const properties = schema?.['properties'];
  if (properties === null || typeof properties !== 'object' || Array.isArray(properties)) return null;
  for (const [argument, property] of Object.entries(properties as JsonObject)) {
    if (!tokensOf(argument).some((token) => DECIDERS.has(token))) continue;
    const choices =
      property !== null && typeof property === 'object' && !Array.isArray(property)
        ? (property as JsonObject)['enum']
        : undefined;
    if (!Array.isArray(choices)) continue;
    const values = new Map(
      choices
        .filter((item): item is string => typeof item === 'string')
        .map((item) => [item, operationOf(tokensOf(item), [], '')] as const),
    );
    if ([...values.values()].some((operation) => operation !== null)) return { argument, values };
  }
  return null;
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
