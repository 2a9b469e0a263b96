/** What a request to an integration's API does, by its method and its path. Pure. */
import { type Argument, type JsonValue, OPERATIONS, type Operation, worst } from '../call.ts';
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
  const path = own === null ? null : pathOf(own(rule.path), integration.apiHosts);
  const rules = integration.api.filter((each) => each.method === method);
  if (path === null) {
    const may = rules.map((each) => operationOf(each, integration));
    return unknown(state, unique([byMethod, ...may]), `"${rule.path}" can't be read`);
  }
  const body = own === null ? null : own('body');
  const found = rules.find((each) => patternsOf(each).inAnyCase(path) && fitsBody(each, body));
  if (found === undefined)
    return { ...state, possible: [byMethod], operation: byMethod, reasons: [...state.reasons, `it is a ${method}`] };
  const means = operationOf(found, integration);
  // Only what is spelt as the rule spells it is surely what the rule means.
  const operation = patternsOf(found).asWritten(path) ? means : worst([means, byMethod])!;
  const named = found.tool === undefined ? null : toolOf(integration, found.tool)!.name;
  return {
    tools: named === null ? state.tools : [named],
    possible: [operation],
    operation,
    reasons: [...state.reasons, `${method} ${path} is ${named?.title ?? `a ${operation}`}`],
  };
}

function operationOf({ tool, operation }: ApiRule, integration: Integration): Operation {
  return operation ?? toolOf(integration, tool!)!.tool.operation;
}

/** Whether a request may be one that a rule for certain bodies is about. */
function fitsBody({ body: wanted }: ApiRule, body: Argument | null): boolean {
  if (wanted === undefined) return true;
  if (body === null || body.state === 'unreadable') return true;
  if (body.state === 'missing') return false;
  const parts = Array.isArray(body.value) ? body.value : [body.value];
  return Object.entries(wanted).some(([key, value]) => parts.some((part) => mayHold(part, key, value)));
}

/** A body, or a part of one: JSON, `key=value`, `key:=value`, or what nobody reads. */
function mayHold(part: JsonValue, key: string, wanted: string | true): boolean {
  if (typeof part !== 'string') return holds(part, key, wanted);
  const field = /^([\w.[\]-]+):?=(.*)$/s.exec(part);
  if (field !== null) {
    const value = field[2]!;
    return field[1]!.split(/[.[\]]+/).includes(key) && (value.startsWith('@') || fitsValue(value, wanted));
  }
  try {
    return holds(JSON.parse(part), key, wanted);
  } catch {
    return true;
  }
}

function holds(value: JsonValue, key: string, wanted: string | true): boolean {
  if (value === null || typeof value !== 'object') return false;
  if (Array.isArray(value)) return value.some((each) => holds(each, key, wanted));
  return Object.entries(value).some(
    ([name, each]) =>
      (name === key && (Array.isArray(each) ? each : [each]).some((one) => fitsValue(one, wanted))) ||
      holds(each, key, wanted),
  );
}

function fitsValue(value: JsonValue, wanted: string | true): boolean {
  if (wanted === true) return value !== null && value !== false && !/^(|false|null|0)$/i.test(String(value));
  return String(value).toLowerCase().includes(wanted.toLowerCase());
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
function pathOf(found: Argument, hosts: readonly string[]): string | null {
  if (found.state !== 'value' || typeof found.value !== 'string') return null;
  const [, host, rest] = /^https:\/\/([\w.-]+)(\/.*)?$/is.exec(found.value.trim()) ?? [];
  const given = host !== undefined && hosts.includes(host.toLowerCase()) ? (rest ?? '/') : found.value.trim();
  const path = given.replace(/[?#].*$/s, '');
  const whole = path.startsWith('/') ? path : `/${path}`;
  const doubtful = /\/\.{0,2}(\/|$)|[\\%\p{Cc}\s;]|^\/[a-z][a-z0-9+.-]*:/iu.test(whole.replace(/(?<=.)\/$/, ''));
  return doubtful && whole !== '/' ? null : whole.replace(/(?<=.)\/$/, '');
}
