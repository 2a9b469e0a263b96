/** What a substitution surely prints, though nobody runs it: the branch, or a commit, which is no option. Pure. */

const BRANCH =
  /^\$\(git (?:branch --show-current|rev-parse --abbrev-ref (?:HEAD|@)|symbolic-ref (?:-q --short|--short -q|--short) HEAD)(?: 2>\/dev\/null)?\)/;

/** A commit, or the word that is given. A tag may be called `--force`. */
const NAME =
  /^\$\(git (?:rev-parse(?: --short(?:=\d+)?| --verify)*(?: [\w@][\w./~^@{}-]*)+|merge-base(?: [\w@=./~^{}-]+)*|(?:log|rev-list)(?: (?:-n ?\d+|-\d+|--max-count=\d+|--format=%[hH]|--reverse|[\w@][\w./~^@{}-]*))*)\)/;

/** The top of the repository, which is configured as all of it is. */
export const TOP = '$(git rev-parse --show-toplevel)';

export type Printed = 'branch' | 'name' | 'folder';

/** Written for a word that nobody knows, but for that it is no option. */
export const NO_OPTION = '$()';

/** Of a word as it is written: what it begins with; null where it may be anything. */
export function printedFirst(text: string): Printed | null {
  if (text.startsWith(NO_OPTION)) return 'name';
  if (text.startsWith(TOP)) return 'folder';
  if (!text.startsWith('$(git ')) return null;
  if (BRANCH.test(text)) return 'branch';
  // A log without a format of its own prints more than commits.
  return NAME.test(text) && (!text.startsWith('$(git log') || text.includes(' --format=%')) ? 'name' : null;
}
