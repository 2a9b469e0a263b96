import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type CaseCall, compile, discover, judge } from '../support/judge.ts';

interface Case extends CaseCall {
  readonly expect: string;
  readonly would?: string;
  readonly by?: string;
  readonly alerts?: readonly string[];
}

interface Group {
  readonly rule: string;
  readonly policies: string;
  readonly cases: readonly Case[];
}

const folder = join(import.meta.dirname, 'cases');
let count = 0;

for (const file of readdirSync(folder)) {
  const groups = parse(readFileSync(join(folder, file), 'utf8')) as Group[];
  describe(file, () => {
    for (const group of groups) {
      count += group.cases.length;
      describe(group.rule, () => {
        test.each(group.cases.map((item) => [JSON.stringify(item), item] as const))('%s', (_, item) => {
          const policies = compile(group.policies);
          if (item.discovered !== undefined) {
            expect(discover(policies, item).length > 0 ? 'alert' : 'nothing').toBe(item.expect);
            return;
          }
          const decision = judge(policies, item);
          expect(decision.effect).toBe(item.expect);
          expect(decision.would ?? undefined).toBe(item.would);
          if (item.by !== undefined) expect(decision.deciding.policy).toBe(item.by);
          if (item.alerts !== undefined) expect(decision.alerts.map(({ policy }) => policy)).toEqual(item.alerts);
        });
      });
    }
  });
}

test('there are cases', () => expect(count).toBeGreaterThan(400));
