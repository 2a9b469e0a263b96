/** `toolgate policy test`: judges the calls that the owner's tests describe, and compares. */
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkRules, type RuleFiles, type Rules, readRuleFiles, rulesOf } from '../config/rules.ts';
import { messageOf } from '../errors.ts';
import { readUtf8 } from '../files.ts';
import { BUILT_IN_PLACE } from '../policy/built-in.ts';
import { readTests } from '../policy/load-tests.ts';
import type { PolicyTest } from '../policy/schema-tests.ts';
import { errorAt, formatProblems, type Problem, visibleLine, WHOLE_FILE } from '../problem.ts';
import { readInstant } from '../schema.ts';
import { type House, type HouseFlags, openHouse, ownerOf } from './house.ts';
import { createStage, misspeltTool, runTest, type Stage } from './imagined.ts';
import { launches } from './on-record.ts';
import { complain, counted, print, printJson } from './output.ts';
import { ownPlaces } from './own-places.ts';

export interface TestFlags extends HouseFlags {
  /** only tests whose policy, name, call or command holds this text */
  readonly only?: string;
  /** the clock where a test says nothing */
  readonly at?: string;
  /** writes a JUnit report there */
  readonly junit?: string;
  readonly json?: boolean;
}

/** One test, with where it stands. */
interface Placed {
  /** `policies.yaml`, or the file of tests */
  readonly file: string;
  readonly line: number;
  /** the policy beside which it stands; null in a file of tests */
  readonly policy: string | null;
  readonly test: PolicyTest;
}

interface Outcome extends Placed {
  readonly title: string;
  /** what makes one doubt that it tests what is meant; null for nothing */
  readonly doubt: string | null;
  readonly faults: readonly string[];
  readonly applied: readonly string[];
}

/** Exit 0: all pass; 1: some fail; 2: no test, or a bad flag; 3: a file has mistakes. */
export async function policyTest(files: readonly string[], flags: TestFlags): Promise<number> {
  const at = flags.at === undefined ? null : readInstant(flags.at);
  if (flags.at !== undefined && at === null) {
    complain(`--at must be an instant, such as 2026-12-31T18:00:00Z, not "${flags.at}"`);
    return 2;
  }
  const house = await openHouse(flags);
  try {
    const rules = await rulesOfFiles(house, readRuleFiles(house.folders.config));
    if (rules === null) return 3;
    const placed = gather(rules, house, files);
    if (placed === null) return 3;
    const chosen = placed.filter((each) => isChosen(each, flags.only));
    if (chosen.length === 0) {
      complain(
        placed.length === 0
          ? 'there are no tests: write "tests:" below a policy, such as "- { call: github/create_issue, expect: block }"'
          : `none of the ${placed.length} tests has "${flags.only}" in its policy, name, call or command`,
      );
      return 2;
    }
    const stage = createStage(rules, launches(house, []), ownPlaces(house.folders), at);
    const outcomes = chosen.map((each) => outcomeOf(each, stage, ownerOf(house)));
    const untested = flags.only === undefined && files.length === 0 ? untestedBy(rules, outcomes) : [];
    if (flags.json) printJson({ ok: outcomes.every(({ faults }) => faults.length === 0), tests: outcomes, untested });
    else print(tree(outcomes, untested));
    if (flags.junit !== undefined && !writeReport(flags.junit, junit(outcomes))) return 3;
    return outcomes.some(({ faults }) => faults.length > 0) ? 1 : 0;
  } finally {
    await house.close();
  }
}

function writeReport(path: string, text: string): boolean {
  try {
    writeFileSync(path, text);
    return true;
  } catch (error) {
    complain(`the report can't be written: ${messageOf(error)}`);
    return false;
  }
}

/** The rules as the files stand, whatever is in force; null, and said, if they have mistakes. */
async function rulesOfFiles(house: House, files: RuleFiles): Promise<Rules | null> {
  const { artefact, problems } = await checkRules(files, house.ours);
  const errors = problems.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) complain(formatProblems(errors));
  return artefact === null || errors.length > 0 ? null : rulesOf(artefact, house.ours, house.oursHash);
}

/** The named files, or all there are: beside the policies, and in the folder `tests`. Null, and said, if one is bad. */
function gather(rules: Rules, house: House, files: readonly string[]): Placed[] | null {
  const named = files.map((path) => ({ path, shown: path }));
  const read = (files.length > 0 ? named : filesOfFolder(house)).map(readTestFile);
  const problems = read.flatMap((each) => each.problems);
  if (problems.length > 0) complain(formatProblems(problems));
  if (problems.length > 0) return null;
  return [...(files.length === 0 ? besidePolicies(rules) : []), ...read.flatMap(({ placed }) => placed)];
}

interface TestFile {
  readonly path: string;
  /** as people see it */
  readonly shown: string;
}

function filesOfFolder(house: House): TestFile[] {
  const folder = join(house.folders.config, 'tests');
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  return readdirSync(folder)
    .filter((name) => /\.ya?ml$/.test(name))
    .sort()
    .map((name) => ({ path: join(folder, name), shown: `tests/${name}` }));
}

function readTestFile({ path, shown }: TestFile): { placed: Placed[]; problems: readonly Problem[] } {
  try {
    const { tests, problems } = readTests(readUtf8(path), shown);
    return { placed: (tests ?? []).map(({ test, line }) => ({ file: shown, line, policy: null, test })), problems };
  } catch (error) {
    return { placed: [], problems: [errorAt(shown, WHOLE_FILE, `it can't be read: ${messageOf(error)}`, '')] };
  }
}

function besidePolicies({ source: { policies } }: Rules): Placed[] {
  return policies.file.policies.flatMap(({ name, tests }, index) =>
    tests.map((test, at) => ({ file: 'policies.yaml', line: policies.testLines[index]![at]!, policy: name, test })),
  );
}

function isChosen({ policy, test }: Placed, only: string | undefined): boolean {
  if (only === undefined) return true;
  const wanted = only.toLowerCase();
  return [policy, test.name, test.call, test.command, test.discovered].some((each) =>
    each?.toLowerCase().includes(wanted),
  );
}

/** The tests that fail, and what keeps others from being read, as warnings for `policy check`. */
export function failingTests(rules: Rules, house: House): Problem[] {
  const stage = createStage(rules, launches(house, []), ownPlaces(house.folders));
  const read = filesOfFolder(house).map(readTestFile);
  const failed = [...besidePolicies(rules), ...read.flatMap(({ placed }) => placed)]
    .map((placed) => outcomeOf(placed, stage, ownerOf(house)))
    .filter(({ faults }) => faults.length > 0)
    .map(({ file, line, title, faults }): Problem => {
      const fault = `the test "${title}" fails`;
      return { file, line, column: 1, severity: 'warning', fault, mend: faults.join('; '), source: '' };
    });
  // They keep nothing from being in force.
  const unread = read.flatMap(({ problems }) =>
    problems.map((problem): Problem => ({ ...problem, severity: 'warning' })),
  );
  return [...failed, ...unread];
}

function outcomeOf(placed: Placed, stage: Stage, owner: string): Outcome {
  const { test } = placed;
  return { ...placed, title: titleOf(test), doubt: misspeltTool(stage, test), ...runTest(stage, test, owner) };
}

/** `github/create_issue by Cursor {"title":"x"} → block` */
function titleOf({ name, call, command, discovered, agent, args, at, expect, would }: PolicyTest): string {
  const what = name ?? call ?? command ?? `${discovered} is discovered`;
  const who = agent === undefined || name !== undefined ? '' : ` by ${agent}`;
  const given = args === undefined || name !== undefined ? '' : ` ${JSON.stringify(args)}`;
  const when = at === undefined || name !== undefined ? '' : ` at ${new Date(at).toISOString()}`;
  return `${what}${who}${given}${when} → ${expect}${would === undefined ? '' : `, would ${would}`}`;
}

function untestedBy(rules: Rules, outcomes: readonly Outcome[]): string[] {
  const applied = new Set(outcomes.flatMap((outcome) => outcome.applied));
  return [...rules.policies.calls, ...rules.policies.discoveries]
    .filter(({ place }) => place !== BUILT_IN_PLACE)
    .map(({ source }) => source.name)
    .filter((name) => !applied.has(name));
}

function tree(outcomes: readonly Outcome[], untested: readonly string[]): string {
  const lines: string[] = [];
  let file = '';
  let policy: string | null = null;
  for (const outcome of outcomes) {
    if (outcome.file !== file) lines.push(visibleLine(outcome.file));
    if (outcome.policy !== null && (outcome.policy !== policy || outcome.file !== file))
      lines.push(`  ${visibleLine(outcome.policy)}`);
    ({ file, policy } = outcome);
    const indent = policy === null ? '  ' : '    ';
    lines.push(`${indent}${outcome.faults.length === 0 ? '✓' : '✗'} ${visibleLine(outcome.title)}`);
    if (outcome.doubt !== null)
      lines.push(`${indent}    ${outcome.file}:${outcome.line} ${visibleLine(outcome.doubt)}`);
    for (const fault of outcome.faults)
      lines.push(`${indent}    ${outcome.file}:${outcome.line} ${visibleLine(fault)}`);
  }
  const failed = outcomes.filter(({ faults }) => faults.length > 0).length;
  lines.push('', `${counted(outcomes.length, 'test', 'tests')}, ${failed === 0 ? 'all pass' : `${failed} failed`}`);
  if (untested.length > 0)
    lines.push(
      `${counted(untested.length, 'policy', 'policies')} that no test makes apply: ${untested.map(visibleLine).join('; ')}`,
    );
  return lines.join('\n');
}

/** One suite for each file, one case for each test. */
function junit(outcomes: readonly Outcome[]): string {
  const files = [...new Set(outcomes.map(({ file }) => file))];
  const suites = files.map((file) => {
    const cases = outcomes.filter((outcome) => outcome.file === file);
    const failed = cases.filter(({ faults }) => faults.length > 0).length;
    const body = cases.map(({ policy, title, faults, line }) => {
      const head = `    <testcase classname="${xml(policy ?? file)}" name="${xml(title)}" file="${xml(file)}" line="${line}"`;
      return faults.length === 0
        ? `${head}/>`
        : `${head}>\n      <failure message="${xml(faults.join('; '))}"/>\n    </testcase>`;
    });
    return `  <testsuite name="${xml(file)}" tests="${cases.length}" failures="${failed}">\n${body.join('\n')}\n  </testsuite>`;
  });
  const failures = outcomes.filter(({ faults }) => faults.length > 0).length;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites tests="${outcomes.length}" failures="${failures}">\n${suites.join('\n')}\n</testsuites>\n`;
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function xml(text: string): string {
  return visibleLine(text).replace(/[&<>"]/g, (char) => ENTITIES[char]!);
}
