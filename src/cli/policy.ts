/** `toolgate policy check`. */

import { checkRules, readRuleFiles, rulesOf } from '../config/rules.ts';
import { formatProblems, inOrder } from '../problem.ts';
import { type HouseFlags, openHouse } from './house.ts';
import { complain, print, printJson } from './output.ts';
import { failingTests } from './policy-test.ts';
import { serversOff } from './servers.ts';

/** Exit 0: usable; 1: errors. Warnings alone are 0. */
export async function policyCheck(flags: HouseFlags & { json?: boolean }): Promise<number> {
  const house = await openHouse(flags);
  const { artefact, problems, complete } = await checkRules(readRuleFiles(house.folders.config), house.ours);
  // They are no part of the rules: a test that fails keeps nothing from being in force.
  if (artefact !== null && complete)
    problems.push(...failingTests(rulesOf(artefact, house.ours, house.oursHash), house));
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
  return errors > 0 ? 1 : 0;
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
