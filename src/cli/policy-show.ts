/** `toolgate policy show`: the policies in force, where each is written, and which tools of the catalog it is about. */
import type { Deed } from '../call.ts';
import type { Catalog } from '../catalog/load.ts';
import { type Rules, rulesFault } from '../config/rules.ts';
import { builtInPolicies } from '../policy/built-in.ts';
import { wordsOf } from '../policy/compile.ts';
import { mayConcern } from '../policy/coverage.ts';
import { visibleLine } from '../problem.ts';
import { type HouseFlags, openHouse } from './house.ts';
import { complain, counted, print, printJson } from './output.ts';
import { WAITS } from './policy-accept.ts';
import { rulesHere } from './rules-here.ts';

export interface ShownPolicy {
  readonly policy: string;
  /** where it is written; `built in` for what the file doesn't write */
  readonly place: string;
  readonly action: string;
  readonly mode: string;
  readonly enabled: boolean;
  /** in words: what it does, and when */
  readonly does: string;
  /** how many tools of the catalog it may apply to, by integration; null for what is about no tool */
  readonly covers: Readonly<Record<string, number>> | null;
}

/** Exit 0; 3 while there are no rules. */
export async function policyShow(flags: HouseFlags & { json?: boolean }): Promise<number> {
  const house = await openHouse(flags);
  try {
    const loaded = await rulesHere(house);
    if (loaded === null) return 3;
    if (loaded.proposed !== null) complain(WAITS);
    const shown = shownPolicies(loaded.rules);
    if (flags.json)
      printJson({ rules: loaded.rules.hash, stale: loaded.stale, proposed: loaded.proposed, policies: shown });
    else {
      if (loaded.stale) complain(`${rulesFault(loaded)}\nthe last good rules are shown`);
      print(inWords(shown, loaded.rules.hash));
    }
    return 0;
  } finally {
    await house.close();
  }
}

function shownPolicies({ policies, catalog }: Rules): ShownPolicy[] {
  const deeds = deedsOf(catalog);
  const { defaults } = policies.file;
  const compiled = new Map([...policies.calls, ...policies.discoveries].map((each) => [each.source, each]));
  const all = [...policies.file.policies, ...builtInPolicies(policies.file.policies)];
  const written = all.map((source, index): ShownPolicy => {
    const own = compiled.get(source);
    return {
      policy: source.name,
      place: own?.place ?? `policies.yaml:${policies.lines[index]}`,
      action: source.action,
      mode: source.mode ?? defaults.mode,
      enabled: source.enabled,
      does: wordsOf(source),
      covers:
        own === undefined || source.when === 'an agent is discovered'
          ? null
          : countByIntegration(deeds.filter(({ deed }) => mayConcern(own.test, deed))),
    };
  });
  const fallback = (name: string, action: string, when: string): ShownPolicy => ({
    policy: name,
    place: 'defaults',
    action,
    mode: defaults.mode,
    enabled: true,
    does: `${action} ${when}`,
    covers: null,
  });
  return [
    ...written,
    fallback('(default: action)', defaults.action, 'when no block, approval or allow policy applies'),
    fallback('(default: unclassified tool)', defaults.unclassified, 'and nobody knows what the tool does'),
  ];
}

/** Every tool of the catalog, as it is whatever its arguments. */
function deedsOf(catalog: Catalog): { integration: string; deed: Deed }[] {
  return [...catalog.integrations.values()].flatMap(({ id, title, tools }) =>
    [...tools].map(([toolId, { tool }]) => ({
      integration: title,
      deed: {
        via: 'mcp' as const,
        integrations: [{ id, title, sure: true }],
        server: null,
        calledName: toolId,
        tools: [{ id: toolId, title: tool.title }],
        possible: [tool.operation],
        toolStatus: 'Unreviewed' as const,
      },
    })),
  );
}

function countByIntegration(deeds: readonly { integration: string }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { integration } of deeds) counts[integration] = (counts[integration] ?? 0) + 1;
  return counts;
}

function inWords(policies: readonly ShownPolicy[], hash: string): string {
  const lines = [`rules ${hash.slice(0, 12)}, ${counted(policies.length - 2, 'policy', 'policies')}`];
  for (const { policy, place, mode, enabled, does, covers } of policies) {
    const marks = [mode === 'monitor' ? 'monitor' : '', enabled ? '' : 'not enabled'].filter((mark) => mark !== '');
    lines.push(
      '',
      `${visibleLine(policy)}  ${place}${marks.length === 0 ? '' : `  (${marks.join(', ')})`}`,
      `    ${visibleLine(does)}`,
      ...(covers === null ? [] : [`    covers ${coverWords(covers)}`]),
    );
  }
  return lines.join('\n');
}

function coverWords(covers: Readonly<Record<string, number>>): string {
  const all = Object.entries(covers).sort((a, b) => b[1] - a[1]);
  if (all.length === 0) return 'no tool that the catalog knows';
  const total = all.reduce((sum, [, count]) => sum + count, 0);
  if (all.length > 4) return `${total} tools of ${all.length} integrations`;
  return all.map(([integration, count]) => `${counted(count, 'tool', 'tools')} of ${integration}`).join(', ');
}
