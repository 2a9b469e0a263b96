/** What a request to an integration's API does, by its method and its path. Pure. */
import { type Argument, OPERATIONS, type Operation, worst } from '../call.ts';
import { compileGlob, type Glob } from '../glob.ts';
import { unique } from './lists.ts';
import type { Integration } from './load.ts';
import { type Outcome, toolOf } from './outcome.ts';
import type { ApiRule, Request } from './schema.ts';

export const HTTP_METHODS = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** The operation of a method where no rule says more. */
const METHODS: Record<(typeof HTTP_METHODS)[number], Operation> = {
  GET: 'Read',
  HEAD: 'Read',
  OPTIONS: 'Read',
  POST: 'Write',
  PUT: 'Write',
  PATCH: 'Write',
  DELETE: 'Delete',
};

/** The first rule that the request meets says which tool it is; without one its method says what it does. */
export function requested(
  state: Outcome,
  rule: Request,
  integration: Integration,
  own: ((name: string) => Argument) | null,
): Outcome {
  const method = methodOf(rule.method, own);
  if (method === null) return unknown(state, OPERATIONS, 'its method is not known');
  const byMethod = METHODS[method];
  const path = own === null ? null : pathOf(own(rule.path));
  const rules = integration.api.filter((each) => each.method === method);
  if (path === null) {
    const tools = rules.map(({ tool }) => toolOf(integration, tool)!.tool.operation);
    return unknown(state, unique([byMethod, ...tools]), `"${rule.path}" can't be read`);
  }
  const found = rules.find((each) => patternsOf(each).inAnyCase(path));
  if (found === undefined)
    return { ...state, possible: [byMethod], operation: byMethod, reasons: [...state.reasons, `it is a ${method}`] };
  const { name, tool } = toolOf(integration, found.tool)!;
  // Only what is spelt as the rule spells it is surely what the rule means.
  const operation = patternsOf(found).asWritten(path) ? tool.operation : worst([tool.operation, byMethod])!;
  return {
    tools: [name],
    possible: [operation],
    operation,
    reasons: [...state.reasons, `${method} ${path} is ${name.title}`],
  };
}

const PATTERNS = new WeakMap<ApiRule, { readonly inAnyCase: Glob; readonly asWritten: Glob }>();

function patternsOf(rule: ApiRule) {
  const known = PATTERNS.get(rule) ?? {
    inAnyCase: compileGlob(rule.path),
    asWritten: compileGlob(rule.path, 'as written'),
  };
  PATTERNS.set(rule, known);
  return known;
}

function unknown(state: Outcome, possible: readonly Operation[], reason: string): Outcome {
  return {
    ...state,
    possible,
    operation: worst(possible),
    reasons: [...state.reasons, `${reason}: taken as the worst`],
  };
}

/** A literal method, or the value of the argument that `{…}` names. */
function methodOf(method: string, own: ((name: string) => Argument) | null): (typeof HTTP_METHODS)[number] | null {
  const named = /^\{(.*)\}$/.exec(method)?.[1];
  const found = named === undefined ? { state: 'value' as const, value: method } : (own?.(named) ?? null);
  if (found?.state !== 'value' || typeof found.value !== 'string') return null;
  const upper = found.value.trim().toUpperCase();
  return HTTP_METHODS.find((each) => each === upper) ?? null;
}

/** The path alone, from `/`. Null if a server could take it for another: then it is no path that we can judge. */
function pathOf(found: Argument): string | null {
  if (found.state !== 'value' || typeof found.value !== 'string') return null;
  const path = found.value.trim().replace(/[?#].*$/s, '');
  const whole = path.startsWith('/') ? path : `/${path}`;
  const doubtful = /\/\.{0,2}(\/|$)|[\\%\p{Cc}\s;]|^\/[a-z][a-z0-9+.-]*:/iu.test(whole.replace(/(?<=.)\/$/, ''));
  return doubtful && whole !== '/' ? null : whole.replace(/(?<=.)\/$/, '');
}
