/**
 * What a shell line does: calls of known programs; nothing; or what can't be resolved, with the integrations that it may
 * concern (DESIGN §5). Whatever is not understood is never taken for harmless. Pure: all that is not in the line comes in
 * as values.
 */

import { readArgv } from './argv.ts';
import { type CommandCall, type CommandReading, callsAcross, readCommand } from './command.ts';
import { type GitContext, mayRedirectGit } from './git-context.ts';
import { apiCalls, HTTP_CLIENTS } from './http-clients.ts';
import type { Catalog, Integration } from './load.ts';
import { holdsCall, mentions, programName } from './mentions.ts';
import {
  asksDesk,
  OWN_INTEGRATION,
  type OwnPlaces,
  type OwnTool,
  ownCall,
  ownTouch,
  speaksOfOwn,
  type Touch,
} from './own.ts';
import {
  EVALUATES,
  HARMLESS,
  INTERPRETERS,
  PACKAGE_RUNNERS,
  REBINDING,
  RUN_BY_PROGRAMS,
  SETS_UP_A_SHELL,
  SHELLS,
  STARTUP,
  STOPS,
  TEXT_PROGRAMS,
  WRAPPERS,
  type Wrapper,
  ZSH_PRECOMMANDS,
} from './programs.ts';
import type { CatalogCommand } from './schema.ts';
import { ANYWHERE, type Ends, Folders, LOST, unionOf } from './shell-folders.ts';
import {
  NO_INPUT,
  quoted,
  readShellLine,
  type ShellAssignment,
  type ShellCommand,
  type ShellInput,
  type ShellLine,
  type ShellStep,
  type ShellWord,
  UNKNOWN_INPUT,
} from './shell-line.ts';
import { isStandardInput, shellTasks } from './shell-options.ts';
import { unseenIn } from './shell-unseen.ts';
import { assignmentOf, unknownVariable, Variables } from './shell-variables.ts';
import { patchedPaths, pathsIn, pathsInText, touchesOf, touchesOfCalls } from './touching.ts';
import { unwrap, withAdded } from './unwrap.ts';

/** What is known beside the line. */
export interface ShellContext {
  /** the folder that it runs in, absolute; null if nobody said */
  readonly cwd: string | null;
  /** what `~` is; null if unknown */
  readonly home: string | null;
  /** the shell's aliases, by name */
  readonly aliases: ReadonlyMap<string, string>;
  /** of each folder that a git command works in, what git knows there; a folder that is no repository has none */
  readonly git: ReadonlyMap<string, GitContext>;
  /** of each of rclone's remotes its type, such as `drive` */
  readonly remotes: ReadonlyMap<string, string>;
  /** toolgate's own places; null where nobody asks about them */
  readonly own: OwnPlaces | null;
}

/** Something whose operation can't be told. */
export interface Unresolved {
  /** those it may concern */
  readonly integrations: 'every' | readonly Integration[];
  readonly why: string;
}

export interface Reading {
  readonly calls: readonly CommandCall[];
  readonly unresolved: readonly Unresolved[];
  /** programs that run code which is not in the line */
  readonly opaque: readonly string[];
  /** the folders that its git commands work in: what git knows there is to be read, and the line once more */
  readonly gitFolders: ReadonlySet<string>;
}

interface Program {
  readonly integration: Integration;
  readonly command: CatalogCommand;
}

function programOf(integration: Integration, name: string): Program {
  return {
    integration,
    get command() {
      return integration.commands.get(name)!;
    },
  };
}

interface KnownProgram {
  readonly name: string;
  readonly programs: readonly Program[];
  /** the words behind its name, of those that were given */
  readonly words: (given: readonly ShellWord[]) => readonly ShellWord[];
}

/** What a command is run with. */
interface Run {
  /** variables that are set for it alone */
  readonly assignments: readonly ShellAssignment[];
  readonly input: ShellInput;
  readonly depth: number;
}

const MAX_DEPTH = 8;
const MAX_COMMANDS = 2000;
const MAX_WORDS = 50_000;
/** Longer than what Linux lets a program be given in one argument. */
const MAX_LINE = 131_072;

export function readShell(catalog: Catalog, line: string, context: ShellContext): Reading {
  const reader = new Reader(catalog, context);
  if (line.length > MAX_LINE) reader.tooLong();
  else reader.line(line, 0);
  return reader;
}

class Reader implements Reading {
  readonly calls: CommandCall[] = [];
  readonly unresolved: Unresolved[] = [];
  readonly opaque: string[] = [];
  readonly gitFolders = new Set<string>();
  /** what was found of a path before */
  readonly #touched = new Map<string, OwnTool | null>();
  /** of the calls, to tell which is there already */
  readonly #keys = new Set<string>();
  readonly #catalog: Catalog;
  readonly #context: ShellContext;
  /** several where a program serves several integrations */
  readonly #programs: ReadonlyMap<string, readonly Program[]>;
  readonly #aliases: Map<string, string>;
  readonly #functions = new Map<string, readonly ShellStep[]>();
  readonly #bodies = new Map<string, ShellLine>();
  /** how deep in what may not run */
  #maybe = 0;
  /** the aliases and functions that are being followed */
  readonly #within = new Set<string>();
  readonly #folders: Folders;
  readonly #variables: Variables;
  /** what `exec < file` has made of the standard input */
  #stdin: ShellInput = NO_INPUT;
  #count = 0;
  #words = 0;
  #isOver = false;
  /** those whose API's hosts stand in what variables are set to */
  readonly #hostsHeld = new Set<Integration>();

  constructor(catalog: Catalog, context: ShellContext) {
    this.#catalog = catalog;
    this.#context = context;
    this.#aliases = new Map(context.aliases);
    this.#variables = new Variables({ home: context.home, folder: () => this.#folders.only });
    this.#folders = new Folders(context.cwd, context.home, (word) => this.#variables.completed(word));
    const programs = new Map<string, Program[]>();
    for (const integration of catalog.integrations.values())
      for (const name of integration.programs)
        programs.set(name, [...(programs.get(name) ?? []), programOf(integration, name)]);
    this.#programs = programs;
  }

  /** A line in the shell that is running: the folder that it changes to stays. */
  line(text: string, depth: number): void {
    if (depth > MAX_DEPTH) {
      this.#every('it is nested too deep to be followed');
      return;
    }
    const { steps, errors } = readShellLine(text);
    if (errors.length > 0) this.#mentioned(text, `it can't be read whole: ${errors[0]}`, 'every');
    this.#folders.leave(this.#sequence(steps, depth));
  }

  tooLong(): void {
    this.#every('it is too long to be read');
  }

  #every(why: string): void {
    this.unresolved.push({ integrations: 'every', why });
  }

  /** The integrations whose programs or API hosts stand in a text; `otherwise` if there are none. */
  #mentioned(text: string, why: string, otherwise: 'every' | 'opaque' | 'nothing', program = ''): void {
    const lower = text.toLowerCase();
    const found = this.#integrationsWhere(
      ({ commands, apiHosts }) =>
        [...commands].some(([name, command]) => mentions(lower, name, command)) || speaksOfHost(lower, apiHosts),
    );
    if (found.length > 0) this.unresolved.push({ integrations: found, why });
    else if (otherwise === 'every') this.#every(why);
    else if (otherwise === 'opaque') this.opaque.push(program);
  }

  #integrationsWhere(fits: (integration: Integration) => boolean): Integration[] {
    return [...this.#catalog.integrations.values()].filter(fits);
  }

  /** An alias may be used often. */
  #parsed(body: string): ShellLine {
    const known = this.#bodies.get(body) ?? readShellLine(body);
    this.#bodies.set(body, known);
    return known;
  }

  // --- the order in which it runs ---

  #sequence(steps: readonly ShellStep[], depth: number): Ends {
    let ends: Ends = { ok: this.#folders.now, failed: this.#folders.now };
    for (const step of steps) {
      this.#folders.leave(ends);
      ends = this.#step(step, depth);
    }
    return ends;
  }

  #step(step: ShellStep, depth: number): Ends {
    const before = this.#folders.now;
    switch (step.kind) {
      case 'command':
        this.#command(step.command, depth);
        return { ok: this.#folders.now, failed: unionOf(before, this.#folders.now) };
      case 'list': {
        let ends = this.#sequence(step.first, depth);
        for (const { operator, steps } of step.rest) {
          const { ok, failed } = ends;
          this.#folders.now = operator === '&&' ? ok : failed;
          if (operator === '||') this.#maybe++;
          const next = this.#sequence(steps, depth);
          if (operator === '||') this.#maybe--;
          ends =
            operator === '&&'
              ? { ok: next.ok, failed: unionOf(failed, next.failed) }
              : { ok: unionOf(ok, next.ok), failed: next.failed };
        }
        return ends;
      }
      case 'apart':
        this.#apart(() => this.#sequence(step.steps, depth));
        return { ok: before, failed: before };
      case 'maybe': {
        this.#maybe++;
        this.#folders.leave(this.#sequence(step.steps, depth));
        let after = unionOf(before, this.#folders.now);
        // A loop may come by again, from where it has led.
        if (after.size > before.size) {
          this.#folders.now = after;
          this.#folders.leave(this.#sequence(step.steps, depth));
          after = unionOf(after, this.#folders.now);
        }
        this.#maybe--;
        return { ok: after, failed: after };
      }
      case 'function':
        this.#functions.set(step.name, step.steps);
        this.#maybe++;
        this.#apart(() => this.#sequence(step.steps, depth));
        this.#maybe--;
        return { ok: before, failed: before };
    }
  }

  /** In a process of its own. */
  #apart(run: () => void): void {
    const stdin = this.#stdin;
    this.#folders.apart(() => this.#variables.apart(run));
    this.#stdin = stdin;
  }

  // --- one command ---

  #command({ words, assignments, input, writes, reads }: ShellCommand, depth: number): void {
    for (const word of writes) this.#touch('>', word, 'changes');
    for (const word of reads) this.#touch('<', word, 'reads');
    if (++this.#count > MAX_COMMANDS) {
      if (this.#count === MAX_COMMANDS + 1) this.#every('it has more commands than can be looked at');
      return;
    }
    for (const { name, index, value } of assignments) {
      if (index !== null && REBINDING.has(name)) this.#rebound(index, value, depth);
      else if (!value.dynamic && (hasSubstitution(value.text) || RUN_BY_PROGRAMS.test(name)))
        this.#mentioned(value.text, `what ${name} holds may run`, 'nothing');
    }
    if (words.length > 0) this.#run(words, { assignments, input, depth });
    else this.#set(assignments);
  }

  /** Variables that stay. */
  #set(assignments: readonly ShellAssignment[]): void {
    this.#variables.set(assignments, this.#maybe === 0);
    for (const { value } of assignments)
      for (const integration of this.#integrationsWhere(({ apiHosts }) => speaksOfHost(value.text, apiHosts)))
        this.#hostsHeld.add(integration);
  }

  /** `BASH_ALIASES[ls]='git push'` and its like. */
  #rebound(name: string, { text, dynamic }: ShellWord, depth: number): void {
    this.#text(dynamic ? null : text, depth, 'a name that is bound anew');
    if (!dynamic) this.#aliases.set(name, text);
  }

  #run(given: readonly ShellWord[], run: Run): void {
    const { assignments, input, depth } = run;
    if (depth > MAX_DEPTH) {
      this.#every('it is nested too deep to be followed');
      return;
    }
    const [first, ...others] = this.#variables.withProgram(withoutPrecommands(given));
    if (first === undefined) return;
    this.#words += others.length;
    if (this.#words > MAX_WORDS) {
      if (!this.#isOver) this.#every('it has more words than can be looked at');
      this.#isOver = true;
      return;
    }
    const rest = others.map((word) => this.#variables.plain(word));
    const path = this.#variables.programOf(first);
    if (path === null) {
      this.#every(`only the shell knows which program "${first.text}" is`);
      return;
    }
    const alias = this.#aliases.get(first.text);
    if (alias !== undefined && !this.#within.has(`alias ${first.text}`)) {
      this.#following(`alias ${first.text}`, () => this.#alias(first.text, alias, rest, run));
      return;
    }
    const name = programName(path);
    if (name !== '[' && name !== '[[' && /[*?[]|[@!+]\(/.test(first.text) && !first.dynamic) {
      this.#every('only the shell knows which program that pattern is');
      return;
    }
    const steps = this.#functions.get(path);
    if (steps !== undefined) {
      if (this.#within.has(`function ${path}`)) return;
      this.#following(`function ${path}`, () => this.#folders.leave(this.#sequence(steps, depth + 1)));
      // It may have the name of a program that still can be reached: `command git`, `/usr/bin/git`.
      if (!this.#programs.has(name) && !WRAPPERS.has(name) && !SHELLS.has(name)) return;
    }
    if (name === '') return;
    if (EVALUATES.has(name) && input.kind === 'text' && hasSubstitution(input.text))
      this.#mentioned(input.text, `${name} is given what runs where it is evaluated`, 'nothing');
    if (EVALUATES.has(name))
      for (const { text, dynamic } of rest)
        if (!dynamic && hasSubstitution(text)) this.#mentioned(text, `${name} runs what it evaluates`, 'nothing');
    const builtin = this.#builtins[name];
    if (builtin !== undefined) {
      builtin(rest, run);
      return;
    }
    const wrapper = WRAPPERS.get(name);
    if (wrapper !== undefined) {
      this.#wrapped(name, wrapper, rest, run);
      return;
    }
    const textual = TEXT_PROGRAMS.get(name);
    if (textual !== undefined) {
      this.#textual(name, textual, rest, run);
      return;
    }
    if (SHELLS.has(name)) {
      const startup = assignments.find((each) => STARTUP.test(each.name));
      if (startup !== undefined) this.#every(`only the shell knows what ${startup.name} makes ${name} run`);
      this.#apart(() => this.#shell(name, rest, input, depth));
      return;
    }
    const known = this.#knownProgram(name) ?? this.#ownProgram(name, rest);
    if (known !== null) {
      this.#known(known, known.words(rest), run);
      return;
    }
    this.#touchAll(name, rest);
    if (/^(apply_)?patch$/.test(name)) {
      const texts = [...rest.map(({ text }) => text), input.kind === 'text' ? input.text : ''];
      for (const text of texts.flatMap(patchedPaths)) this.#touch(name, { text, dynamic: false }, 'changes');
    }
    if (HTTP_CLIENTS.has(name)) this.#request(name, rest);
    this.#unknown(name, path, rest, run);
  }

  #knownProgram(name: string): KnownProgram | null {
    const known = this.#programs.get(name);
    if (known !== undefined) return { name, programs: known, words: (given) => given };
    // `git-push` is `git push`.
    const [, program = '', sub = ''] = /^(\w+)-(.+)$/.exec(name) ?? [];
    const parent = this.#programs.get(program);
    return parent?.some(({ command }) => Object.hasOwn(command.subcommands ?? {}, sub)) === true
      ? { name: program, programs: parent, words: (given) => [{ text: sub, dynamic: false }, ...given] }
      : null;
  }

  /** toolgate itself, started by its file. */
  #ownProgram(name: string, words: readonly ShellWord[]): KnownProgram | null {
    const own = this.#programs.get(OWN_INTEGRATION);
    const script = words.findIndex(({ text }) => !text.startsWith('-'));
    return own !== undefined && INTERPRETERS.has(name) && /(^|[\\/])toolgate\.c?js$/i.test(words[script]?.text ?? '')
      ? { name: OWN_INTEGRATION, programs: own, words: (given) => given.slice(script + 1) }
      : null;
  }

  #following(what: string, follow: () => void): void {
    this.#within.add(what);
    follow();
    this.#within.delete(what);
  }

  /** What the shell does itself. */
  readonly #builtins: { readonly [name: string]: ((words: readonly ShellWord[], run: Run) => void) | undefined } =
    Object.assign(Object.create(null), {
      export: (words: readonly ShellWord[]) => this.#set(words.map(assignmentOf)),
      declare: (words: readonly ShellWord[]) => this.#set(words.map(assignmentOf)),
      typeset: (words: readonly ShellWord[]) => this.#set(words.map(assignmentOf)),
      local: (words: readonly ShellWord[]) => this.#set(words.map(assignmentOf)),
      readonly: (words: readonly ShellWord[]) => this.#set(words.map(assignmentOf)),
      read: (words: readonly ShellWord[]) => this.#set(words.map(unknownVariable)),
      unset: (words: readonly ShellWord[]) => this.#set(words.map(unknownVariable)),
      let: (words: readonly ShellWord[]) => this.#set(words.map(unknownVariable)),
      getopts: (words: readonly ShellWord[]) => this.#set(words.map(unknownVariable)),
      printf: (words: readonly ShellWord[]) => {
        const at = words.findIndex(({ text }) => text === '-v');
        if (at !== -1) this.#set(words.slice(at + 1, at + 2).map(unknownVariable));
      },
      alias: (words: readonly ShellWord[], { depth }: Run) => {
        for (const { text, dynamic } of words) {
          const at = text.indexOf('=');
          if (at > 0) this.#rebound(text.slice(0, at), { text: text.slice(at + 1), dynamic }, depth);
        }
      },
      hash: (words: readonly ShellWord[]) => {
        if (words.some(({ text }) => /^-\w*p/.test(text))) this.#every('hash -p binds a name to another program');
      },
      eval: (words: readonly ShellWord[], { depth }: Run) => {
        if (words.length === 1 && SETS_UP_A_SHELL.test(words[0]!.text)) this.opaque.push('eval');
        else this.#text(joined(words[0]?.text === '--' ? words.slice(1) : words), depth, 'eval');
      },
      trap: (words: readonly ShellWord[], { depth }: Run) => {
        const code = words[0]?.text === '--' ? words[1] : words[0];
        if (code !== undefined) this.#apart(() => this.#text(joined([code]), depth, 'trap'));
      },
      cd: (words: readonly ShellWord[], run: Run) => this.#cd(words, run),
      chdir: (words: readonly ShellWord[], run: Run) => this.#cd(words, run),
      pushd: (words: readonly ShellWord[]) => this.#folders.pushd(words),
      popd: (words: readonly ShellWord[]) => this.#folders.popd(words),
      // They go where one has been before.
      z: () => this.#folders.change(ANYWHERE),
      zi: () => this.#folders.change(ANYWHERE),
      j: () => this.#folders.change(ANYWHERE),
      source: (words: readonly ShellWord[], run: Run) => this.#source('source', words, run),
      '.': (words: readonly ShellWord[], run: Run) => this.#source('.', words, run),
      find: (words: readonly ShellWord[], run: Run) => this.#find('find', words, run),
      fd: (words: readonly ShellWord[], run: Run) => this.#find('fd', words, run),
    });

  #cd(words: readonly ShellWord[], { assignments }: Run): void {
    const isLed = ['CDPATH', 'HOME', 'OLDPWD'].some(
      (name) => this.#variables.has(name) || assignments.some((each) => each.name === name),
    );
    this.#folders.cd(words, isLed);
  }

  // --- what runs something else ---

  /** A text that a shell reads; null where only the shell knows. */
  #text(text: string | null, depth: number, by: string): void {
    if (text === null) this.#every(`only the shell knows what ${by} runs`);
    else this.line(text, depth + 1);
  }

  #alias(name: string, body: string, rest: readonly ShellWord[], { assignments, input, depth }: Run): void {
    const { steps, errors } = this.#parsed(body);
    const last = steps.at(-1);
    // What stands behind the alias are words of its last command.
    if (errors.length > 0 || last?.kind !== 'command') {
      this.#every(`the alias "${name}" can't be followed`);
      return;
    }
    this.#folders.leave(this.#sequence(steps.slice(0, -1), depth + 1));
    const words = [...last.command.words, ...rest];
    const set = [...assignments, ...last.command.assignments];
    if (words.length > 0) this.#run(words, { assignments: set, input, depth: depth + 1 });
    else this.#set(set);
  }

  #wrapped(name: string, wrapper: Wrapper, given: readonly ShellWord[], { assignments, input, depth }: Run): void {
    const found = unwrap(wrapper, given);
    const run: Run = {
      assignments: [...assignments, ...found.assignments],
      input: found.adds ? UNKNOWN_INPUT : input,
      depth: depth + 1,
    };
    const inner = () => {
      for (const folder of found.folders) this.#folders.change(folder);
      for (const text of found.texts) this.#text(text, depth, name);
      if (found.split !== null) {
        const words = found.words.map(({ text, dynamic }) => (dynamic ? text : quoted(text)));
        this.#text(found.split === 'unknown' ? null : [found.split, ...words].join(' '), depth, name);
      } else if (wrapper.shell) this.#inShell(name, found.words, found.adds, run);
      else if (found.words.length > 0) this.#program(name, found.adds ? withAdded(found.words) : found.words, run);
      else if (found.feeds) this.#fed(name, input, depth);
      else if (name === 'exec' && input.kind !== 'none') this.#stdin = input;
    };
    if (wrapper.here || (name === 'exec' && found.words.length === 0)) inner();
    else this.#apart(inner);
  }

  /** The program that a wrapper runs. */
  #program(wrapper: string, words: readonly ShellWord[], run: Run): void {
    const first = words[0]!.text;
    if (PACKAGE_RUNNERS.has(wrapper)) {
      // A package by its name, with or without a version: known only if its program is.
      const program = programName(first.replace(/(?<=.)@[^/]*$/, ''));
      this.#touchAll(program, words.slice(1));
      if (this.#programs.has(program) || SHELLS.has(program))
        this.#run([{ text: program, dynamic: false }, ...words.slice(1)], run);
      else
        this.#mentioned(
          words.map(({ text }) => text).join(' '),
          `${wrapper} runs a package`,
          'opaque',
          `${wrapper} ${first}`,
        );
    } else this.#run(words, run);
  }

  /** Words that a wrapper joins and gives to a shell, with those that it puts in for braces. */
  #inShell(name: string, words: readonly ShellWord[], adds: boolean, { depth }: Run): void {
    const until = words.findIndex(({ text }) => /^:{3,4}\+?$/.test(text));
    const line = until === -1 ? words : words.slice(0, until);
    if (line.length === 0) this.#every(`${name} runs what it reads`);
    else if (!adds) this.#text(joined(line), depth, name);
    else {
      const text = line.map((word) => (word.dynamic ? ADDED : word.text)).join(' ');
      const filled = text.replace(/\{[\w./#%+-]*\}/g, ADDED);
      this.#text(filled === text ? `${text} ${ADDED}` : filled, depth, name);
    }
  }

  #textual(
    name: string,
    { text, operands }: { readonly text: readonly string[]; readonly operands?: true },
    words: readonly ShellWord[],
    { assignments, depth, input }: Run,
  ): void {
    const argv = readArgv(words, { values: new Set(text), names: new Set(text) });
    const given = text.flatMap((option) => argv.options.get(option) ?? []);
    for (const each of [...given, ...(operands ? argv.operands : [])])
      if (each !== true) this.#apart(() => this.#text(each, depth, name));
    if (argv.open) this.#every(`only the shell knows what ${name} runs`);
    // On some systems the command stands behind the file: `script -q /dev/null git push`.
    const file = words.findIndex((word) => !word.text.startsWith('-'));
    if (name === 'script' && given.length === 0 && file !== -1 && words.length > file + 1)
      this.#apart(() => this.#run(words.slice(file + 1), { assignments, input, depth: depth + 1 }));
    const dashes = words.findIndex((word) => word.text === '--');
    if (name === 'runuser' && dashes !== -1 && given.length === 0)
      this.#apart(() => this.#run(words.slice(dashes + 1), { assignments, input, depth: depth + 1 }));
    else if ((name === 'su' || name === 'runuser') && given.length === 0) this.#fed(name, input, depth);
  }

  #find(name: 'find' | 'fd', words: readonly ShellWord[], { input, depth }: Run): void {
    this.#touchAll(name, words);
    for (let at = 0; at < words.length; at++) {
      const starts = (name === 'fd' ? FD_STARTS : FIND_STARTS).exec(words[at]!.text);
      if (starts === null) continue;
      const rest = words.slice(at + 1);
      const end = rest.findIndex((word) => word.text === ';' || word.text === '+');
      const inner = (end === -1 ? rest : rest.slice(0, end)).map((word) =>
        word.text.includes('{}') ? { text: '$found', dynamic: true } : word,
      );
      if (starts[1] !== undefined) this.#apart(() => this.#text(starts[1]!, depth, name));
      else if (inner.length > 0) this.#apart(() => this.#run(inner, { assignments: [], input, depth: depth + 1 }));
      at += inner.length;
    }
  }

  #shell(name: string, words: readonly ShellWord[], input: ShellInput, depth: number): void {
    if (name === 'busybox') {
      if (words.length > 0) this.#run(words, { assignments: [], input, depth: depth + 1 });
      return;
    }
    for (const task of shellTasks(name, words)) {
      if (task.kind === 'text') this.#text(task.text, depth, name);
      else if (task.kind === 'file') this.opaque.push(`${name} ${task.file}`);
      else this.#fed(name, input, depth);
    }
  }

  #source(name: string, words: readonly ShellWord[], { input, depth }: Run): void {
    const [file] = words[0]?.text === '--' ? words.slice(1) : words;
    if (file !== undefined && isStandardInput(file.text)) this.#fed(name, input, depth);
    else if (file?.text.startsWith('<(')) this.#every(`${name} runs what another command prints`);
    else this.#mentioned(words.map(({ text }) => text).join(' '), `${name} runs what is in a file`, 'opaque', name);
  }

  /** A shell that is given its text by another way than its words. */
  #fed(name: string, given: ShellInput, depth: number): void {
    const input = given.kind === 'none' ? this.#stdin : given;
    switch (input.kind) {
      case 'text':
        this.line(input.text, depth + 1);
        return;
      case 'unknown':
        this.#every(`${name} runs what another command prints`);
        return;
      case 'file':
      case 'none':
        this.opaque.push(name);
    }
  }

  // --- toolgate's own places ---

  /** What a command's words name of them. */
  #touchAll(name: string, words: readonly ShellWord[]): void {
    const { own } = this.#context;
    if (own !== null && STOPS.has(name) && words.some(({ text }) => text.toLowerCase().includes('toolgate')))
      this.#own(name, 'stop', null);
    if (own !== null && !HARMLESS.has(name) && words.some(({ text }) => asksDesk(own, text)))
      this.#own(name, 'ask_desk', null);
    for (const { word, touch } of touchesOf(name, words)) {
      this.#touch(name, word, touch);
      // A text of several words may be code.
      if (/[\s'"]/.test(word.text))
        for (const text of pathsInText(word.text)) this.#touch(name, { text, dynamic: false }, touch);
    }
  }

  /** Whether it touches any. */
  #touch(name: string, word: ShellWord, touch: Touch): boolean {
    const { own } = this.#context;
    for (const text of pathsIn(word))
      for (const from of this.#folders.now) {
        const part = { ...word, text, dynamic: word.dynamic && /[$`]/.test(text) };
        const path = this.#folders.resolved(part, from, 'kept');
        if (typeof path !== 'string') continue;
        const isByHand = touch !== 'reads' && name !== 'git' && !word.text.startsWith('-');
        if (isByHand && /\/\.git(\/|$)/i.test(path)) this.#byHand(path);
        const tool = own === null ? null : this.#ownTouch(own, path, touch);
        if (tool !== null) {
          this.#own(name, tool, path);
          return true;
        }
      }
    return false;
  }

  #ownTouch(own: OwnPlaces, path: string, touch: Touch): OwnTool | null {
    const key = `${touch} ${path}`;
    const known = this.#touched.get(key);
    const tool = known === undefined ? ownTouch(own, path, touch) : known;
    this.#touched.set(key, tool);
    return tool;
  }

  /** A repository's own files, changed without git. */
  #byHand(path: string): void {
    const git = this.#catalog.integrations.get('git');
    const why = `${path} belongs to a repository, and is changed without git`;
    if (git !== undefined && !this.unresolved.some((each) => each.why === why))
      this.unresolved.push({ integrations: [git], why });
  }

  #own(name: string, tool: OwnTool, path: string | null): void {
    const call = ownCall(this.#catalog, tool, name, path);
    if (call !== null) this.#add(call);
  }

  /** Code that nobody reads, and that speaks of toolgate's own places. */
  #ownInCode(code: string, by: string): void {
    const { own, home } = this.#context;
    const integration = this.#catalog.integrations.get(OWN_INTEGRATION);
    if (own === null || integration === undefined) return;
    const touches = pathsInText(code).some((text) =>
      [...this.#folders.now].some((from) => {
        const path = this.#folders.resolved({ text, dynamic: false }, from, 'kept');
        return typeof path === 'string' && this.#ownTouch(own, path, 'changes') !== null;
      }),
    );
    if (touches || speaksOfOwn(own, code, home))
      this.unresolved.push({ integrations: [integration], why: `the code of ${by} speaks of toolgate's own files` });
  }

  /** What is read twice is there once: a function where it stands and where it is called, a loop. */
  #add(call: CommandCall): void {
    const { integration, name, possible, tools, canonical, argument } = call;
    const key = JSON.stringify([integration.id, name, possible, tools, canonical.map(argument)]);
    if (this.#keys.has(key)) return;
    this.#keys.add(key);
    this.calls.push(call);
  }

  // --- what nobody reads ---

  #unknown(name: string, path: string, words: readonly ShellWord[], { input }: Run): void {
    const unseen = unseenIn(name, path, words, input);
    if (unseen === null) return;
    const { looksFor, texts, why, isCode, opaque } = unseen;
    const code = texts.join(' ');
    if (isCode) this.#ownInCode(code, name);
    if (looksFor === 'nothing') this.#every(why);
    else if (looksFor === 'mentions') this.#mentioned(code, why, opaque === null ? 'nothing' : 'opaque', opaque ?? '');
    else if (!this.#holding(texts, why) && opaque !== null) this.opaque.push(opaque);
  }

  /** Whether words hold a call of a program that the catalog knows. */
  #holding(words: readonly string[], why: string): boolean {
    const found = this.#integrationsWhere(({ commands }) =>
      [...commands].some(([program, command]) => holdsCall(words, program, command)),
    );
    if (found.length > 0) this.unresolved.push({ integrations: found, why });
    return found.length > 0;
  }

  // --- what the catalog knows ---

  /** Requests of curl and its like. Where the host is in a variable it may be any that the line has put into one. */
  #request(name: string, words: readonly ShellWord[]): void {
    const calls = apiCalls(this.#catalog, name, words);
    for (const call of calls) this.#add(call);
    if (calls.length === 0 && this.#hostsHeld.size > 0 && words.some(({ dynamic }) => dynamic))
      this.unresolved.push({ integrations: [...this.#hostsHeld], why: `only the shell knows which host ${name} asks` });
  }

  #known({ name, programs }: KnownProgram, words: readonly ShellWord[], run: Run): void {
    const { assignments } = run;
    const read = ({ integration, command }: Program): CommandReading[] =>
      [...this.#folders.now].map((folder) =>
        readCommand(name, integration, command, words, {
          folder: folder === LOST ? null : folder,
          isLost: folder === LOST,
          within: (from, word) => this.#folders.resolved(word, from),
          gitAt: (at) => {
            this.gitFolders.add(at);
            return this.#context.git.get(at) ?? null;
          },
        }),
      );
    // Of a program that serves several integrations, those that know this command; all of them, if none does.
    const found = this.#concerned(programs, words).map((program) => ({ ...program, readings: read(program) }));
    const knowing = found.filter(({ readings }) => readings.some(({ call }) => call !== null));
    const variable =
      assignments.find((each) => mayRedirectGit(each.name, each.value))?.name ?? this.#variables.redirectsGit;
    for (const { integration, readings } of knowing.length > 0 ? knowing : found) {
      const led =
        name === 'gh'
          ? [...assignments.map((each) => each.name), ...this.#variables.names].find((each) =>
              /^GH_(REPO|HOST)$/.test(each),
            )
          : undefined;
      if (led !== undefined)
        this.unresolved.push({
          integrations: [integration],
          why: `${led} is set in the line, so it is about another repository`,
        });
      if (name === 'git' && variable !== null)
        this.unresolved.push({
          integrations: [integration],
          why: `${variable} is set in the line, which may make git run something else`,
        });
      const faults = new Set(readings.flatMap(({ unresolved }) => (unresolved === null ? [] : [unresolved])));
      for (const why of faults) this.unresolved.push({ integrations: [integration], why });
      this.#took(name, words, readings, run);
    }
  }

  /** Of a program that reaches services by names of its own, those integrations that the names in these words are. */
  #concerned(programs: readonly Program[], words: readonly ShellWord[]): readonly Program[] {
    if (programs.every(({ command }) => command.remote === undefined)) return programs;
    const remotes = words.flatMap(({ text, dynamic }) =>
      dynamic ? [null] : [...text.matchAll(/^:?([\w.+@ -]{2,}?):/g)].map((each) => each[1]!),
    );
    const types = remotes.map((each) => (each === null ? null : (this.#context.remotes.get(each) ?? null)));
    const isSure = !types.includes(null) && types.length > 0 && !words.some(({ text }) => text.startsWith('--config'));
    return isSure ? programs.filter(({ command }) => types.includes(command.remote ?? '')) : programs;
  }

  /** What a known command does, and what it starts. */
  #took(name: string, words: readonly ShellWord[], readings: readonly CommandReading[], run: Run): void {
    const calls = callsAcross(readings);
    for (const call of calls) this.#add(call);
    // One that it touches says enough.
    if (name !== OWN_INTEGRATION)
      touchesOfCalls(name, words, calls).some(({ word, touch }) => this.#touch(name, word, touch));
    // The shell that it starts has the folder that it had.
    this.#apart(() => {
      for (const text of new Set(readings.flatMap(({ runs }) => runs))) this.#text(text, run.depth, name);
      for (const inner of readings[0]?.programs ?? []) this.#run(inner, { ...run, depth: run.depth + 1 });
      for (const { programs } of readings.slice(1))
        if (JSON.stringify(programs) !== JSON.stringify(readings[0]!.programs))
          for (const inner of programs) this.#run(inner, { ...run, depth: run.depth + 1 });
    });
  }
}

/** Options behind which a program stands, for each file that is found. */
const FIND_STARTS = /^-(?:exec|execdir|ok|okdir)$/;
const FD_STARTS = /^(?:-[a-zA-Z]*[xX]|--exec|--exec-batch)(?:=(.*))?$/s;

/** What stands in a line for something that nobody knows. */
const ADDED = '"$added"';

function withoutPrecommands(given: readonly ShellWord[]): readonly ShellWord[] {
  let words = given;
  while (words.length > 1 && ZSH_PRECOMMANDS.has(words[0]!.text)) words = words.slice(1);
  if (words[0]?.text !== 'repeat' || words.length < 3) return words;
  const body = words.slice(2);
  return body[0]!.text === '{' || body[0]!.text === 'do' ? body.slice(1) : body;
}

/** The words as one line; null where only the shell knows. */
function joined(words: readonly ShellWord[]): string | null {
  return words.some(({ dynamic }) => dynamic) ? null : words.map(({ text }) => text).join(' ');
}

/** Whether a text speaks of a host of an API. */
function speaksOfHost(text: string, hosts: readonly string[]): boolean {
  const lower = text.toLowerCase();
  return hosts.some((host) => lower.includes(host.replace(/^\*\.?/, '').toLowerCase()));
}

/** Of a text that the shell took as it stands: whether it runs something once it is evaluated. */
function hasSubstitution(text: string): boolean {
  return text.includes('$(') || text.includes('`');
}
