/** `toolgate policy check`. */

import { checkRules, readRuleFiles, rulesOf } from '../config/rules.ts';
import { messageOf } from '../errors.ts';
import { formatProblems, inOrder } from '../problem.ts';
import { type HouseFlags, openHouse } from './house.ts';
import { complain, print, printJson } from './output.ts';
import { lintHere } from './policy-lint.ts';
import { failingTests } from './policy-test.ts';
import { serversOff } from './servers.ts';

export interface CheckFlags extends HouseFlags {
  /** warnings count as errors */
  readonly strict?: boolean;
  readonly json?: boolean;
}

/** Exit 0: usable; 1: errors, or with `--strict` warnings. */
export async function policyCheck(flags: CheckFlags): Promise<number> {
  const house = await openHouse(flags);
  const { artefact, problems, complete } = await checkRules(readRuleFiles(house.folders.config), house.ours);
  if (artefact !== null && complete) {
    const rules = rulesOf(artefact, house.ours, house.oursHash);
    // These are no part of the rules: nothing that is found here keeps them from being in force.
    problems.push(...failingTests(rules, house));
    await lintHere(house, rules, Date.now()).then(
      (found) => problems.push(...found),
      (error) => complain(`warning: what this machine has could not be looked at: ${messageOf(error)}`),
    );
  }
  const off = artefact === null ? [] : serversOff(house.folders.config);
  await house.close();
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  if (flags.json) printJson({ ok: errors === 0, problems: inOrder(problems), off });
  else if (problems.length > 0) print(formatProblems(problems));
  if (!flags.json) {
    const policies = artefact?.policies.file.policies.length ?? 0;
    const summary =
      errors > 0
        ? `${count(errors, 'error')}; nothing changes until they are mended`
        : `${count(policies, 'policy', 'policies')}, ${count(problems.length, 'warning')}`;
    for (const why of off) complain(`warning: ${why} (as seen from this shell)`);
    complain(summary);
  }
  return errors > 0 || (flags.strict === true && problems.length > 0) ? 1 : 0;
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
