import { describe, expect, test } from 'vitest';
import { problemsIn } from '../support/judge.ts';

/** The four examples of the mission; the words that can be misspelt stand in `«»`. */
const EXAMPLES = [
  '«policies»:\n  - «name»: Block all writes and deletions on GitHub\n    «when»: «an agent makes a tool call»\n    «if»: { «integration»: «GitHub», «operation»: [«Write», «Delete»] }\n    «action»: «block»\n',
  '«policies»:\n  - «name»: Require human approval before deleting a Linear issue\n    «when»: «an agent makes a tool call»\n    «if»: { «integration»: «Linear», «tool»: «Delete issue» }\n    «action»: «require approval»\n',
  '«policies»:\n  - «name»: Alert when Cursor makes any delete call\n    «when»: «an agent makes a tool call»\n    «if»: { «agent»: Cursor, «operation»: «Delete» }\n    «action»: «alert»\n',
  '«policies»:\n  - «name»: Alert when an unsanctioned agent is discovered\n    «when»: «an agent is discovered»\n    «if»: { «agent review status»: «Disallowed» }\n    «action»: «alert»\n',
];

/** As fingers do: a letter left out, doubled, swapped with the next, or beside the right one. */
function typos(word: string): string[] {
  const at = Math.floor(word.length / 2);
  return (
    [
      word.slice(0, at) + word.slice(at + 1),
      word.slice(0, at) + word[at]! + word.slice(at),
      word.slice(0, at - 1) + word[at]! + word[at - 1]! + word.slice(at + 1),
      `${word.slice(0, at)}x${word.slice(at + 1)}`,
      word.slice(1),
      word.slice(0, -1),
    ]
      .filter((typo) => typo.trim().length > 1)
      // What only spaces it otherwise is understood.
      .filter((typo) => typo.replaceAll(' ', '') !== word.replaceAll(' ', ''))
  );
}

const cases = EXAMPLES.flatMap((example) => {
  const parts = example.split(/[«»]/);
  return parts.flatMap((word, index) =>
    index % 2 === 0
      ? []
      : typos(word).map((typo) => {
          const text = parts.map((part, at) => (at === index ? typo : part)).join('');
          return [typo, word, text] as const;
        }),
  );
});

describe('a typo in any word of the examples is answered with the right word', () => {
  test('there are many', () => expect(cases.length).toBeGreaterThan(150));
  test.each(cases)('%s: did you mean %s?', (_, word, text) => {
    expect(problemsIn(text).toLowerCase().replaceAll('_', ' ')).toContain(`did you mean "${word.toLowerCase()}"?`);
  });
});
