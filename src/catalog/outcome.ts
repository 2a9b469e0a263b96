/** How arguments decide what a call does: each rule of the catalog turns one outcome into a next one. Pure. */
import {
  type Argument,
  foldName,
  isObject,
  type JsonValue,
  OPERATIONS,
  type Operation,
  type ToolName,
  worst,
} from '../call.ts';
import { compileGlob } from '../glob.ts';
import { isJsonText } from './arguments.ts';
import { unique } from './lists.ts';
import type { Integration } from './load.ts';
import type { CatalogTool, Lower, Raise, Select, Statement } from './schema.ts';
import { readStatement } from './statements.ts';

/** What a call was found to be, while its arguments are being read. */
export interface Outcome {
  readonly tools: readonly ToolName[];
  readonly possible: readonly Operation[];
  readonly operation: Operation | null;
  readonly reasons: readonly string[];
}

/** A canonical tool of an integration, with who wrote it. */
export function toolOf(
  integration: Integration,
  id: string,
): { name: ToolName; tool: CatalogTool; origin: 'owner' | 'catalog' } | null {
  const found = integration.tools.get(id);
  return found === undefined ? null : { name: { id, title: found.tool.title }, ...found };
}

/** Absent, unknown or unreadable: it may be any of the map, and the worst of it is what is shown. */
export function selected(
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
  // Several deeds in one call stand beside each other: a policy on any of them applies, and the worst is shown.
  const named = outcomes.flatMap(({ tool }) => (tool === null ? [] : [tool]));
  const tools = named.length > 0 ? named : state.tools;
  const reason = known
    ? `"${select.argument}" is ${keys.map((key) => JSON.stringify(key)).join(', ')}`
    : `"${select.argument}" decides and ${why(found)}: taken as the worst`;
  return { tools, possible, operation: worst(possible), reasons: [...state.reasons, reason] };
}

/** The values of each `select`, folded, worked out once. */
const MEANINGS = new WeakMap<Select, ReadonlyMap<string, string>>();

function meaningOf(select: Select, key: JsonValue): string | undefined {
  if (typeof key !== 'string' && typeof key !== 'number' && typeof key !== 'boolean') return undefined;
  let meanings = MEANINGS.get(select);
  if (meanings === undefined) {
    // Of two values that are spelt alike, the first counts.
    meanings = new Map(
      Object.entries(select.values)
        .reverse()
        .map(([value, meaning]) => [foldName(value), meaning]),
    );
    MEANINGS.set(select, meanings);
  }
  return meanings.get(foldName(String(key)));
}

/** Absent or false: as it is. Unreadable: either. Else raised. */
export function raised(state: Outcome, rule: Raise, read: ((name: string) => Argument) | null): Outcome {
  if (read === null) return state;
  const given = read(rule.argument);
  if (given.state === 'missing') return state;
  const found: Argument =
    given.state === 'value' && (rule.is !== undefined || rule.holds_null === true) && isJsonText(given.value)
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
  if (rule.holds_null === true) {
    const holds = values.some((value) => isObject(value) && Object.values(value).includes(null));
    return holds ? raisedTo(state, to, `"${rule.argument}" takes something away`) : state;
  }
  const texts = rule.like ?? rule.unlike;
  if (texts !== undefined) {
    const patterns = texts.map((pattern) => compileGlob(pattern));
    const isLike = rule.like !== undefined;
    const fits = values.some(
      (value) => typeof value !== 'string' || patterns.some((matches) => matches(value)) === isLike,
    );
    return fits ? raisedTo(state, to, `"${rule.argument}" makes it a ${to}`) : state;
  }
  const wanted = rule.is?.map(foldName);
  const hit = values.some((value) =>
    wanted === undefined
      ? value !== false && value !== null
      : typeof value !== 'object'
        ? wanted.includes(foldName(String(value)))
        : value !== null,
  );
  return hit ? raisedTo(state, to, `"${rule.argument}" makes it a ${to}`) : state;
}

export function raisedTo(state: Outcome, to: Operation, reason: string): Outcome {
  const possible = unique(
    state.possible.length === 0 ? [to] : state.possible.map((operation) => worst([operation, to])!),
  );
  return { ...state, possible, operation: worst(possible), reasons: [...state.reasons, reason] };
}

/** At least what the tool does anyway; more, if its statement does more. One that can't be read may do anything. */
export function stated(state: Outcome, rule: Statement, read: ((name: string) => Argument) | null): Outcome {
  const found = read?.(rule.argument) ?? { state: 'missing' as const };
  if (found.state === 'missing' && rule.optional) return state;
  const texts = found.state !== 'value' ? [] : Array.isArray(found.value) ? found.value : [found.value];
  const does = texts.map((text) => (typeof text === 'string' ? readStatement(text, rule.language) : null));
  if (does.length > 0 && !does.includes(null)) {
    const operation = worst(does as Operation[])!;
    return raisedTo(state, operation, `the statement in "${rule.argument}" is a ${operation}`);
  }
  const fault = found.state === 'value' ? "can't be told to only read" : why(found);
  const possible = unique(OPERATIONS.map((operation) => worst([...state.possible, operation])!));
  return {
    ...state,
    possible,
    operation: worst(possible),
    reasons: [...state.reasons, `the statement in "${rule.argument}" ${fault}: taken as the worst`],
  };
}

/** Only a literal `true` lowers. */
export function lowered(state: Outcome, rule: Lower, read: ((name: string) => Argument) | null): Outcome {
  const found = read?.(rule.argument);
  if (found?.state !== 'value' || found.value !== true) return state;
  return {
    ...state,
    possible: [rule.to],
    operation: rule.to,
    reasons: [...state.reasons, `"${rule.argument}" is true: only a ${rule.to}`],
  };
}

/** It may be any of these. */
export function union(outcomes: readonly Outcome[]): Outcome {
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
