/**
 * The words of the house: what an agent asks, what it means, and what was decided.
 * Every value here is read-only; each step of `flow.ts` hands on a new and richer one.
 */

/** What a tool does to the world, from harmless to irreversible (docs/catalog.md says how each is judged). */
export type Operation = 'Read' | 'Write' | 'Delete';
export const OPERATIONS: readonly Operation[] = ['Read', 'Write', 'Delete'];

/** The door a call came through: an MCP request, or a command that an agent runs in a shell. */
export type Door = 'mcp' | 'cli';
export const DOORS: readonly Door[] = ['mcp', 'cli'];

/** What the owner has said of an agent or a tool. Nothing said is `Unreviewed`. */
export type ReviewStatus = 'Allowed' | 'Disallowed' | 'Unreviewed';
export const REVIEW_STATUSES: readonly ReviewStatus[] = ['Allowed', 'Disallowed', 'Unreviewed'];

/** How surely we know who asks: only a claim, a key minted by `toolgate agents register`, or an HTTP token. */
export type IdentityStrength = 'claimed' | 'registered' | 'token';
export const IDENTITY_STRENGTHS: readonly IdentityStrength[] = ['claimed', 'registered', 'token'];

/** A condition's answer. `cant tell` is neither: the value could not be known, so strictness decides. */
export type Answer = 'yes' | 'no' | 'cant tell';

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export type JsonObject = { readonly [key: string]: JsonValue };

/** Who asks. All of `id`, `name`, `aliases` and `claims` match a policy's `agent`. */
export interface Agent {
  readonly id: string;
  readonly name: string;
  /** other names of the same agent, as sure as its name */
  readonly aliases: readonly string[];
  /** names that are only claimed, whatever the strength of the name: they may restrict, never loosen */
  readonly claims: readonly string[];
  readonly strength: IdentityStrength;
  readonly status: ReviewStatus;
  /** Where the name came from, for the inventory: `clientInfo`, `--agent`, `key`. */
  readonly knownBy: string;
}

/** A canonical tool of an integration, as the catalog names it. */
export interface ToolName {
  /** canonical id, such as `delete_issue` */
  readonly id: string;
  /** as a person would say it, such as `Delete issue` */
  readonly title: string;
}

/** An integration that a call belongs to. */
export interface CallIntegration {
  /** such as `github` */
  readonly id: string;
  readonly title: string;
  /** the owner's own word for it, not the upstream's: only that may loosen */
  readonly sure: boolean;
}

/** Who said what a tool does: the owner's catalog, ours, a guess from its name and schema, or nobody. */
export type ClassSource = 'owner' | 'catalog' | 'inferred' | 'unknown';

/** One argument as judging sees it. `unreadable` covers a key that folds onto another and a number that doesn't round-trip. */
export type Argument =
  /** `relative`: a path that stands below a folder we don't know */
  | { readonly state: 'value'; readonly value: JsonValue; readonly relative?: true }
  | { readonly state: 'missing' }
  | { readonly state: 'unreadable'; readonly why: string };

/** What a call is, whatever its arguments. */
export interface Deed {
  readonly via: Door;
  /** whose tool it is, the likeliest first; the rest are what it may be too */
  readonly integrations: readonly CallIntegration[];
  /** the owner's key for the server; `null` at the shell door */
  readonly server: string | null;
  /** the name the agent called, as the upstream knows it: `create_issue`, `git push` */
  readonly calledName: string;
  /** the tools this call may be; several only while an argument that chooses between them can't be read */
  readonly tools: readonly ToolName[];
  /** what this call may do; empty if nobody knows. More than one only while a deciding argument can't be read */
  readonly possible: readonly Operation[];
  readonly toolStatus: ReviewStatus;
}

/** What a session was allowed to do before. */
export interface EarlierDeed extends Deed {
  /** it may run, and doesn't yet: that may restrict, never loosen */
  readonly pending: boolean;
}

/** What a request means. One MCP request is one call; a shell line may be several. */
export interface Call extends Deed {
  /** the worst of `possible`, or null if unknown: what is shown and recorded */
  readonly operation: Operation | null;
  readonly source: ClassSource;
  /** why it was classified so, one short sentence each */
  readonly reasons: readonly string[];
  /** sha-256 of the tool's whole definition; null where there is none */
  readonly definitionHash: string | null;
  /** the arguments as they will be forwarded */
  readonly rawArguments: JsonObject;
  /** looks one argument up by its canonical name, dotted paths included */
  readonly argument: (path: string) => Argument;
  /** what its server calls an argument of that canonical name */
  readonly namesOf: (canonical: string) => readonly string[];
}

/** For whom and where an agent works. One value for as long as none of it changes. */
export interface Surroundings {
  /** the connection, or the agent's own session */
  readonly session: string;
  /** the user of the operating system; null if unknown */
  readonly user: string | null;
  /** the folders that it works in; empty if unknown */
  readonly workspaces: readonly Workspace[];
  /** IANA name of the zone that this computer is set to; asked for only where a policy needs it, since looking costs */
  readonly zone: () => string;
}

export interface Workspace {
  /** the folder in every way it may be written: absolute, and from `~` */
  readonly spellings: readonly string[];
  /** seen by us; else the client says so, which may restrict, never loosen */
  readonly sure: boolean;
}

/** What pure judging needs from outside, as values. */
export interface Gathered {
  /** milliseconds since the epoch */
  readonly now: number;
  readonly surroundings: Surroundings;
  /** what this session was allowed to do before, each deed once; null if nobody can tell */
  readonly earlier: readonly EarlierDeed[] | null;
  /** how many other calls each counter holds; of a counter that isn't in it nobody can tell */
  readonly counts: ReadonlyMap<string, number>;
}

/** Counts the calls of a window of time that ends now. */
export interface Counter {
  readonly key: string;
  /** how many are too many; no more than one beyond it needs to be counted */
  readonly over: number;
  /** milliseconds */
  readonly within: number;
}

/** All that a policy can look at. */
export interface Facts {
  readonly agent: Agent;
  readonly call: Call;
  readonly gathered: Gathered;
}

/** What the policies lead to, mildest last. */
export type Effect = 'block' | 'require approval' | 'allow';

/** What one policy asks for. */
export type Action = 'block' | 'require approval' | 'alert' | 'allow';
export const ACTIONS: readonly Action[] = ['block', 'require approval', 'alert', 'allow'];

/** Whether a policy acts, or only says what it would have done. */
export type Mode = 'enforce' | 'monitor';
export const MODES: readonly Mode[] = ['enforce', 'monitor'];

/** One policy, or one of the file's defaults, that applies to a call. */
export interface Reason {
  /** the policy's name, or `(default: …)` */
  readonly policy: string;
  readonly action: Action;
  readonly mode: Mode;
  /** `policies.yaml:12`, or null for a default that the file doesn't write */
  readonly place: string | null;
  /** `cant tell` where the policy applies only because something could not be known */
  readonly answer: Exclude<Answer, 'no'>;
  /** what the owner wants the agent to be told */
  readonly message: string | null;
}

/** Kinds and fields to take out; every policy that applies adds its own. */
export interface Redaction {
  readonly result: readonly string[];
  readonly args: readonly string[];
}

/** An alert that a policy raises; delivery is the desk's affair. */
export interface AlertRaised {
  readonly policy: string;
  readonly severity: 'low' | 'medium' | 'high';
  /** which of the channels that are set up; null for all */
  readonly channels: readonly AlertChannel[] | null;
  /** of a request with several calls the one that it is raised for, by its place among them; absent for the only one */
  readonly call?: number;
}

/** Where people hear of something. */
export type AlertChannel = 'slack' | 'desktop';
export const ALERT_CHANNELS: readonly AlertChannel[] = ['slack', 'desktop'];

/** What a designated reviewer must do before the call runs: one requirement per approval policy. */
export interface Requirement {
  readonly policy: string;
  readonly reviewers: readonly string[];
  readonly approvals: number;
  readonly timeoutMs: number;
  readonly runWithinMs: number;
  readonly reasonRequired: boolean;
  /** what a yes may count for beside this call, if the reviewer wants; null: for nothing */
  readonly remember: Remember | null;
}

/** How long an approval may stand for calls like the one that was shown. */
export type Remember =
  /** this session, exactly this request */
  | { readonly kind: 'call' }
  | { readonly kind: 'for'; readonly ms: number }
  | { readonly kind: 'session' }
  /** until somebody sets the review status of the tool or the agent */
  | { readonly kind: 'until reviewed' };

/** The outcome of judging: strictest wins, with everything that led there. */
export interface Decision {
  readonly effect: Effect;
  /** what it would have been had `monitor` policies acted; null if the same */
  readonly would: Effect | null;
  /** the reason that decided */
  readonly deciding: Reason;
  /** every policy that applies, deciding one included, in file order */
  readonly reasons: readonly Reason[];
  readonly alerts: readonly AlertRaised[];
  /** what is taken out: of the result, and of the arguments in records and notices (`mask.ts`) */
  readonly redact: Redaction;
  readonly requirements: readonly Requirement[];
  /** of a request with several calls the one that it is about above all, by its place among them; absent for the only one */
  readonly leading?: number;
}

/** The call that a decision is about above all; undefined only where there is none. */
export function leadingCall(calls: readonly Call[], { leading = 0 }: Pick<Decision, 'leading'>): Call | undefined {
  return calls[leading];
}

const RANK: Record<Operation, number> = { Read: 0, Write: 1, Delete: 2 };

/** The worst of some operations; null for none. */
export function worst(operations: readonly Operation[]): Operation | null {
  let result: Operation | null = null;
  for (const operation of operations) {
    if (result === null || RANK[operation] > RANK[result]) result = operation;
  }
  return result;
}

/** A call that ran, as what its session did before. */
export function doneDeed(call: Call): EarlierDeed {
  return { ...deedOf(call), pending: false };
}

/** A call without its arguments. */
export function deedOf({ via, integrations, server, calledName, tools, possible, toolStatus }: Call): Deed {
  return { via, integrations, server, calledName, tools, possible, toolStatus };
}

/** Whether no condition can tell two deeds apart. */
export function isSameDeed(a: Deed, b: Deed): boolean {
  return (
    a.calledName === b.calledName &&
    a.server === b.server &&
    a.via === b.via &&
    a.toolStatus === b.toolStatus &&
    areSame(a.possible, b.possible, (one, other) => one === other) &&
    areSame(a.tools, b.tools, (one, other) => one.id === other.id && one.title === other.title) &&
    areSame(
      a.integrations,
      b.integrations,
      (one, other) => one.id === other.id && one.title === other.title && one.sure === other.sure,
    )
  );
}

function areSame<T>(a: readonly T[], b: readonly T[], isSame: (one: T, other: T) => boolean): boolean {
  return a === b || (a.length === b.length && a.every((each, index) => isSame(each, b[index]!)));
}

/** Texts are compared after this: NFKC, lower case. */
export function foldText(text: string): string {
  // One argument is held against many patterns, one after the other.
  if (text === lastText) return lastFolded;
  const folded = foldAnew(text);
  if (text.length > MAX_KEPT) return folded;
  lastText = text;
  lastFolded = folded;
  return folded;
}

/** Longer ones are not kept in memory for it. */
const MAX_KEPT = 1000;
let lastText = '';
let lastFolded = '';

/** Plain ASCII needs no normalising, which is most of the cost. */
function foldAnew(text: string): string {
  return /^[\0-\x7f]*$/.test(text) ? text.toLowerCase() : text.normalize('NFKC').toLowerCase();
}

/** Names are compared after this: as texts, and without space, `_` and `-`. */
export function foldName(name: string): string {
  return foldText(name).replace(/[\s_-]+/gu, '');
}

/** A block of keys: neither a list nor nothing. */
export function isObject(value: unknown): value is JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** Values that upstreams take for missing: null, an empty text, an empty list. */
export function isEmpty(value: JsonValue): boolean {
  if (typeof value === 'string') return value.trim() === '';
  return value === null || (Array.isArray(value) && value.length === 0);
}

/** What a part of a shell line is called that can't be told. */
export const UNRESOLVED_COMMAND = 'unresolved command';
