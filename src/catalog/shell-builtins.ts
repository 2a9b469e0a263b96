/** What a shell does itself: it sets variables, binds names anew, goes to other folders, reads texts. Pure. */
import { SETS_UP_A_SHELL } from './programs.ts';
import { ANYWHERE } from './shell-folders.ts';
import type { Follower, Run } from './shell-follower.ts';
import { joined, type ShellAssignment, type ShellWord } from './shell-line.ts';
import { isStandardInput } from './shell-options.ts';
import { shellReads } from './shell-starts.ts';
import { arithmeticVariables, assignmentOf, unknownVariable, unknownVariables } from './shell-variables.ts';

type Builtin = (follower: Follower, words: readonly ShellWord[], run: Run, name: string) => void;

/** Each word is an assignment, or several; of `read "$X"` or `export $(cat .env)` only the shell knows which. */
function setEach(
  { set, variables }: Follower,
  words: readonly ShellWord[],
  assigned: (word: ShellWord) => ShellAssignment | ShellAssignment[],
): void {
  set(words.flatMap(assigned));
  if (words.some(isNamedByShell)) variables.lose();
}

function isNamedByShell({ text, dynamic }: ShellWord): boolean {
  return dynamic && /[$`{*?[]/.test(text.split('=', 1)[0]!);
}

const sets: Builtin = (follower, words) => setEach(follower, words, unknownVariables);

const cd: Builtin = ({ folders, variables }, words, { assignments }) => {
  const isLed = ['CDPATH', 'HOME', 'OLDPWD'].some(
    (name) => variables.has(name) || assignments.some((each) => each.name === name),
  );
  folders.cd(words, isLed);
};

/** They go where one has been before. */
const jump: Builtin = ({ folders }) => folders.change(ANYWHERE);

/** Only the numbers of processes and ends are filled in: `kill $!`. */
function isNumbered({ variables }: ShellWord): boolean {
  return variables?.every((name) => /^[!$?#]$/.test(name)) === true;
}

/** One variable that stands for another may set that. */
const declares: Builtin = (follower, words) => {
  setEach(follower, words, assignmentOf);
  if (words.some(({ text }) => /^-\w*n/.test(text))) follower.variables.lose(true);
};

const source: Builtin = (follower, words, { input, depth }, name) => {
  follower.variables.lose();
  const [file] = words[0]?.text === '--' ? words.slice(1) : words;
  const { findings } = follower;
  follower.own.words(name, words);
  if (file !== undefined && isStandardInput(file.text)) shellReads(follower, name, input, depth);
  else if (file?.text.startsWith('<(')) findings.every(`${name} runs what another command prints`);
  else if (!findings.mentioned(words.map(({ text }) => text).join(' '), `${name} runs what is in a file`))
    findings.opaque.push(name);
};

/** By name. */
export const BUILTINS: ReadonlyMap<string, Builtin> = new Map<string, Builtin>([
  [
    'export',
    (follower, words) => {
      setEach(follower, words, assignmentOf);
      follower.variables.export(words.map((word) => assignmentOf(word).name));
    },
  ],
  ...['declare', 'typeset', 'local', 'readonly'].map((name) => [name, declares] as const),
  ...['read', 'getopts', 'wait', 'vared'].map((name) => [name, sets] as const),
  [
    'unset',
    ({ variables }, words) => {
      variables.unset(words.map((word) => unknownVariable(word).name));
      if (words.some(isNamedByShell)) variables.lose();
    },
  ],
  ['let', (follower, words) => follower.set(words.flatMap(({ text }) => arithmeticVariables(text)))],
  [
    'printf',
    (follower, words) => {
      const at = words.findIndex(({ text }) => text.startsWith('-v'));
      const attached = words[at]?.text.slice(2) ?? '';
      const named =
        attached !== '' ? [{ text: attached, dynamic: false }] : at === -1 ? [] : words.slice(at + 1, at + 2);
      setEach(follower, named, unknownVariable);
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
      const text = joined(words[0]?.text === '--' ? words.slice(1) : words);
      if (words.length === 1 && SETS_UP_A_SHELL.test(words[0]!.text)) follower.findings.opaque.push('eval');
      else follower.text(text, depth, 'eval');
      if (text === null) follower.variables.lose();
    },
  ],
  [
    'trap',
    (follower, words, { depth }) => {
      const code = words[0]?.text === '--' ? words[1] : words[0];
      // It runs whenever something happens, wherever the line is by then.
      follower.variables.lose(true);
      const run = () => {
        follower.folders.change(ANYWHERE);
        if (code !== undefined) follower.text(isNumbered(code) ? code.text : joined([code]), depth, 'trap');
      };
      follower.apart(() => follower.heads.elsewhere(run));
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
