/**
 * What a shell line does: calls of known programs; nothing; or what can't be resolved, with the integrations that it may
 * concern (DESIGN §5). Whatever is not understood is never taken for harmless. Pure: all that is not in the line comes in
 * as values.
 */

import { callsAcross } from './command.ts';
import type { GitContext } from './git-context.ts';
import { apiCalls, HTTP_CLIENTS } from './http-clients.ts';
import type { Catalog } from './load.ts';
import { programName } from './mentions.ts';
import { OWN_INTEGRATION, type OwnPlaces } from './own.ts';
import {
  EVALUATES,
  REBINDING,
  RUN_BY_PROGRAMS,
  SHELLS,
  SHOWS_ADDRESSES,
  STARTUP,
  TEXT_PROGRAMS,
  WRAPPERS,
  ZSH_PRECOMMANDS,
} from './programs.ts';
import { BUILTINS } from './shell-builtins.ts';
import { Findings, type Reading } from './shell-findings.ts';
import { type Ends, Folders, unionOf } from './shell-folders.ts';
import type { Follower, Run } from './shell-follower.ts';
import { Heads } from './shell-heads.ts';
import { type KnownProgram, KnownPrograms } from './shell-known.ts';
import {
  NO_INPUT,
  readShellLine,
  type ShellAssignment,
  type ShellCommand,
  type ShellInput,
  type ShellLine,
  type ShellStep,
  type ShellWord,
} from './shell-line.ts';
import { OwnWatch } from './shell-own.ts';
import { isFinder, startFound, startShell, startTextual, startWrapped } from './shell-starts.ts';
import { unseenIn } from './shell-unseen.ts';
import { Variables } from './shell-variables.ts';

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

const MAX_DEPTH = 8;
const MAX_COMMANDS = 2000;
const MAX_WORDS = 50_000;
/** Longer than what Linux lets a program be given in one argument. */
const MAX_LINE = 131_072;

export function readShell(catalog: Catalog, line: string, context: ShellContext): Reading {
  const reader = new Reader(catalog, line, context);
  if (line.length > MAX_LINE) reader.findings.every('it is too long to be read');
  else reader.line(line, 0);
  return reader.findings;
}

class Reader implements Follower {
  readonly findings: Findings;
  readonly folders: Folders;
  readonly variables: Variables;
  readonly own: OwnWatch;
  readonly heads = new Heads();
  stdin: ShellInput = NO_INPUT;
  readonly #catalog: Catalog;
  readonly #known: KnownPrograms;
  readonly #aliases: Map<string, string>;
  /** those of them that the line has bound */
  readonly #rebound = new Set<string>();
  readonly #functions = new Map<string, readonly ShellStep[]>();
  readonly #bodies = new Map<string, ShellLine>();
  /** how deep in what may not run */
  #maybe = 0;
  /** the aliases and functions that are being followed */
  readonly #within = new Set<string>();
  #count = 0;
  #words = 0;
  #isOver = false;
  /** the line as it was given */
  readonly #whole: string;

  constructor(catalog: Catalog, line: string, context: ShellContext) {
    this.#catalog = catalog;
    this.#whole = line;
    this.findings = new Findings(catalog);
    this.variables = new Variables({
      home: context.home,
      folder: () => this.folders.only,
      branch: () => {
        const folder = this.folders.only;
        return folder === null ? null : (this.heads.now(folder, context.git.get(folder) ?? null)?.branch ?? null);
      },
    });
    this.folders = new Folders(context.cwd, context.home, (word) => this.variables.completed(word));
    this.own = new OwnWatch({ catalog, home: context.home, own: context.own }, this.findings, this.folders);
    this.#known = new KnownPrograms(catalog, context);
    this.#aliases = new Map(context.aliases);
  }

  /** A line in the shell that is running: the folder that it changes to stays. */
  line(text: string, depth: number): void {
    if (this.#isTooDeep(depth)) return;
    const { steps, errors } = readShellLine(text);
    const why = `it can't be read whole: ${errors[0]}`;
    if (errors.length > 0 && !this.findings.mentioned(text, why)) this.findings.every(why);
    this.folders.leave(this.#sequence(steps, depth));
  }

  readonly text: Follower['text'] = (text, depth, by) => {
    if (text === null) this.findings.every(`only the shell knows what ${by} runs`);
    else this.line(text, depth + 1);
  };

  #isTooDeep(depth: number): boolean {
    if (depth > MAX_DEPTH) this.findings.every('it is nested too deep to be followed');
    return depth > MAX_DEPTH;
  }

  // --- the order in which it runs ---

  #sequence(steps: readonly ShellStep[], depth: number): Ends {
    let ends: Ends = { ok: this.folders.now, failed: this.folders.now };
    let before = this.heads.mark;
    for (const step of steps) {
      // The step before may have failed.
      this.heads.doubt(before);
      before = this.heads.mark;
      this.folders.leave(ends);
      ends = this.#step(step, depth);
    }
    return ends;
  }

  #step(step: ShellStep, depth: number): Ends {
    const before = this.folders.now;
    switch (step.kind) {
      case 'command':
        this.#command(step.command, depth);
        return { ok: this.folders.now, failed: unionOf(before, this.folders.now) };
      case 'list': {
        let ends = this.#sequence(step.first, depth);
        const { mark } = this.variables;
        const heads = this.heads.mark;
        for (const { operator, steps } of step.rest) {
          const { ok, failed } = ends;
          this.folders.now = operator === '&&' ? ok : failed;
          if (operator === '||') {
            this.variables.doubt(mark);
            this.heads.doubt(heads);
          }
          if (operator === '||') this.#maybe++;
          const next = this.#sequence(steps, depth);
          if (operator === '||') this.#maybe--;
          ends =
            operator === '&&'
              ? { ok: next.ok, failed: unionOf(failed, next.failed) }
              : { ok: unionOf(ok, next.ok), failed: next.failed };
        }
        this.variables.doubt(mark);
        return ends;
      }
      case 'apart':
        this.apart(() => this.#sequence(step.steps, depth));
        return { ok: before, failed: before };
      case 'maybe': {
        const heads = this.heads.mark;
        const variables = this.variables.mark;
        this.#maybe++;
        this.folders.leave(this.#sequence(step.steps, depth));
        let after = unionOf(before, this.folders.now);
        // A loop may come by again, from where it has led and with what it has set.
        if (after.size > before.size || this.variables.hasChanged(variables) || this.heads.mark !== heads) {
          this.heads.doubt(heads);
          this.folders.now = after;
          this.folders.leave(this.#sequence(step.steps, depth));
          after = unionOf(after, this.folders.now);
        }
        this.#maybe--;
        this.heads.doubt(heads);
        return { ok: after, failed: after };
      }
      case 'function':
        this.#functions.set(step.name, step.steps);
        this.#maybe++;
        this.apart(() => this.#sequence(step.steps, depth));
        this.#maybe--;
        return { ok: before, failed: before };
    }
  }

  readonly apart: Follower['apart'] = (follow) => {
    const { stdin } = this;
    this.folders.apart(() => this.variables.apart(follow));
    this.stdin = stdin;
  };

  readonly child: Follower['child'] = (assignments, follow) =>
    this.apart(() => this.variables.given(assignments, follow));

  // --- one command ---

  #command(command: ShellCommand, depth: number): void {
    const { words, assignments, input } = command;
    this.own.redirects(command);
    if (++this.#count > MAX_COMMANDS) {
      if (this.#count === MAX_COMMANDS + 1) this.findings.every('it has more commands than can be looked at');
      return;
    }
    for (const { name, index, value } of assignments) {
      if (index !== null && REBINDING.has(name)) this.rebind(index, value, depth);
      else if (!value.dynamic && (hasSubstitution(value.text) || RUN_BY_PROGRAMS.test(name)))
        this.findings.mentioned(value.text, `what ${name} holds may run`);
    }
    if (words.length > 0) this.run(words, { assignments, input, depth });
    else this.set(assignments);
  }

  readonly set: Follower['set'] = (assignments) => this.variables.set(assignments, this.#maybe === 0);

  /** `alias ls='git push'`, `BASH_ALIASES[ls]='git push'` and their like. */
  readonly rebind: Follower['rebind'] = (name, { text, dynamic }, depth) => {
    this.text(dynamic ? null : text, depth, 'a name that is bound anew');
    this.#rebound.add(name);
    if (!dynamic) this.#aliases.set(name, text);
  };

  readonly isKnown: Follower['isKnown'] = (program) => this.#known.has(program);

  readonly run: Follower['run'] = (given, run) => {
    if (this.#isTooDeep(run.depth)) return;
    const [first, ...others] = this.variables.withProgram(withoutPrecommands(given));
    if (first === undefined || this.#isTooMuch(others.length)) return;
    const isShadowed = ['git', 'pwd'].some((name) => this.#functions.has(name) || this.#aliases.has(name));
    const pieces = others.map((word) => this.variables.plain(isShadowed ? withoutPrinted(word) : word));
    const rest = pieces.flat();
    // To zsh what is split here is one word, which may be a path with spaces.
    const joint = pieces.filter((each) => each.length > 1).map((each) => each.map(({ text }) => text).join(' '));
    if (joint.length > 0)
      this.own.words(
        first.text,
        joint.map((text) => ({ text, dynamic: false })),
      );
    const path = this.variables.programOf(first);
    if (path === null) {
      this.findings.every(`only the shell knows which program "${first.text}" is`);
      return;
    }
    const alias = this.#aliases.get(first.text);
    if (alias !== undefined && !this.#within.has(`alias ${first.text}`)) {
      this.#following(`alias ${first.text}`, () => this.#alias(first.text, alias, rest, run));
      // One that the line itself binds is expanded in some shells only, and not in the same line.
      if (!this.#rebound.has(first.text)) return;
    }
    const name = programName(path);
    if (name !== '[' && name !== '[[' && /[*?[]|[@!+]\(/.test(first.text) && !first.dynamic) {
      this.findings.every('only the shell knows which program that pattern is');
      return;
    }
    const steps = this.#functions.get(path);
    if (steps !== undefined) {
      if (this.#within.has(`function ${path}`)) return;
      this.variables.set(run.assignments.map(unknown), false);
      this.#following(`function ${path}`, () => this.folders.leave(this.#sequence(steps, run.depth + 1)));
      // It may have the name of a program that still can be reached: `command git`, `/usr/bin/git`.
      if (!this.#known.has(name) && !WRAPPERS.has(name) && !SHELLS.has(name)) return;
    }
    if (name !== '') this.#program(name, path, rest, run);
  };

  #isTooMuch(words: number): boolean {
    this.#words += words;
    if (this.#words <= MAX_WORDS) return false;
    if (!this.#isOver) this.findings.every('it has more words than can be looked at');
    this.#isOver = true;
    return true;
  }

  #program(name: string, path: string, words: readonly ShellWord[], run: Run): void {
    if (EVALUATES.has(name)) this.#evaluated(name, words, run.input);
    const builtin = BUILTINS.get(name);
    const wrapper = WRAPPERS.get(name);
    const textual = TEXT_PROGRAMS.get(name);
    if (builtin !== undefined) {
      // `X=y eval '…'`: the shell itself has them.
      this.variables.set(run.assignments.map(unknown), false);
      builtin(this, words, run, name);
    } else if (isFinder(name)) startFound(this, name, words, run);
    else if (wrapper !== undefined) startWrapped(this, name, wrapper, words, run);
    else if (textual !== undefined) startTextual(this, name, textual, words, run);
    else if (SHELLS.has(name)) {
      const startup = run.assignments.find((each) => STARTUP.test(each.name));
      if (startup !== undefined) this.findings.every(`only the shell knows what ${startup.name} makes ${name} run`);
      this.child(run.assignments, () => startShell(this, name, words, run));
    } else {
      const known = this.#known.find(name, words);
      if (known !== null) this.#knownProgram(known, known.words(words), run);
      else this.#unknownProgram(name, path, words, run);
    }
  }

  /** `test`, `[[` and their like evaluate what they are given. */
  #evaluated(name: string, words: readonly ShellWord[], input: ShellInput): void {
    if (input.kind === 'text' && hasSubstitution(input.text))
      this.findings.mentioned(input.text, `${name} is given what runs where it is evaluated`);
    for (const { text, dynamic } of words)
      if (!dynamic && hasSubstitution(text)) this.findings.mentioned(text, `${name} runs what it evaluates`);
  }

  #following(what: string, follow: () => void): void {
    this.#within.add(what);
    follow();
    this.#within.delete(what);
  }

  #alias(name: string, body: string, rest: readonly ShellWord[], { assignments, input, depth }: Run): void {
    // An alias may be used often.
    const { steps, errors } = this.#bodies.get(body) ?? readShellLine(body);
    this.#bodies.set(body, { steps, errors });
    const last = steps.at(-1);
    // What stands behind the alias are words of its last command.
    if (errors.length > 0 || last?.kind !== 'command') {
      this.findings.every(`the alias "${name}" can't be followed`);
      return;
    }
    this.folders.leave(this.#sequence(steps.slice(0, -1), depth + 1));
    const words = [...last.command.words, ...rest];
    const set = [...assignments, ...last.command.assignments];
    if (words.length > 0) this.run(words, { assignments: set, input, depth: depth + 1 });
    else this.set(set);
  }

  /** What a known command does, and what it starts. */
  #knownProgram(known: KnownProgram, words: readonly ShellWord[], run: Run): void {
    for (const readings of this.#known.readings(known, words, run.assignments, this)) {
      const calls = callsAcross(readings);
      for (const call of calls) this.findings.add(call);
      if (known.name !== OWN_INTEGRATION) this.own.calls(known.name, words, calls);
      const follow = (run: () => void) =>
        calls.some((call) => call.name === 'git submodule foreach') ? this.heads.elsewhere(run) : run();
      // The shell that it starts has the folder that it had.
      this.child(run.assignments, () => {
        for (const text of new Set(readings.flatMap(({ runs }) => runs)))
          follow(() => this.text(text, run.depth, known.name));
      });
      this.apart(() => {
        const started = new Map(readings.map(({ programs }) => [JSON.stringify(programs), programs]));
        for (const programs of started.values())
          for (const inner of programs) follow(() => this.run(inner, { ...run, depth: run.depth + 1 }));
      });
    }
  }

  #unknownProgram(name: string, path: string, words: readonly ShellWord[], { input }: Run): void {
    this.own.words(name, words);
    if (/^(apply_)?patch$/.test(name))
      this.own.patches(name, [...words.map(({ text }) => text), input.kind === 'text' ? input.text : '']);
    if (HTTP_CLIENTS.has(name)) {
      this.#request(name, words, input);
      return;
    }
    const unseen = unseenIn(name, path, words, input);
    if (unseen === null) return;
    const { looksFor, texts, why, isCode, opaque } = unseen;
    const code = texts.join(' ');
    if (isCode) this.own.code(code, name);
    if (looksFor === 'nothing') {
      this.findings.every(why);
      return;
    }
    const isFound = looksFor === 'mentions' ? this.findings.mentioned(code, why) : this.#holding(name, texts, why);
    if (!isFound && opaque !== null) this.findings.opaque.push(opaque);
  }

  /** Words that hold a call of a known program, or speak of an API's host. */
  #holding(name: string, texts: readonly string[], why: string): boolean {
    const holds = this.findings.holding(texts, why);
    return (!SHOWS_ADDRESSES.has(name) && this.findings.some(this.findings.hostsIn(texts.join(' ')), why)) || holds;
  }

  /**
   * Requests of curl and its like. Where a word is left to the shell it may lead to any API whose host stands in the line; where
   * the requests are read from elsewhere, to any that stands there.
   */
  #request(name: string, words: readonly ShellWord[], input: ShellInput): void {
    const calls = apiCalls(this.#catalog, name, words, input);
    for (const call of calls) this.findings.add(call);
    const known = new Set(calls.map(({ integration }) => integration.id));
    const texts = words.filter(({ dynamic }, index) => dynamic || leadsElsewhere(words, index)).map(({ text }) => text);
    const isOpen =
      texts.length > 0 ||
      (input.kind === 'text' && words.some(({ text }) => /^(-K|-i|--config|--input-file)/.test(text)));
    if (!isOpen) return;
    const spoken = calls.length === 0 ? [this.#whole, ...(input.kind === 'text' ? [input.text] : [])] : texts;
    const concerned = this.findings.hostsIn(spoken.join(' ')).filter(({ id }) => !known.has(id));
    this.findings.some(concerned, `only the shell knows which host ${name} asks`);
  }
}

/** A variable that holds what nobody knows. */
function unknown(each: ShellAssignment): ShellAssignment {
  return { ...each, value: { text: '', dynamic: true } };
}

/** Where `git` or `pwd` is something else, nobody knows what it prints. */
function withoutPrinted(word: ShellWord): ShellWord {
  return word.substitutions === undefined ? word : { text: '$', dynamic: true };
}

function withoutPrecommands(given: readonly ShellWord[]): readonly ShellWord[] {
  let words = given;
  while (words.length > 1 && ZSH_PRECOMMANDS.has(words[0]!.text)) words = words.slice(1);
  if (words[0]?.text !== 'repeat' || words.length < 3) return words;
  const body = words.slice(2);
  return body[0]!.text === '{' || body[0]!.text === 'do' ? body.slice(1) : body;
}

/** Of a text that the shell took as it stands: whether it runs something once it is evaluated. */
function hasSubstitution(text: string): boolean {
  return text.includes('$(') || text.includes('`');
}

/** An option by which a request goes to another host than its address says, or its value. */
function leadsElsewhere(words: readonly ShellWord[], index: number): boolean {
  const isOne = (text = '') => /^--(connect-to|resolve|proxy|preproxy|base|variable|expand-)/.test(text);
  return isOne(words[index]!.text) || isOne(words[index - 1]?.text) || /^host:/i.test(words[index]!.text);
}
