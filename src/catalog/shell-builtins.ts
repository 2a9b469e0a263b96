/** What a shell does itself: it sets variables, binds names anew, goes to other folders, reads texts. Pure. */
import { SETS_UP_A_SHELL } from './programs.ts';
import { ANYWHERE } from './shell-folders.ts';
import type { Follower, Run } from './shell-follower.ts';
import { joined, type ShellAssignment, type ShellWord } from './shell-line.ts';
import { isStandardInput } from './shell-options.ts';
import { shellReads } from './shell-starts.ts';
import { assignmentOf, unknownVariable } from './shell-variables.ts';

type Builtin = (follower: Follower, words: readonly ShellWord[], run: Run, name: string) => void;

const sets =
  (assignment: (word: ShellWord) => ShellAssignment): Builtin =>
  (follower, words) =>
    follower.set(words.map(assignment));

const cd: Builtin = ({ folders, variables }, words, { assignments }) => {
  const isLed = ['CDPATH', 'HOME', 'OLDPWD'].some(
    (name) => variables.has(name) || assignments.some((each) => each.name === name),
  );
  folders.cd(words, isLed);
};

/** They go where one has been before. */
const jump: Builtin = ({ folders }) => folders.change(ANYWHERE);

const source: Builtin = (follower, words, { input, depth }, name) => {
  const [file] = words[0]?.text === '--' ? words.slice(1) : words;
  const { findings } = follower;
  if (file !== undefined && isStandardInput(file.text)) shellReads(follower, name, input, depth);
  else if (file?.text.startsWith('<(')) findings.every(`${name} runs what another command prints`);
  else if (!findings.mentioned(words.map(({ text }) => text).join(' '), `${name} runs what is in a file`))
    findings.opaque.push(name);
};

/** By name. */
export const BUILTINS: ReadonlyMap<string, Builtin> = new Map<string, Builtin>([
  ...['export', 'declare', 'typeset', 'local', 'readonly'].map((name) => [name, sets(assignmentOf)] as const),
  ...['read', 'unset', 'let', 'getopts'].map((name) => [name, sets(unknownVariable)] as const),
  [
    'printf',
    (follower, words) => {
      const at = words.findIndex(({ text }) => text === '-v');
      if (at !== -1) follower.set(words.slice(at + 1, at + 2).map(unknownVariable));
    },
  ],
  [
    'alias',
    (follower, words, { depth }) => {
      for (const { text, dynamic } of words) {
        const at = text.indexOf('=');
        if (at > 0) follower.rebind(text.slice(0, at), { text: text.slice(at + 1), dynamic }, depth);
      }
    },
  ],
  [
    'hash',
    ({ findings }, words) => {
      if (words.some(({ text }) => /^-\w*p/.test(text))) findings.every('hash -p binds a name to another program');
    },
  ],
  [
    'eval',
    (follower, words, { depth }) => {
      if (words.length === 1 && SETS_UP_A_SHELL.test(words[0]!.text)) follower.findings.opaque.push('eval');
      else follower.text(joined(words[0]?.text === '--' ? words.slice(1) : words), depth, 'eval');
    },
  ],
  [
    'trap',
    (follower, words, { depth }) => {
      const code = words[0]?.text === '--' ? words[1] : words[0];
      if (code !== undefined) follower.apart(() => follower.text(joined([code]), depth, 'trap'));
    },
  ],
  ['cd', cd],
  ['chdir', cd],
  ['pushd', ({ folders }, words) => folders.pushd(words)],
  ['popd', ({ folders }, words) => folders.popd(words)],
  ['z', jump],
  ['zi', jump],
  ['j', jump],
  ['source', source],
  ['.', source],
]);
