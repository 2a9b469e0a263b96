/**
 * What a shell line does: calls of known programs; nothing; or what can't be resolved, with the integrations that it may
 * concern (DESIGN §5). Whatever is not understood is never taken for harmless. Pure: all that is not in the line comes in
 * as values.
 */

import { normalisePath } from './arguments.ts';
import { type CommandCall, readCommand } from './command.ts';
import { GIT_VARIABLES, type GitContext } from './git-context.ts';
import type { Catalog, Integration } from './load.ts';
import {
  FOREIGN_SHELLS,
  HARMLESS,
  INTERPRETERS,
  RUNS_UNSEEN,
  SHELLS,
  WRAPPERS,
  type Wrapper,
  ZSH_PRECOMMANDS,
} from './programs.ts';
import type { CatalogCommand } from './schema.ts';
import { readShellLine, type ShellCommand, type ShellInput, type ShellWord } from './shell-line.ts';

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
  /** files that redirects write */
  readonly writes: readonly ShellWord[];
  /** the folders that its git commands work in: what git knows there is to be read, and the line once more */
  readonly gitFolders: ReadonlySet<string>;
}

const MAX_DEPTH = 8;
const MAX_COMMANDS = 2000;
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
  readonly writes: ShellWord[] = [];
  readonly gitFolders = new Set<string>();
  readonly #catalog: Catalog;
  readonly #context: ShellContext;
  readonly #programs: ReadonlyMap<string, { readonly integration: Integration; readonly command: CatalogCommand }>;
  /** variables that earlier commands of the line have set for those after them */
  readonly #variables = new Set<string>();
  readonly #functions = new Set<string>();
  /** the aliases that are being followed */
  readonly #within = new Set<string>();
  /** null: nobody said; `lost`: only the shell knows */
  #folder: string | null | typeof LOST;
  #count = 0;

  constructor(catalog: Catalog, context: ShellContext) {
    this.#catalog = catalog;
    this.#context = context;
    this.#folder = context.cwd;
    this.#programs = new Map(
      [...catalog.integrations.values()].flatMap((integration) =>
        [...integration.commands].map(([name, command]) => [name, { integration, command }] as const),
      ),
    );
  }

  line(text: string, depth: number): void {
    if (depth > MAX_DEPTH) {
      this.#every('it is nested too deep to be followed');
      return;
    }
    const { commands, functions, errors } = readShellLine(text);
    if (errors.length > 0) this.#mentioned(text, `it can't be read whole: ${errors[0]}`, 'every');
    for (const name of functions) this.#functions.add(name);
    for (const command of commands) this.#command(command, depth);
  }

  tooLong(): void {
    this.#every('it is too long to be read');
  }

  #every(why: string): void {
    this.unresolved.push({ integrations: 'every', why });
  }

  /** The integrations whose programs or API hosts stand in a text; `otherwise` if there are none. */
  #mentioned(text: string, why: string, otherwise: 'every' | 'opaque', program = ''): void {
    const lower = text.toLowerCase();
    const found = [...this.#catalog.integrations.values()].filter(
      ({ commands, apiHosts }) =>
        [...commands.keys()].some((name) => mentions(lower, name)) ||
        apiHosts.some((host) => lower.includes(host.replace(/^\*\.?/, '').toLowerCase())),
    );
    if (found.length > 0) this.unresolved.push({ integrations: found, why });
    else if (otherwise === 'every') this.#every(why);
    else this.opaque.push(program);
  }

  #command({ words, assignments, input, writes }: ShellCommand, depth: number): void {
    this.writes.push(...writes);
    if (++this.#count > MAX_COMMANDS) {
      if (this.#count === MAX_COMMANDS + 1) this.#every('it has more commands than can be looked at');
      return;
    }
    if (words.length === 0) {
      for (const { name } of assignments) this.#variables.add(name);
      return;
    }
    this.#run(
      words,
      assignments.map(({ name }) => name),
      input,
      depth,
    );
  }

  #run(given: readonly ShellWord[], variables: readonly string[], input: ShellInput, depth: number): void {
    if (depth > MAX_DEPTH) {
      this.#every('it is nested too deep to be followed');
      return;
    }
    let words = given;
    while (words.length > 1 && ZSH_PRECOMMANDS.has(words[0]!.text)) words = words.slice(1);
    if (words[0]!.text === 'repeat' && words.length > 2) words = words.slice(2);
    const [first, ...rest] = words;
    if (first === undefined) return;
    if (first.dynamic) {
      this.#every(`only the shell knows which program "${first.text}" is`);
      return;
    }
    const alias = this.#context.aliases.get(first.text);
    if (alias !== undefined && !this.#within.has(first.text)) {
      this.#alias(first.text, alias, rest, variables, input, depth);
      return;
    }
    const path = first.text.replace(/^=/, '');
    const name = programName(path);
    if (name !== '[' && name !== '[[' && /[*?[]|[@!+]\(/.test(first.text)) {
      this.#every('only the shell knows which program that pattern is');
      return;
    }
    // A function may have the name of a program that still can be reached: `command git`, `/usr/bin/git`.
    const isWorthALook = this.#programs.has(name) || WRAPPERS.has(name) || SHELLS.has(name);
    if (name === '' || (this.#functions.has(name) && !isWorthALook)) return;
    const texts = rest.map(({ text }) => text);
    if (name === 'export' || name === 'declare' || name === 'typeset' || name === 'local' || name === 'readonly') {
      for (const text of texts) this.#variables.add(text.split('=')[0]!);
      return;
    }
    if (name === 'alias') {
      for (const { text } of rest) if (text.includes('=')) this.line(text.slice(text.indexOf('=') + 1), depth + 1);
      return;
    }
    if (name === 'eval') {
      this.#text(rest[0]?.text === '--' ? rest.slice(1) : rest, depth, 'eval');
      return;
    }
    if (name === 'trap') {
      const code = rest[0]?.text === '--' ? rest[1] : rest[0];
      if (code !== undefined) this.#text([code], depth, 'trap');
      return;
    }
    if (name === 'cd' || name === 'pushd' || name === 'popd') {
      const [to = { text: '~', dynamic: name === 'popd' }] = rest.filter(({ text }) => !/^-[LPe@]+$|^--$/.test(text));
      this.#folder = this.#resolved(to);
      return;
    }
    if (name === 'find' || name === 'fd') {
      this.#find(rest, input, depth);
      return;
    }
    if (name === 'script') {
      const at = texts.findIndex((text) => /^-\w*c$/.test(text) || text === '--command');
      if (at !== -1 && rest[at + 1] !== undefined) this.#text([rest[at + 1]!], depth, name);
      return;
    }
    const wrapper = WRAPPERS.get(name);
    if (wrapper !== undefined) {
      this.#wrapped(name, wrapper, rest, variables, input, depth);
      return;
    }
    if (SHELLS.has(name)) {
      this.#shell(name, rest, input, depth);
      return;
    }
    if (FOREIGN_SHELLS.has(name)) {
      this.#mentioned(texts.join(' '), `${name} reads another language`, 'opaque', name);
      return;
    }
    const known = this.#programs.get(name);
    if (known !== undefined) {
      this.#known(name, known, rest, variables, input, depth);
      return;
    }
    const codeOptions = INTERPRETERS.get(name.replace(/[\d.]+$/, '')) ?? INTERPRETERS.get(name);
    if (codeOptions !== undefined) {
      this.#interpreter(name, codeOptions, rest, input);
      return;
    }
    if (RUNS_UNSEEN.has(name))
      this.#mentioned(
        [...texts, input.kind === 'text' ? input.text : ''].join(' '),
        `${name} runs more than is in the line`,
        'opaque',
        name,
      );
    else if (path.includes('/') && !HARMLESS.has(name) && !/^(\/usr)?\/s?bin\//.test(path)) this.opaque.push(path);
  }

  /** A text that a shell reads. */
  #text(words: readonly ShellWord[], depth: number, by: string): void {
    if (words.some(({ dynamic }) => dynamic)) this.#every(`only the shell knows what ${by} runs`);
    else this.line(words.map(({ text }) => text).join(' '), depth + 1);
  }

  #alias(
    name: string,
    body: string,
    rest: readonly ShellWord[],
    variables: readonly string[],
    input: ShellInput,
    depth: number,
  ): void {
    const { commands, errors } = readShellLine(body);
    const last = commands.at(-1);
    if (errors.length > 0 || last === undefined) {
      this.#every(`the alias "${name}" can't be read`);
      return;
    }
    // An alias may name the program that it stands for: within it, it is no alias.
    this.#within.add(name);
    for (const command of commands.slice(0, -1)) this.#command(command, depth + 1);
    const words = [...last.words, ...rest];
    if (words.length > 0) this.#run(words, variables, input, depth + 1);
    this.#within.delete(name);
  }

  #wrapped(
    name: string,
    wrapper: Wrapper,
    words: readonly ShellWord[],
    variables: readonly string[],
    input: ShellInput,
    depth: number,
  ): void {
    const { values = [], operands = 0, assignments, shell, adds, unless = [] } = wrapper;
    const set = [...variables];
    let left = operands;
    let at = 0;
    for (; at < words.length; at++) {
      const { text, dynamic } = words[at]!;
      if (!dynamic && text === '--') {
        at++;
        break;
      }
      if (dynamic && !/^[\w./:@%+,~]/.test(text)) break;
      if (text.startsWith('-') && text !== '-') {
        if (unless.includes(text)) return;
        const [option, value] = text.split('=', 2) as [string, string | undefined];
        if (name === 'env' && /^(-S|--split-string)/.test(option)) {
          const split = value ?? (option.length > 2 && option.startsWith('-S') ? option.slice(2) : words[++at]?.text);
          this.line([split ?? '', ...words.slice(at + 1).map((word) => word.text)].join(' '), depth + 1);
          return;
        }
        if ((name === 'npx' || name === 'bunx') && (option === '-c' || option === '--call')) {
          this.#text(words.slice(at + 1, at + 2), depth, name);
          return;
        }
        if (value === undefined && values.includes(option)) at++;
      } else if (assignments && /^\w+=/.test(text)) set.push(text.split('=')[0]!);
      else if (left > 0) left--;
      else break;
    }
    const inner = words.slice(at);
    if (inner.length === 0) return;
    if (name === 'npx' || name === 'bunx' || name === 'uvx' || name === 'pipx') {
      // A package by its name, with or without a version: known only if its program is.
      const program = programName(inner[0]!.text.replace(/(?<=.)@[^/]*$/, ''));
      if (!this.#programs.has(program) && !SHELLS.has(program)) {
        this.#mentioned(
          inner.map(({ text }) => text).join(' '),
          `${name} runs a package`,
          'opaque',
          `${name} ${inner[0]!.text}`,
        );
        return;
      }
      this.#run([{ text: program, dynamic: false }, ...inner.slice(1)], set, input, depth + 1);
      return;
    }
    if (name === 'flock' && inner[0]!.text === '-c') {
      this.#text(inner.slice(1, 2), depth, name);
      return;
    }
    if (shell) {
      const [until] = [inner.findIndex(({ text }) => text === ':::' || text === '::::')];
      const run = until === -1 ? inner : inner.slice(0, until);
      if (run.length === 0) this.#every(`${name} runs what it reads`);
      else if (run.length === 1 || adds !== true)
        this.#text(
          run.filter(({ dynamic }) => !dynamic || adds !== true),
          depth,
          name,
        );
      else this.#run([...run, ...ADDED], set, UNKNOWN, depth + 1);
      return;
    }
    this.#run(adds ? [...inner, ...ADDED] : inner, set, adds ? UNKNOWN : input, depth + 1);
  }

  #find(words: readonly ShellWord[], input: ShellInput, depth: number): void {
    words.forEach(({ text }, index) => {
      if (!/^(-exec|-execdir|-ok|-okdir|-x|-X|--exec|--exec-batch)$/.test(text)) return;
      const rest = words.slice(index + 1);
      const end = rest.findIndex((word) => word.text === ';' || word.text === '+');
      const inner = (end === -1 ? rest : rest.slice(0, end)).map((word) =>
        word.text.includes('{}') ? { text: '$found', dynamic: true } : word,
      );
      if (inner.length > 0) this.#run(inner, [], input, depth + 1);
    });
  }

  #shell(name: string, words: readonly ShellWord[], input: ShellInput, depth: number): void {
    if (name === 'busybox') {
      if (words.length > 0) this.#run(words, [], input, depth + 1);
      return;
    }
    let runsText = false;
    for (let at = 0; at < words.length; at++) {
      const word = words[at]!;
      const { text, dynamic } = word;
      if (!dynamic && /^[-+]/.test(text) && text !== '-' && text !== '--') {
        if (/^-(-?command|[a-zA-Z]*c[a-zA-Z]*)$/.test(text)) runsText = true;
        else if (/^[-+]\w*o$/.test(text) || /^--(rcfile|init-file)$/.test(text)) at++;
        continue;
      }
      if (!dynamic && (text === '--' || text === '-')) continue;
      if (runsText) this.#text([word], depth, name);
      else if (dynamic) this.#every(`only the shell knows what ${name} runs`);
      else this.opaque.push(`${name} ${text}`);
      return;
    }
    this.#fed(name, input, depth);
  }

  /** A shell that is given its text by another way than its words. */
  #fed(name: string, input: ShellInput, depth: number): void {
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

  #interpreter(name: string, codeOptions: readonly string[], words: readonly ShellWord[], input: ShellInput): void {
    const texts = words.map(({ text }) => text);
    const hasCode = texts.some((text) =>
      codeOptions.some((option) => text === option || (option.length === 2 && text.startsWith(option))),
    );
    const operand = texts.find((text) => !text.startsWith('-'));
    if (name.endsWith('awk') || hasCode) {
      if (words.some(({ dynamic }) => dynamic))
        this.#mentioned(texts.join(' '), `the code of ${name} is not read`, 'opaque', name);
      else this.#mentioned(texts.join(' '), `the code of ${name} is not read`, 'opaque', name);
    } else if (operand === undefined && !texts.includes('-m') && input.kind === 'text')
      this.#mentioned(input.text, `the code of ${name} is not read`, 'opaque', name);
    else if (
      operand === undefined &&
      !texts.includes('-m') &&
      input.kind === 'unknown' &&
      !texts.some((text) => /^--?(version|V|v|help|h)$/.test(text))
    )
      this.#every(`${name} runs what another command prints`);
    else this.#mentioned(texts.join(' '), `the code of ${name} is not read`, 'opaque', name);
  }

  /** A folder by what a command is told, from where the line is by now. */
  #resolved(
    { text, dynamic }: ShellWord,
    from: string | null | typeof LOST = this.#folder,
  ): string | null | typeof LOST {
    if (dynamic || text === '-') return LOST;
    const { home } = this.#context;
    const path = text === '~' || text.startsWith('~/') ? (home === null ? LOST : home + text.slice(1)) : text;
    if (path === LOST || path.startsWith('~')) return LOST;
    if (/^(\/|[A-Za-z]:[/\\])/.test(path)) return normalisePath(path);
    return from === null || from === LOST ? from : normalisePath(`${from}/${path}`);
  }

  #known(
    name: string,
    { integration, command }: { readonly integration: Integration; readonly command: CatalogCommand },
    words: readonly ShellWord[],
    variables: readonly string[],
    input: ShellInput,
    depth: number,
  ): void {
    const found = readCommand(name, integration, command, words, {
      folder: this.#folder === LOST ? null : this.#folder,
      isLost: this.#folder === LOST,
      within: (folder, word) => this.#resolved(word, folder),
      gitAt: (folder) => {
        this.gitFolders.add(folder);
        return this.#context.git.get(folder) ?? null;
      },
    });
    const suspicious = [...this.#variables, ...variables].find((each) => GIT_VARIABLES.test(each));
    if (name === 'git' && suspicious !== undefined)
      this.unresolved.push({
        integrations: [integration],
        why: `${suspicious} is set in the line, which may make git run something else`,
      });
    if (found.unresolved !== null) this.unresolved.push({ integrations: [integration], why: found.unresolved });
    if (found.call !== null) this.calls.push(found.call);
    for (const text of found.runs) {
      if (text === null) this.#every(`only the shell knows what ${name} runs`);
      else this.line(text, depth + 1);
    }
    for (const inner of found.programs) this.#run(inner, variables, input, depth + 1);
  }
}

/** A folder that only the shell knows. */
const LOST = Symbol('lost');

const UNKNOWN: ShellInput = { kind: 'unknown' };
/** What is added to a command that reads its arguments from elsewhere. */
const ADDED: readonly ShellWord[] = [{ text: '$added', dynamic: true }];

/** The program's name without its folder, its ending and its case: `/usr/bin/Git.exe` is git. */
function programName(path: string): string {
  const name = path.replaceAll('\\', '/').split('/').at(-1) ?? path;
  return name.toLowerCase().replace(/\.(exe|cmd|bat|ps1|com)$/, '');
}

/** Whether a program's name stands in a text as a word. */
function mentions(lower: string, name: string): boolean {
  for (let at = lower.indexOf(name); at !== -1; at = lower.indexOf(name, at + 1)) {
    const before = lower[at - 1] ?? ' ';
    const after = lower[at + name.length] ?? ' ';
    if (!/[\w-]/.test(before) && !/[\w]/.test(after)) return true;
  }
  return false;
}
