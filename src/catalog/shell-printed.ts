/** What a substitution surely prints, though nobody runs it: the branch, or a commit, which is no option. Pure. */

const BRANCH =
  /^\$\(git (?:branch --show-current|rev-parse --abbrev-ref (?:HEAD|@)|symbolic-ref (?:-q )?--short HEAD)\)/;

/** A commit, or the word that is given. A tag may be called `--force`. */
const NAME =
  /^\$\(git (?:rev-parse(?: --short(?:=\d+)?| --verify)*(?: [\w@][\w./~^@{}-]*)+|merge-base(?: [\w@=./~^{}-]+)*|(?:log|rev-list)(?: (?:-n ?\d+|-\d+|--max-count=\d+|--format=%[hH]|--reverse|[\w@][\w./~^@{}-]*))*)\)/;

export type Printed = 'branch' | 'name';

/** Of a word as it is written: what it begins with; null where it may be anything. */
export function printedFirst(text: string): Printed | null {
  if (!text.startsWith('$(git ')) return null;
  if (BRANCH.test(text)) return 'branch';
  // A log without a format of its own prints more than commits.
  return NAME.test(text) && (!text.startsWith('$(git log') || text.includes(' --format=%')) ? 'name' : null;
}
