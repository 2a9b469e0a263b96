/** Reads a file of tests, strictly, with the place of every mistake. */
import { errorAt, type Problem, WHOLE_FILE } from '../problem.ts';
import { problemsOf } from '../schema.ts';
import { readYaml } from '../yaml.ts';
import { keyRule } from './load.ts';
import { type PolicyTest, testFile } from './schema-tests.ts';

/** `tests` is null if there is any mistake. */
export function readTests(
  text: string,
  fileName: string,
): { tests: readonly { readonly test: PolicyTest; readonly line: number }[] | null; problems: readonly Problem[] } {
  const yaml = readYaml(fileName, text, keyRule);
  if (yaml.problems.length > 0) return { tests: null, problems: yaml.problems };
  if (yaml.value === undefined)
    return {
      tests: null,
      problems: [errorAt(fileName, WHOLE_FILE, 'the file is empty', 'write "tests:" and below it a list')],
    };
  const parsed = testFile.safeParse(yaml.value);
  if (!parsed.success) return { tests: null, problems: problemsOf(parsed.error.issues, fileName, yaml.locate) };
  const { tests } = parsed.data;
  return {
    tests: tests.map((test, index) => ({ test, line: yaml.locate(['tests', index], 'value').line })),
    problems: [],
  };
}
