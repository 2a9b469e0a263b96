/** Which tools a policy is about, whoever calls and whatever the arguments. Pure. */
import type { Answer, Deed, Facts } from '../call.ts';
import { every, opposite, some, type Test } from './answers.ts';

/** Whether it may apply to such a deed: `no` only if what the tool is rules it out. */
export function mayConcern(test: Test, deed: Deed): boolean {
  return answerOf(test, { call: deed } as unknown as Facts) !== 'no';
}

function answerOf(test: Test, facts: Facts): Answer {
  const ask = (part: Test) => answerOf(part, facts);
  switch (test.kind) {
    case 'leaf':
      return test.about === 'tool' ? test.answer(facts) : 'cant tell';
    case 'all':
      return every(test.parts, ask);
    case 'any':
      return some(test.parts, ask);
    case 'not':
      return opposite(ask(test.parts[0]!));
  }
}
