/** Programs that run others, or give a shell what it reads: wrappers, shells, `find -exec`, `script -c`. Pure. */
import { readArgv } from './argv.ts';
import { programName } from './mentions.ts';
import { OWN_INTEGRATION } from './own.ts';
import { PACKAGE_RUNNERS, SHELLS, type TextProgram, type Wrapper } from './programs.ts';
import type { Follower, Run } from './shell-follower.ts';
import { joined, quoted, type ShellInput, type ShellWord, UNKNOWN_INPUT, withoutSubstitutions } from './shell-line.ts';
import { shellTasks } from './shell-options.ts';
import { unknownVariables } from './shell-variables.ts';
import { type Unwrapped, unwrap, withAdded } from './unwrap.ts';

/** `sudo`, `env`, `xargs` and their like. */
export function startWrapped(
  follower: Follower,
  name: string,
  wrapper: Wrapper,
  given: readonly ShellWord[],
  { assignments, input, depth }: Run,
): void {
  const { folders, text, apart, child } = follower;
  const found = unwrap(wrapper, given);
  // Its own words may name files: `time -o FILE`, `flock FILE`.
  follower.own.words(name, given.slice(0, given.length - found.words.length));
  const run: Run = {
    assignments: [...assignments, ...found.assignments],
    input: found.adds ? UNKNOWN_INPUT : input,
    depth: depth + 1,
  };
  const inner = () => {
    for (const folder of found.folders) folders.change(folder);
    for (const each of found.texts) child(run.assignments, () => text(each, depth, name));
    if (found.split !== null) {
      const words = found.words.map((word) => (word.dynamic ? word.text : quoted(word.text)));
      text(found.split === 'unknown' ? null : [found.split, ...words].join(' '), depth, name);
    } else if (wrapper.shell) child(run.assignments, () => inShell(follower, name, found, run));
    else if (found.words.length > 0)
      startProgram(follower, name, found.adds ? withAdded(found.words) : found.words, run);
    else if (found.feeds) shellReads(follower, name, input, depth);
    else if (name === 'exec' && input.kind !== 'none') follower.stdin = input;
  };
  if (wrapper.here || (name === 'exec' && found.words.length === 0)) inner();
  else apart(inner);
}

/** The program that a wrapper runs. */
function startProgram(follower: Follower, wrapper: string, words: readonly ShellWord[], run: Run): void {
  if (!PACKAGE_RUNNERS.has(wrapper)) {
    follower.run(words, run);
    return;
  }
  const first = words[0]!.text;
  // A package by its name, with or without a version: known only if its program is.
  const program = programName(first.replace(/(?<=.)@[^/]*$/, ''));
  follower.own.words(program, words.slice(1));
  const texts = words.map(withoutSubstitutions);
  if (follower.isKnown(program) || SHELLS.has(program))
    follower.run([{ text: program, dynamic: false }, ...words.slice(1)], run);
  else if (!follower.findings.holding(texts, `${wrapper} runs a package`))
    follower.findings.opaque.push(`${wrapper} ${first}`);
}

/** Words that a wrapper joins and gives to a shell, with those that it puts in for braces. */
function inShell({ findings, text }: Follower, name: string, { words, adds }: Unwrapped, { depth }: Run): void {
  const until = words.findIndex((word) => /^:{3,4}\+?$/.test(word.text));
  const line = until === -1 ? words : words.slice(0, until);
  if (line.length === 0) findings.every(`${name} runs what it reads`);
  else if (!adds) text(joined(line), depth, name);
  else {
    const whole = line.map((word) => (word.dynamic ? ADDED : word.text)).join(' ');
    const filled = whole.replace(/\{[\w./#%+-]*\}/g, ADDED);
    text(filled === whole ? `${whole} ${ADDED}` : filled, depth, name);
  }
}

/** What stands in a line for something that nobody knows. */
const ADDED = '"$added"';

/** Programs that have a shell run what an option or their operands say: `su -c`, `watch`. */
export function startTextual(
  follower: Follower,
  name: string,
  { text: options, operands }: TextProgram,
  words: readonly ShellWord[],
  { assignments, depth, input }: Run,
): void {
  const { findings, apart, child, run, text } = follower;
  follower.own.words(name, words);
  const argv = readArgv(words, { values: new Set(options), names: new Set(options) });
  const given = options.flatMap((option) => argv.options.get(option) ?? []);
  for (const each of [...given, ...(operands ? argv.operands : [])])
    if (each !== true) child(assignments, () => text(each, depth, name));
  // `mapfile X` sets X.
  if (SETS_ARRAYS.has(name)) follower.set(words.flatMap(unknownVariables));
  if (argv.open) findings.every(`only the shell knows what ${name} runs`);
  const behind = (at: number) => apart(() => run(words.slice(at + 1), { assignments, input, depth: depth + 1 }));
  // On some systems the command stands behind the file: `script -q /dev/null git push`.
  const file = words.findIndex((word) => !word.text.startsWith('-'));
  if (name === 'script' && given.length === 0 && file !== -1 && words.length > file + 1) behind(file);
  const dashes = words.findIndex((word) => word.text === '--');
  if (name === 'runuser' && dashes !== -1 && given.length === 0) behind(dashes);
  else if ((name === 'su' || name === 'runuser') && given.length === 0) shellReads(follower, name, input, depth);
}

const SETS_ARRAYS: ReadonlySet<string> = new Set(['mapfile', 'readarray', 'compgen']);

/** Options behind which a program stands, for each file that is found. */
const STARTS: ReadonlyMap<string, RegExp> = new Map([
  ['find', /^-(?:exec|execdir|ok|okdir)$/],
  ['fd', /^(?:-[a-zA-Z]*[xX]|--exec|--exec-batch)(?:=(.*))?$/s],
]);

/** Programs that find files, and may run another for each; they touch the files as well. */
export function isFinder(name: string): boolean {
  return STARTS.has(name);
}

export function startFound(
  { own, apart, run, text }: Follower,
  name: string,
  words: readonly ShellWord[],
  { input, depth }: Run,
): void {
  own.words(name, words);
  for (let at = 0; at < words.length; at++) {
    const starts = STARTS.get(name)!.exec(words[at]!.text);
    if (starts === null) continue;
    const rest = words.slice(at + 1);
    const end = rest.findIndex((word) => word.text === ';' || word.text === '+');
    const inner = (end === -1 ? rest : rest.slice(0, end)).map((word) =>
      word.text.includes('{}') ? { text: '$found', dynamic: true } : word,
    );
    if (starts[1] !== undefined) apart(() => text(starts[1]!, depth, name));
    else if (inner.length > 0) apart(() => run(inner, { assignments: [], input, depth: depth + 1 }));
    at += inner.length;
  }
}

/** A shell by its own name: `bash -c …`, `sh x.sh`, `… | sh`. */
export function startShell(follower: Follower, name: string, words: readonly ShellWord[], { input, depth }: Run): void {
  if (name === 'busybox') {
    if (words.length > 0) follower.run(words, { assignments: [], input, depth: depth + 1 });
    return;
  }
  for (const task of shellTasks(name, words)) {
    if (task.kind === 'text') follower.text(task.text, depth, name);
    else if (task.kind === 'file') {
      const at = words.findIndex(({ text }) => text === task.file);
      // The launcher is a script too.
      if (programName(task.file) === OWN_INTEGRATION)
        follower.run([{ text: OWN_INTEGRATION, dynamic: false }, ...words.slice(at + 1)], {
          assignments: [],
          input,
          depth: depth + 1,
        });
      else follower.findings.opaque.push(`${name} ${task.file}`);
    } else shellReads(follower, name, input, depth);
  }
}

/** A shell that is given its text by another way than its words. */
export function shellReads(follower: Follower, name: string, given: ShellInput, depth: number): void {
  const input = given.kind === 'none' ? follower.stdin : given;
  switch (input.kind) {
    case 'text':
      follower.text(input.text, depth, name);
      return;
    case 'unknown':
      follower.findings.every(`${name} runs what another command prints`);
      return;
    case 'file':
    case 'none':
      follower.findings.opaque.push(name);
  }
}
