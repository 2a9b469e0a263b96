/** Reads `policies.yaml`: strictly, with the place of every mistake, against what the catalog and the servers know. */
import { errorAt, type Problem, WHOLE_FILE } from '../problem.ts';
import { problemsOf } from '../schema.ts';
import { readYaml } from '../yaml.ts';
import { checkMeaning, checkReadable } from './check.ts';
import { lint } from './lint.ts';
import { type PolicyFile, policyFile } from './schema.ts';
import type { Vocabulary } from './vocabulary.ts';

/** The parsed file, as it is stored among the rules: plain JSON. */
export interface Policies {
  readonly file: PolicyFile;
  /** line of each policy, in order */
  readonly lines: readonly number[];
  /** line of each test of each policy */
  readonly testLines: readonly (readonly number[])[];
}

/** `policies` is null if there is any error; warnings come with a value. */
export function readPolicies(
  text: string,
  vocabulary: Vocabulary,
  fileName = 'policies.yaml',
): { policies: Policies | null; problems: Problem[] } {
  const yaml = readYaml(fileName, text, keyRule);
  if (yaml.problems.length > 0) return { policies: null, problems: [...yaml.problems] };
  if (yaml.value === undefined || yaml.value === null) {
    const problem = errorAt(
      fileName,
      WHOLE_FILE,
      'the file is empty',
      'write "policies: []" if you want no policy at all, or copy policies.example.yaml',
    );
    return { policies: null, problems: [problem] };
  }
  const parsed = policyFile.safeParse(yaml.value);
  if (!parsed.success) {
    const faults = problemsOf(parsed.error.issues, fileName, yaml.locate);
    return { policies: null, problems: [...faults, ...checkReadable(yaml.value, vocabulary, fileName, yaml.locate)] };
  }
  const problems = checkMeaning(parsed.data, vocabulary, fileName, yaml.locate);
  if (problems.some(({ severity }) => severity === 'error')) return { policies: null, problems };
  const lints = lint(parsed.data, vocabulary, (index) => yaml.locate(['policies', index], 'value').line);
  for (const { path, fault, mend } of lints)
    problems.push({ file: fileName, ...yaml.locate(path, 'value'), severity: 'warning', fault, mend });
  const lineOf = (...path: PropertyKey[]) => yaml.locate(['policies', ...path], 'value').line;
  const lines = parsed.data.policies.map((_, index) => lineOf(index));
  const testLines = parsed.data.policies.map(({ tests }, index) =>
    tests.map((_, test) => lineOf(index, 'tests', test)),
  );
  return { policies: { file: parsed.data, lines, testLines }, problems };
}

/** Under these keys the owner's own names stand; everywhere else keys are words of the language. */
const NAMED = new Set(['args', 'agents', 'tools', 'reviewers']);

/** How keys of these files are written: in any case, with spaces or dashes for `_`. */
export function keyRule(key: string, path: readonly PropertyKey[]): string {
  const parent = path.at(-1);
  if (path.includes('tests') && path.lastIndexOf('args') > path.indexOf('tests')) return key;
  const underTools = path[0] === 'tools' && path.length <= 2;
  if (underTools && path.length > 0) return key;
  const owned = typeof parent === 'string' && NAMED.has(parent) && !(parent === 'reviewers' && path.length > 1);
  return owned
    ? key
    : key
        .trim()
        .toLowerCase()
        .replace(/[\s-]+/g, '_');
}
