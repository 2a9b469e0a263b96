/** What has changed between two sets of rules, in words. Pure. */
import type { CatalogFile } from '../catalog/schema.ts';
import { policyChanges, valueChanges } from '../policy/changes.ts';
import type { Artefact } from './rules.ts';

/** One line for each change; none if both judge alike. */
export function rulesChanges(before: Artefact, after: Artefact): string[] {
  return [
    ...policyChanges(before.policies.file, after.policies.file),
    ...listChanges(
      'server',
      before.servers.map(({ key, ...rest }) => [key, rest]),
      after.servers.map(({ key, ...rest }) => [key, rest]),
    ),
    ...listChanges('your catalog of', byIntegration(before.ownersCatalog), byIntegration(after.ownersCatalog)),
  ];
}

/** Whether two sets judge alike, word for word: for people's words and tests, and where they stand, it doesn't matter. */
export function isSameJudgement(before: Artefact, after: Artefact): boolean {
  const judged = ({ policies: { file }, ...rest }: Artefact) =>
    JSON.stringify({
      ...rest,
      ...file,
      policies: file.policies.map(({ description: _, tests: __, ...policy }) => policy),
    });
  return judged(before) === judged(after);
}

function listChanges(
  noun: string,
  before: readonly (readonly [string, unknown])[],
  after: readonly (readonly [string, unknown])[],
): string[] {
  const [was, is] = [new Map(before), new Map(after)];
  return [...new Set([...was.keys(), ...is.keys()])].flatMap((name) => {
    const start = was.has(name) ? (is.has(name) ? [] : [`${noun} ${name} is gone`]) : [`${noun} ${name} is new`];
    return [...start, ...valueChanges(was.get(name), is.get(name)).map((change) => `${noun} ${name}: ${change}`)];
  });
}

/** Of several files for one integration each under its number. */
function byIntegration(files: readonly CatalogFile[]): [string, unknown][] {
  const found = new Map<string, CatalogFile[]>();
  for (const file of files) found.set(file.integration, [...(found.get(file.integration) ?? []), file]);
  return [...found].map(([name, each]) => [name, each.length === 1 ? each[0] : { ...each }]);
}
