/** Rules that parse and do less than they seem to: what can never apply, never decide, or contradicts itself. Pure. */
import { foldName, type Operation } from '../call.ts';
import type { PolicyFile, PolicySource } from './schema.ts';
import type { ArgumentMatch } from './schema-arguments.ts';
import type { Condition } from './schema-conditions.ts';
import type { IntegrationWords, Vocabulary } from './vocabulary.ts';

/** Where it stands, what is wrong, how to mend it. */
export interface Lint {
  readonly path: readonly PropertyKey[];
  readonly fault: string;
  readonly mend: string;
}

/** Beyond so many policies nobody has compared them by hand either, and every pair would be too many. */
const MAX_COMPARED = 2000;

export function lint(file: PolicyFile, vocabulary: Vocabulary, lineOf: (index: number) => number): Lint[] {
  const active = file.policies.flatMap((policy, index) => (policy.enabled ? [{ policy, index }] : []));
  return [
    ...active.flatMap(({ policy, index }) => lintPolicy(policy, ['policies', index], vocabulary)),
    ...(active.length > MAX_COMPARED ? [] : shadowed(active, file, vocabulary, lineOf)),
  ];
}

function lintPolicy(policy: PolicySource, path: PropertyKey[], vocabulary: Vocabulary): Lint[] {
  const { if: condition, unless } = policy;
  const found: Lint[] = [];
  if (condition !== undefined) found.push(...lintCondition(condition, [...path, 'if'], vocabulary));
  if (unless !== undefined) {
    found.push(...lintCondition(unless, [...path, 'unless'], vocabulary));
    if (condition !== undefined && isPlain(unless) && includes(unless, condition, vocabulary))
      found.push({
        path: [...path, 'unless'],
        fault: '"unless" excepts everything that "if" is about: this applies only where something can\'t be told',
        mend: 'narrow "unless", or take it out',
      });
  }
  return found;
}

function lintCondition(condition: Condition, path: PropertyKey[], vocabulary: Vocabulary): Lint[] {
  const { any = [], all = [], not } = condition;
  const found: Lint[] = [];
  const operation = contradictoryOperation(condition, vocabulary);
  if (operation !== null) found.push({ path: [...path, 'operation'], ...operation });
  for (const [name, match] of Object.entries(condition.args ?? {})) {
    const fault = contradictoryMatch(match);
    if (fault !== null) found.push({ path: [...path, 'args', name], ...fault });
  }
  if (not !== undefined && isPlain(not) && includes(not, withoutNot(condition), vocabulary))
    found.push({
      path: [...path, 'not'],
      fault: '"not" excepts everything that stands beside it: this applies only where something can\'t be told',
      mend: 'narrow "not", or take it out',
    });
  condition.workspace?.forEach((pattern, index) => {
    if (!isWholePath(pattern))
      found.push({
        path: [...path, 'workspace', index],
        fault: `"${pattern}" is no whole path, so it matches no folder`,
        mend: `write it from "/" or "~/", or "**/${pattern.replace(/^[^/]*[~.]\/+/, '')}" for wherever it is`,
      });
  });
  const notOffered = unofferedIntegration(condition, vocabulary);
  if (notOffered !== null) found.push({ path: [...path, 'integration'], ...notOffered });
  any.forEach((inner, index) => {
    found.push(...lintCondition(inner, [...path, 'any', index], vocabulary));
  });
  all.forEach((inner, index) => {
    found.push(...lintCondition(inner, [...path, 'all', index], vocabulary));
  });
  if (not !== undefined) found.push(...lintCondition(not, [...path, 'not'], vocabulary));
  return found;
}

/** Whether it answers the same where its yes loosens: a claim of an agent, or one element of a list, does not. */
function isPlain(condition: Condition): boolean {
  const plain = new Set(['integration', 'operation', 'tool', 'tool_review_status', 'via', 'time']);
  return Object.keys(condition).every((key) => plain.has(key));
}

function withoutNot({ not: _, ...rest }: Condition): Condition {
  return rest;
}

/** A tool that the catalog knows does something else than the operations that are asked for. */
function contradictoryOperation(condition: Condition, vocabulary: Vocabulary): Pick<Lint, 'fault' | 'mend'> | null {
  const { operation } = condition;
  if (operation === undefined) return null;
  const operations = operationsOf(condition, vocabulary);
  if (operations === null || operations.length === 0 || operations.some((each) => operation.includes(each)))
    return null;
  const names = condition.tool!.map((name) => `"${name}"`).join(' or ');
  return {
    fault: `the catalog knows ${names} as a ${[...new Set(operations)].join(' or ')}: with this operation it applies only where that isn't sure`,
    mend: 'take the operation out: the tool says enough',
  };
}

/** What the named tools do; null if that isn't fixed, or not known of all of them. */
function operationsOf({ tool, integration }: Condition, vocabulary: Vocabulary): Operation[] | null {
  // A server of the owner's own may call another tool by the same name.
  if (tool === undefined || integration === undefined) return null;
  const words = vocabulary.integrations.filter((each) => integration.some((name) => isNamed(each, name)));
  const operations: Operation[] = [];
  for (const name of tool) {
    const folded = foldName(name);
    const known = words.flatMap(({ facts }) =>
      facts.filter(({ id, title }) => foldName(id) === folded || foldName(title) === folded),
    );
    if (known.length === 0 || known.some(({ fixed }) => !fixed)) return null;
    operations.push(...known.map((each) => each.operation));
  }
  return operations;
}

/** From the root of a disk, the user's home, or a star that may stand for all before it. */
function isWholePath(pattern: string): boolean {
  return /^([/\\*?]|~$|~\/|[A-Za-z]:)/.test(pattern);
}

function isNamed({ id, title, aliases }: IntegrationWords, name: string): boolean {
  return [id, title, ...aliases].some((word) => foldName(word) === foldName(name));
}

function contradictoryMatch(match: ArgumentMatch): Pick<Lint, 'fault' | 'mend'> | null {
  const least = Math.max(match.over ?? Number.NEGATIVE_INFINITY, match.at_least ?? Number.NEGATIVE_INFINITY);
  const most = Math.min(match.under ?? Number.POSITIVE_INFINITY, match.at_most ?? Number.POSITIVE_INFINITY);
  const open = match.over === least || match.under === most;
  if (least > most || (least === most && open))
    return {
      fault: 'no single value can be both: this applies only to lists',
      mend: 'write two policies, or "any", if either is meant',
    };
  const refused = match.is?.filter((value) => match.is_not?.some((other) => other === value)) ?? [];
  if (match.is !== undefined && match.is.length > 0 && refused.length === match.is.length)
    return {
      fault: '"is_not" excepts all that "is" names: this applies only to lists',
      mend: 'keep one of them',
    };
  return null;
}

/** Only where every server is surely something else. */
function unofferedIntegration(
  { integration }: Condition,
  { offered, integrations }: Vocabulary,
): Pick<Lint, 'fault' | 'mend'> | null {
  if (integration === undefined || offered === null) return null;
  const ids = integration.map((name) => integrations.find((each) => isNamed(each, name))?.id);
  if (ids.some((id) => id === undefined || offered.includes(id))) return null;
  const names = integration.map((name) => `"${name}"`).join(' or ');
  return {
    fault: `no server of servers.json is ${names}, so this never applies`,
    mend: 'add the server, say "integration:" beside the one that is meant, or keep it for later',
  };
}

const RANK = { block: 3, 'require approval': 2, allow: 1, alert: 0 } as const;

/** Policies that can never decide, because a stricter one applies wherever they do. */
function shadowed(
  active: readonly { readonly policy: PolicySource; readonly index: number }[],
  file: PolicyFile,
  vocabulary: Vocabulary,
  lineOf: (index: number) => number,
): Lint[] {
  const isCall = ({ policy }: { policy: PolicySource }) => policy.when === 'an agent makes a tool call';
  const enforced = ({ policy }: { policy: PolicySource }) => (policy.mode ?? file.defaults.mode) === 'enforce';
  const stricter = active.filter(
    (each) => isCall(each) && enforced(each) && each.policy.unless === undefined && each.policy.expires === undefined,
  );
  return active.filter(isCall).flatMap(({ policy, index }) => {
    if (policy.action === 'alert') return [];
    const over = stricter.find(
      (each) =>
        each.index !== index &&
        RANK[each.policy.action] > RANK[policy.action] &&
        includes(each.policy.if ?? {}, policy.if ?? {}, vocabulary),
    );
    if (over === undefined) return [];
    return [
      {
        path: ['policies', index],
        fault: `"${policy.name}" never decides: "${over.policy.name}" (line ${lineOf(over.index)}) applies wherever it does, and is stricter`,
        mend: `except it there with "unless:"${policy.action === 'allow' ? ': an allow policy lifts only the defaults' : ''}`,
      },
    ];
  });
}

/** Whether `wide` surely holds wherever `narrow` does. False where that can't be seen from the words alone. */
function includes(wide: Condition, narrow: Condition, vocabulary: Vocabulary): boolean {
  return (Object.keys(wide) as (keyof Condition)[]).every((key) => {
    const [a, b] = [wide[key], narrow[key]];
    if (a === undefined) return true;
    if (key === 'operation' && b === undefined) {
      const does = operationsOf(narrow, vocabulary);
      return does !== null && does.length > 0 && does.every((each) => wide.operation!.includes(each));
    }
    if (b === undefined) return false;
    if (!Array.isArray(a) || !Array.isArray(b) || key === 'any' || key === 'all')
      return JSON.stringify(a) === JSON.stringify(b);
    const same = NAMES.has(key) ? foldName : (each: string) => each;
    const wideNames = (a as string[]).map(same);
    return (b as string[]).every((each) => wideNames.includes(same(each)));
  });
}

/** What is compared as a name: without case and separators. */
const NAMES: ReadonlySet<string> = new Set(['integration', 'tool', 'agent']);
