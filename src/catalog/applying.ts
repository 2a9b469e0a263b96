/** What the catalog's rules for a tool make of one call, whichever door it comes through. Pure. */
import type { Argument, JsonValue } from '../call.ts';
import { type ArgumentKind, isDestructiveRefspec, isPlainRef, isUrlPart, mayBeOption } from './arguments.ts';
import type { Integration } from './load.ts';
import { lowered, type Outcome, raised, raisedTo, selected, stated, toolOf } from './outcome.ts';
import { requested } from './requests.ts';
import type { CatalogTool, Lower, Raise, Request, Select, Statement } from './schema.ts';

/** What a server's or a command's entry says of a tool, with what the tool says itself. */
export interface ToolRules {
  readonly integration: Integration;
  /** null where an argument chooses the tool */
  readonly base: NonNullable<ReturnType<typeof toolOf>> | null;
  readonly select: Select | undefined;
  readonly raise: readonly Raise[];
  readonly lower: readonly Lower[];
  readonly request: Request | undefined;
  readonly statements: readonly Statement[];
  /** every tool that a call may be */
  readonly tools: readonly CatalogTool[];
  /** no argument changes what it does */
  readonly fixed: boolean;
}

/** What an entry may say. */
type Entry = Partial<Pick<CatalogTool, 'select' | 'raise' | 'lower' | 'request' | 'statement'>> & {
  readonly tool?: string | undefined;
};

export function rulesOfTool(integration: Integration, entry: Entry): ToolRules {
  const base = entry.tool === undefined ? null : toolOf(integration, entry.tool);
  const select = entry.select ?? base?.tool.select;
  const raise = [...(entry.raise ?? []), ...(base?.tool.raise ?? [])];
  const lower = [...(entry.lower ?? []), ...(base?.tool.lower ?? [])];
  const request = entry.request ?? base?.tool.request;
  const statements = [entry.statement, base?.tool.statement].filter((each) => each !== undefined);
  const selectable = Object.values(select?.values ?? {}).flatMap((id) => integration.tools.get(id)?.tool ?? []);
  const tools = [...(base === null ? [] : [base.tool]), ...selectable];
  const fixed =
    select === undefined &&
    request === undefined &&
    raise.length + lower.length + statements.length === 0 &&
    tools.every((tool) => (tool.refspecs ?? tool.refs ?? tool.revisions ?? tool.url_parts) === undefined);
  return { integration, base, select, raise, lower, request, statements, tools, fixed };
}

/** The arguments of one call. */
export interface CallArguments {
  /** by canonical name, as policies see them */
  readonly read: (canonical: string) => Argument;
  /** by canonical name, as they were given */
  readonly given: (canonical: string) => readonly JsonValue[];
  /** by the server's own name */
  readonly own: (name: string) => Argument;
  /** whether what it says may make the call milder */
  readonly mayLower: (canonical: string) => boolean;
}

/** `args` null asks about the tool as such. */
export function outcomeOf(rules: ToolRules, args: CallArguments | null, place: string): Outcome {
  const { integration, base, select, raise, lower, request, statements, tools } = rules;
  const read = args?.read ?? null;
  let state: Outcome =
    base === null
      ? { tools: [], possible: [], operation: null, reasons: [place] }
      : { tools: [base.name], possible: [base.tool.operation], operation: base.tool.operation, reasons: [place] };
  if (select !== undefined) state = selected(state, select, integration, read);
  if (request !== undefined) state = requested(state, request, integration, args?.own ?? null);
  // The rules of every tool that this call may be count; only what all of them share may lower.
  const named = state.tools.flatMap(({ id }) => (id === base?.name.id ? [] : (integration.tools.get(id)?.tool ?? [])));
  for (const rule of [...raise, ...named.flatMap((tool) => tool.raise ?? [])]) state = raised(state, rule, read);
  for (const rule of statements) state = stated(state, rule, read);
  for (const { key, isFine, fault } of DOUBTFUL) {
    for (const canonical of tools.flatMap((tool) => tool[key] ?? [])) {
      const found = read?.(canonical) ?? { state: 'missing' as const };
      const values = found.state !== 'value' ? [] : Array.isArray(found.value) ? found.value : [found.value];
      if (found.state === 'unreadable' || !values.every((value) => value === null || isFine(value)))
        state = raisedTo(state, 'Delete', `"${canonical}" ${fault}`);
    }
  }
  for (const canonical of tools.flatMap((tool) => tool.refspecs ?? []))
    if (args?.given(canonical).some(isDestructiveRefspec))
      state = raisedTo(state, 'Delete', `"${canonical}" forces or deletes`);
  for (const rule of [...lower, ...(named.length === 1 ? (named[0]!.lower ?? []) : [])])
    if (args === null || args.mayLower(rule.argument)) state = lowered(state, rule, read);
  return state;
}

/** What makes a call a Delete unless its values are plain. */
const DOUBTFUL: readonly {
  readonly key: 'refs' | 'revisions' | 'url_parts';
  readonly isFine: (value: JsonValue) => boolean;
  readonly fault: string;
}[] = [
  { key: 'refs', isFine: isPlainRef, fault: 'is a path, a pattern or an option' },
  { key: 'revisions', isFine: (value) => !mayBeOption(value), fault: 'may be an option' },
  { key: 'url_parts', isFine: isUrlPart, fault: 'may lead to another address' },
];

/** How each canonical argument of these tools is read. */
export function kindsOf(
  tools: readonly CatalogTool[],
  encoded: readonly string[] = [],
): (canonical: string) => ArgumentKind | null {
  const kinds = new Map<string, ArgumentKind>(encoded.map((name) => [name, 'encoded']));
  for (const { paths = [], refspecs = [], addresses = [], lists = [] } of tools) {
    for (const name of paths) kinds.set(name, 'path');
    for (const name of refspecs) kinds.set(name, 'refspec');
    for (const name of addresses) kinds.set(name, 'addresses');
    for (const name of lists) kinds.set(name, 'list');
  }
  return (canonical) => kinds.get(canonical) ?? null;
}
