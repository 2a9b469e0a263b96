import { describe, expect, test } from 'vitest';
import { readPolicies } from '../../src/policy/load.ts';
import { formatProblems } from '../../src/problem.ts';
import { compile, problemsIn, vocabulary } from '../support/judge.ts';

const one = (body: string) => `policies:\n  - { name: x, ${body} }\n`;
const two = (first: string, second: string) => `policies:\n  - { name: a, ${first} }\n  - { name: b, ${second} }\n`;

/** What is less than it seems, and the first words of what is said. */
const LESS: readonly [string, string, string][] = [
  [
    'a folder that nothing can be',
    one('if: { any: [{ workspace: [~/code, ./work, "*/x"] }] }, action: block'),
    '"./work" is no whole path, so it matches no folder',
  ],
  [
    '…and its mend',
    one('if: { workspace: clients/acme }, action: block'),
    'write it from "/" or "~/", or "**/clients/acme" for wherever it is',
  ],
  [
    'an operation that the tool never does',
    one('if: { integration: Linear, tool: Delete issue, operation: Read }, action: block'),
    'the catalog knows "Delete issue" as a Delete: with this operation it applies only where that isn\'t sure',
  ],
  [
    'numbers that exclude each other',
    one('if: { args: { amount: { over: 500, under: 100 } } }, action: block'),
    'no single value can be both: this applies only to lists',
  ],
  [
    'a limit that leaves nothing',
    one('if: { args: { amount: { at_least: 5, under: 5 } } }, action: block'),
    'no single value can be both: this applies only to lists',
  ],
  [
    'all that is named is excepted',
    one('if: { args: { branch: { is: [main], is_not: [main, dev] } } }, action: block'),
    '"is_not" excepts all that "is" names',
  ],
  [
    'not excepts what stands beside it',
    one('if: { integration: GitHub, operation: Write, not: { integration: [github, Linear] } }, action: block'),
    '"not" excepts everything that stands beside it',
  ],
  [
    'unless excepts what it is about',
    one('if: { integration: GitHub, operation: Delete }, unless: { operation: [Write, Delete] }, action: block'),
    '"unless" excepts everything that "if" is about',
  ],
  [
    'an approval that a block hides',
    two(
      'if: { integration: GitHub }, action: block',
      'if: { integration: github, operation: Write }, action: require approval',
    ),
    '"b" never decides: "a" (line 2) applies wherever it does, and is stricter',
  ],
  [
    'an allow that an approval hides, since it lifts only the defaults',
    two(
      'if: { operation: [Write, Delete] }, action: require approval',
      'if: { tool: Delete issue, integration: Linear }, action: allow',
    ),
    'an allow policy lifts only the defaults',
  ],
  [
    'one that a block of everything hides',
    two('if: { integration: GitHub }, action: require approval', 'action: block'),
    '"a" never decides: "b" (line 3) applies wherever it does',
  ],
  [
    'deep in any, all and not',
    one('if: { any: [{ all: [{ not: { args: { n: { over: 2, under: 1 } } } }] }, { user: ann }] }, action: block'),
    'no single value can be both: this applies only to lists',
  ],
  [
    'a kind of redaction that is misspelt',
    one('if: { tool: "*" }, action: alert, redact: { result: [email] }'),
    'did you mean "emails"?',
  ],
];

/** What looks like it and is sound. */
const SOUND: readonly [string, string][] = [
  [
    'an operation that arguments may make of it',
    one('if: { integration: Git, tool: Push, operation: Delete }, action: block'),
  ],
  ['a tool that the catalog doesn’t know', one('if: { server: shop, tool: get_it, operation: Delete }, action: block')],
  [
    'folders from the root, the home and anywhere',
    one('if: { workspace: [/srv/*, ~/code, "**/x", "*acme*"] }, action: block'),
  ],
  ['numbers that meet', one('if: { args: { n: { at_least: 5, at_most: 5 } } }, action: block')],
  ['a narrower unless', one('if: { operation: [Write, Delete] }, unless: { operation: Write }, action: block')],
  [
    'a block with an unless',
    two(
      'if: { integration: GitHub }, unless: { agent: Cursor }, action: block',
      'if: { integration: GitHub }, action: require approval',
    ),
  ],
  [
    'a block that ends',
    two(
      'if: { integration: GitHub }, expires: "2030-01-01", action: block',
      'if: { integration: GitHub }, action: require approval',
    ),
  ],
  [
    'a block on trial',
    two(
      'if: { integration: GitHub }, mode: monitor, action: block',
      'if: { integration: GitHub }, action: require approval',
    ),
  ],
  [
    'a block that is off',
    two(
      'if: { integration: GitHub }, enabled: false, action: block',
      'if: { integration: GitHub }, action: require approval',
    ),
  ],
  [
    'an alert under a block',
    two('if: { integration: GitHub }, action: block', 'if: { integration: GitHub }, action: alert'),
  ],
  [
    'one that reaches further',
    two(
      'if: { integration: GitHub, operation: Write }, action: block',
      'if: { integration: GitHub }, action: require approval',
    ),
  ],
  [
    'a discovery',
    two('if: { agent: Cursor }, action: block', 'when: agent discovered, if: { agent: Cursor }, action: alert'),
  ],
  [
    'a milder one that is wider',
    two(
      'if: { integration: GitHub }, action: require approval',
      'if: { integration: GitHub, operation: Write }, action: block',
    ),
  ],
];

describe('rules that are less than they seem', () => {
  test.each(LESS)('%s', (_, text, message) => {
    expect(problemsIn(text)).toContain('warning: ');
    expect(problemsIn(text)).toContain(message);
    expect(() => compile(text)).not.toThrow();
  });
  test.each(SOUND)('nothing is said of %s', (_, text) =>
    expect(problemsIn(text)).not.toMatch(/never|taken for|no whole path/),
  );

  test('an integration that no server is, where every server is known', () => {
    const words = { ...vocabulary, offered: ['github', 'git'] };
    const said = (text: string) => formatProblems(readPolicies(text, words).problems);
    expect(said(one('if: { integration: [Linear, Notion], operation: Write }, action: block'))).toContain(
      'policies.yaml:2:35 warning: no server of servers.json is "Linear" or "Notion", so this never applies',
    );
    expect(said(one('if: { integration: [Linear, GitHub], operation: Write }, action: block'))).toBe('');
    expect(said(one('if: { integration: "*", operation: Write }, action: block'))).toBe('');
    expect(problemsIn(one('if: { integration: Linear, operation: Write }, action: block'))).toBe('');
  });
});
