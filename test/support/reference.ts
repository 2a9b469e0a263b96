/**
 * What a policy file means, said as plainly as it can be: no compiling, no index, every condition asked for every call.
 * It reads the YAML's own values, so that what it shares with the product is the catalog alone.
 */
import type { Facts } from '../../src/call.ts';

type Answer = 'yes' | 'no' | 'cant tell';
type Written = Record<string, any>;

const RANK = { allow: 0, 'require approval': 1, block: 2 } as const;
type Effect = keyof typeof RANK;

const list = (value: any): any[] => (Array.isArray(value) ? value : [value]);
const and = (answers: Answer[]): Answer =>
  answers.includes('no') ? 'no' : answers.includes('cant tell') ? 'cant tell' : 'yes';
const or = (answers: Answer[]): Answer =>
  answers.includes('yes') ? 'yes' : answers.includes('cant tell') ? 'cant tell' : 'no';
const not = (answer: Answer): Answer => (answer === 'yes' ? 'no' : answer === 'no' ? 'yes' : 'cant tell');
const told = (yes: boolean): Answer => (yes ? 'yes' : 'no');

const same = (a: string, b: string) =>
  a.replace(/[\s_-]/g, '').toLowerCase() === b.replace(/[\s_-]/g, '').toLowerCase();
/** Patterns of the tests have no slash, but for workspaces, which have no star. */
const like = (pattern: string, text: string) =>
  new RegExp(
    `^${pattern
      .split('*')
      .map((part) => part.replace(/[.?+^${}()|[\]\\]/g, '\\$&'))
      .join('[^]*')}$`,
    'i',
  ).test(text);
const named = (pattern: string, name: string) => (pattern.includes('*') ? like(pattern, name) : same(pattern, name));

export function reference(file: Written, facts: Facts): { effect: Effect; would: Effect; alerts: Set<string> } {
  const { action = 'allow', unclassified = 'require approval', mode = 'enforce' } = file['defaults'] ?? {};
  const applying = (file['policies'] as Written[]).filter((policy) => {
    if (policy['enabled'] === false) return false;
    const loosens = policy['action'] === 'allow';
    const answer = and([
      policy['if'] === undefined ? 'yes' : holds(policy['if'], facts, loosens),
      policy['unless'] === undefined ? 'yes' : not(holds(policy['unless'], facts, !loosens)),
    ]);
    return loosens ? answer === 'yes' : answer !== 'no';
  });
  const defaultEffect: Effect =
    facts.call.possible.length === 0 && RANK[unclassified as Effect] >= RANK[action as Effect] ? unclassified : action;
  const ruling = (policies: Written[], fallback: Effect): Effect => {
    const effects = policies.map((policy) => policy['action'] as string).filter((each) => each !== 'alert') as Effect[];
    return effects.length === 0 ? fallback : effects.reduce((a, b) => (RANK[b] > RANK[a] ? b : a));
  };
  const enforced = applying.filter((policy) => (policy['mode'] ?? mode) === 'enforce');
  return {
    effect: ruling(enforced, mode === 'enforce' ? defaultEffect : 'allow'),
    would: ruling(applying, defaultEffect),
    alerts: new Set(enforced.filter((policy) => policy['action'] === 'alert').map((policy) => policy['name'])),
  };
}

function holds(condition: Written, facts: Facts, loosens: boolean): Answer {
  const { agent, call, gathered } = facts;
  const { surroundings } = gathered;
  const asks: Record<string, (wanted: any) => Answer> = {
    operation: (wanted) => {
      const hits = call.possible.filter((operation) => list(wanted).includes(operation)).length;
      if (call.possible.length === 0) return 'cant tell';
      return hits === call.possible.length ? 'yes' : hits === 0 ? 'no' : 'cant tell';
    },
    tool: (wanted) => {
      const fits = (name: string) => list(wanted).some((pattern) => named(pattern, name));
      if (fits(call.calledName)) return 'yes';
      if (call.tools.length === 0) return 'cant tell';
      const hits = call.tools.filter(({ id, title }) => fits(id) || fits(title)).length;
      return hits === call.tools.length ? 'yes' : hits === 0 ? 'no' : 'cant tell';
    },
    agent: (wanted) => {
      const fits = (names: readonly string[]) => names.some((name) => list(wanted).some((each) => named(each, name)));
      const own = fits([agent.id, agent.name, ...agent.aliases]);
      if (!own && !fits(agent.claims)) return 'no';
      return loosens && (!own || agent.strength === 'claimed') ? 'cant tell' : 'yes';
    },
    agent_review_status: (wanted) => {
      if (!list(wanted).includes(agent.status)) return 'no';
      return loosens && agent.strength === 'claimed' ? 'cant tell' : 'yes';
    },
    tool_review_status: (wanted) => told(list(wanted).includes(call.toolStatus)),
    user: (wanted) => (surroundings.user === null ? 'cant tell' : told(like(wanted, surroundings.user))),
    workspace: (wanted: string) => {
      const all = surroundings.workspaces;
      const hits = all.filter(({ spellings }) =>
        spellings.some((spelling) => spelling === wanted || spelling.startsWith(wanted === '/' ? '/' : `${wanted}/`)),
      );
      if (all.length === 0) return 'cant tell';
      if (hits.length === 0) return 'no';
      return loosens && (hits.length < all.length || !hits.some(({ sure }) => sure)) ? 'cant tell' : 'yes';
    },
    // The only window of the tests.
    time: () => {
      const at = new Date(gathered.now);
      const inside = at.getUTCDay() >= 1 && at.getUTCDay() <= 5 && at.getUTCHours() >= 9 && at.getUTCHours() < 18;
      return told(!inside);
    },
    session_has: (earlier) =>
      gathered.earlier === null
        ? 'cant tell'
        : or(gathered.earlier.map((deed) => holds(earlier, { ...facts, call: { ...call, ...deed } }, loosens))),
    rate: ({ over }) => {
      const count = [...gathered.counts.values()][0];
      return count === undefined ? 'cant tell' : told(count + 1 > over);
    },
    args: (wanted) => and(Object.entries(wanted).map(([name, match]) => argument(call.argument(name), match, loosens))),
    any: (parts: Written[]) => or(parts.map((part) => holds(part, facts, loosens))),
    all: (parts: Written[]) => and(parts.map((part) => holds(part, facts, loosens))),
    not: (part) => not(holds(part, facts, !loosens)),
  };
  return and(Object.entries(condition).map(([key, wanted]) => asks[key]!(wanted)));
}

function argument(found: ReturnType<Facts['call']['argument']>, match: any, loosens: boolean): Answer {
  if (found.state === 'unreadable') return 'cant tell';
  const empty = (value: any) => value === null || value === '' || (Array.isArray(value) && value.length === 0);
  if (match !== null && typeof match === 'object' && 'exists' in match) {
    if (found.state === 'missing') return told(!match.exists);
    const doubtful = empty(found.value) || (Array.isArray(found.value) && found.value.includes(null));
    if (match.exists) return doubtful ? (loosens ? 'no' : 'cant tell') : 'yes';
    return doubtful ? (loosens ? 'cant tell' : 'yes') : 'no';
  }
  if (found.state === 'missing') return 'no';
  const one = (item: any): Answer => {
    if (match !== null && typeof match === 'object' && 'over' in match) {
      if (item === null) return 'no';
      const number = typeof item === 'boolean' || typeof item === 'object' || item === '' ? Number.NaN : Number(item);
      return Number.isNaN(number) ? 'cant tell' : told(number > match.over);
    }
    if (match !== null && typeof match === 'object' && 'not_like' in match) return not(equals(match.not_like, item));
    return equals(match, item);
  };
  const answers = list(found.value).map(one);
  const yes = answers.filter((answer) => answer === 'yes').length;
  if (yes > 0) return loosens && yes < answers.length ? 'cant tell' : 'yes';
  return answers.includes('cant tell') ? 'cant tell' : 'no';
}

function equals(wanted: any, item: any): Answer {
  if (item === null) return 'no';
  if (typeof wanted === 'string') return typeof item === 'object' ? 'cant tell' : told(like(wanted, String(item)));
  if (typeof wanted === 'number') {
    const number = typeof item === 'boolean' || typeof item === 'object' || item === '' ? Number.NaN : Number(item);
    return Number.isNaN(number) ? 'cant tell' : told(number === wanted);
  }
  return typeof item === 'boolean' ? told(item === wanted) : 'cant tell';
}
