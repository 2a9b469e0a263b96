/** The single conditions: each turns what the owner wrote into a function of the facts. Pure. */
import {
  type Answer,
  type CallIntegration,
  type Deed,
  type EarlierDeed,
  type Facts,
  foldName,
  isEmpty,
  type ReviewStatus,
  type Workspace,
} from '../call.ts';
import { durationText } from '../duration.ts';
import { compileGlob, isGlob } from '../glob.ts';
import { once } from '../once.ts';
import { inWords, some, type Test } from './answers.ts';
import { compileMatch, describeArgument, describeMatch } from './match.ts';
import type { ArgumentMatch } from './schema-arguments.ts';
import type { RateMatch, TimeMatch } from './schema-conditions.ts';
import { clockOf, describeClock, describeWindow, isInside, type WallClock } from './windows.ts';

/** What differs from leaf to leaf. */
function leaf(
  label: string,
  answer: Test['answer'],
  compared: Test['compared'],
  { varies = false, about = 'more' }: Partial<Pick<Test, 'varies' | 'about'>> = {},
): Test {
  return { label, kind: 'leaf', parts: [], varies, about, answer, compared };
}

export function oneOf<T extends string>(label: string, wanted: readonly T[], get: (facts: Facts) => T): Test {
  const set = new Set<string>(wanted);
  return leaf(`${label}: ${wanted.join(' or ')}`, (facts) => (set.has(get(facts)) ? 'yes' : 'no'), get);
}

/** A status belongs to a name: where a yes would loosen, it counts only if the name is more than a claim. */
export function agentStatusTest(wanted: readonly ReviewStatus[], loosens: boolean): Test {
  const test = oneOf('agent review status', wanted, ({ agent }) => agent.status);
  if (!loosens) return test;
  return leaf(
    test.label,
    (facts) => {
      const answer = test.answer(facts);
      return answer === 'yes' && facts.agent.strength === 'claimed' ? 'cant tell' : answer;
    },
    ({ agent }) => `${agent.status} (${agent.strength})`,
  );
}

export function operationTest(wanted: readonly string[]): Test {
  const set = new Set(wanted);
  return leaf(
    `operation: ${wanted.join(' or ')}`,
    ({ call }) => {
      let some = false;
      let all = call.possible.length > 0;
      for (const operation of call.possible) {
        if (set.has(operation)) some = true;
        else all = false;
      }
      if (all) return 'yes';
      return some || call.possible.length === 0 ? 'cant tell' : 'no';
    },
    ({ call }) => (call.possible.length === 0 ? 'unknown' : call.possible.join(' or ')),
    { about: 'tool' },
  );
}

/** Finds the id of an integration by any of its names; null if none is known by it. */
export type FindIntegration = (name: string) => string | null;

/** Any integration that the call may belong to counts, but where a yes would loosen only one that the owner named. */
export function integrationTest(wanted: readonly string[], loosens: boolean, find: FindIntegration): Test {
  const matches = wanted.map((name): ((each: CallIntegration) => boolean) => {
    if (isGlob(name)) {
      const match = compileGlob(name);
      return ({ id, title }) => match(id) || match(title);
    }
    const known = find(name);
    if (known !== null) return ({ id }) => id === known;
    const folded = foldName(name);
    return ({ id, title }) => foldName(id) === folded || foldName(title) === folded;
  });
  return leaf(
    `integration: ${wanted.join(' or ')}`,
    ({ call }) => {
      let result: Answer = 'no';
      for (const integration of call.integrations) {
        if (!matches.some((match) => match(integration))) continue;
        if (!loosens || integration.sure) return 'yes';
        result = 'cant tell';
      }
      return result;
    },
    ({ call }) => call.integrations.map(({ title, sure }) => (sure ? title : `perhaps ${title}`)).join(', '),
    { about: 'tool' },
  );
}

function namePattern(pattern: string): (name: string) => boolean {
  if (isGlob(pattern)) return compileGlob(pattern);
  const folded = foldName(pattern);
  return (name) => foldName(name) === folded;
}

export function toolTest(wanted: readonly string[]): Test {
  const patterns = wanted.map(namePattern);
  const matches = (name: string) => patterns.some((pattern) => pattern(name));
  return leaf(
    `tool: ${wanted.join(' or ')}`,
    ({ call }) => {
      if (matches(call.calledName)) return 'yes';
      if (call.tools.length === 0) return 'cant tell';
      const hits = call.tools.filter(({ id, title }) => matches(id) || matches(title)).length;
      return hits === call.tools.length ? 'yes' : hits === 0 ? 'no' : 'cant tell';
    },
    ({ call }) => (call.tools.length === 0 ? call.calledName : call.tools.map(({ title }) => title).join(' or ')),
    { about: 'tool' },
  );
}

/** Every name of the agent counts, but where a yes would loosen only those we are sure of. */
export function agentTest(wanted: readonly string[], loosens: boolean): Test {
  const patterns = wanted.map(namePattern);
  const matches = (names: readonly string[]) => names.some((name) => patterns.some((pattern) => pattern(name)));
  return leaf(
    `agent: ${wanted.join(' or ')}`,
    ({ agent }) => {
      const own = matches([agent.id, agent.name, ...agent.aliases]);
      if (own && (!loosens || agent.strength !== 'claimed')) return 'yes';
      if (!own && !matches(agent.claims)) return 'no';
      return loosens ? 'cant tell' : 'yes';
    },
    ({ agent }) => `${agent.name} (${agent.strength})`,
  );
}

/** Patterns of names that the system tells apart by case: where a yes would loosen, only the case as written is sure. */
function cased(wanted: readonly string[], loosens: boolean): (text: string) => Answer {
  const globs = wanted.map((pattern) => compileGlob(pattern));
  const exact = loosens ? wanted.map((pattern) => compileGlob(pattern, 'as written')) : globs;
  return (text) => (exact.some((glob) => glob(text)) ? 'yes' : globs.some((glob) => glob(text)) ? 'cant tell' : 'no');
}

export function serverTest(wanted: readonly string[], loosens: boolean): Test {
  const matches = cased(wanted, loosens);
  return leaf(
    `server: ${wanted.join(' or ')}`,
    ({ call }) => (call.server === null ? 'no' : matches(call.server)),
    ({ call }) => call.server ?? 'none',
  );
}

export function userTest(wanted: readonly string[], loosens: boolean): Test {
  const matches = cased(wanted, loosens);
  return leaf(
    `user: ${wanted.join(' or ')}`,
    ({ gathered: { surroundings } }) => (surroundings.user === null ? 'cant tell' : matches(surroundings.user)),
    ({ gathered: { surroundings } }) => surroundings.user ?? 'unknown',
  );
}

/**
 * A folder, and all below it. Of several folders one is enough to restrict; to loosen, each must match, and at least one
 * that we see ourselves.
 */
export function workspaceTest(wanted: readonly string[], loosens: boolean): Test {
  const matches = cased(
    wanted.map((pattern) => (pattern.length > 1 ? pattern.replace(/\/+$/, '') : pattern)),
    loosens,
  );
  const ofFolder = ({ spellings }: Workspace) => some(spellings.flatMap(foldersAbove), matches);
  return leaf(
    `workspace: ${wanted.join(' or ')}`,
    ({ gathered: { surroundings } }) => {
      const { workspaces } = surroundings;
      if (workspaces.length === 0) return 'cant tell';
      const answers = workspaces.map(ofFolder);
      if (answers.every((answer) => answer === 'no')) return 'no';
      if (!loosens) return 'yes';
      const sure = workspaces.some((workspace, index) => workspace.sure && answers[index] === 'yes');
      return sure && answers.every((answer) => answer === 'yes') ? 'yes' : 'cant tell';
    },
    ({ gathered: { surroundings } }) =>
      surroundings.workspaces.map(({ spellings }) => spellings[0]).join(', ') || 'unknown',
  );
}

/** The folder itself, and each one that it is in. */
function foldersAbove(path: string): string[] {
  const folders = [path];
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) folders.push(path.slice(0, end));
  return path.startsWith('/') && path !== '/' ? [...folders, '/'] : folders;
}

export function timeTest({ inside, outside, zone }: TimeMatch): Test {
  const windows = inside ?? outside!;
  const wanted = inside !== undefined;
  const clock = ({ gathered }: Facts): WallClock => clockOf(zone ?? gathered.surroundings.zone())(gathered.now);
  return leaf(
    `time: ${wanted ? 'inside' : 'outside'} ${windows.map(describeWindow).join(' or ')}${zone === undefined ? '' : `, ${zone}`}`,
    (facts) => (isInside(windows, clock(facts)) === wanted ? 'yes' : 'no'),
    (facts) => `${describeClock(clock(facts))} in ${zone ?? facts.gathered.surroundings.zone()}`,
    { varies: true },
  );
}

/** What the session was allowed to do before, as far as its arguments don't matter. What has not run yet loosens nothing. */
export function sessionTest(earlier: Test, loosens: boolean): Test {
  const ofDeed = (facts: Facts, deed: EarlierDeed): Answer => {
    const answer = earlier.answer({ ...facts, call: { ...facts.call, ...deed } });
    return deed.pending && loosens && answer === 'yes' ? 'cant tell' : answer;
  };
  return leaf(
    `session has: ${inWords(earlier)}`,
    (facts) =>
      facts.gathered.earlier === null ? 'cant tell' : some(facts.gathered.earlier, (deed) => ofDeed(facts, deed)),
    (facts) => {
      if (facts.gathered.earlier === null) return 'not known here';
      const found = facts.gathered.earlier.filter((deed) => ofDeed(facts, deed) !== 'no').map(nameOf);
      return found.length === 0 ? 'nothing like it before' : found.join(', ');
    },
    { varies: true },
  );
}

function nameOf({ integrations, tools, calledName }: Deed): string {
  return `${integrations[0]?.title ?? 'unknown'} · ${tools[0]?.title ?? calledName}`;
}

/** More calls than its limit, this one counted. `keys`: the counters that this call is in. */
export function rateTest(rate: RateMatch, keys: (facts: Facts) => readonly string[]): Test {
  const { over, within, per } = rate;
  const counts = (facts: Facts) => keys(facts).map((key) => facts.gathered.counts.get(key));
  return leaf(
    `rate: over ${over} within ${durationText(within)} per ${per}`,
    (facts) => some(counts(facts), (count) => (count === undefined ? 'cant tell' : count + 1 > over ? 'yes' : 'no')),
    (facts) =>
      counts(facts)
        .map((count) => (count === undefined ? 'not counted' : `call ${count + 1}`))
        .join(', '),
    { varies: true },
  );
}

/**
 * One argument. A missing one is no, unless `missing` or `exists` says otherwise; null, an empty text and an empty list
 * count as missing there, since upstreams take them so.
 */
export function argumentTest(path: string, match: ArgumentMatch, loosens: boolean): Test {
  // Most policies are out of the question before their arguments are looked at.
  const operators = once(() => compileMatch(match, loosens));
  const wantsMissing = match.missing === 'match' || match.missing === true || match.exists === false;
  const wantsThere = match.exists === true || match.missing === false;
  const onlyMissing = match.missing === true || match.exists === false;
  return leaf(
    `args.${path}: ${describeMatch(match)}`,
    ({ call }) => {
      const found = call.argument(path);
      switch (found.state) {
        case 'missing':
          return wantsMissing ? 'yes' : 'no';
        case 'unreadable':
          return 'cant tell';
        case 'value': {
          const empty = isEmpty(found.value) || (Array.isArray(found.value) && found.value.includes(null));
          if (wantsMissing && empty) return loosens ? 'cant tell' : 'yes';
          if (wantsThere && empty) return loosens ? 'no' : 'cant tell';
          return onlyMissing ? 'no' : operators()(found.value, found.relative === true);
        }
      }
    },
    ({ call }) => describeArgument(path, call.argument(path)),
    { varies: true },
  );
}
