/** Programs that the catalog knows, in a shell line: which one a name is, and what its words do wherever the line may be by then. Pure. */
import { type CommandReading, readCommand } from './command.ts';
import { type GitContext, mayRedirectGit } from './git-context.ts';
import type { Catalog, Integration } from './load.ts';
import { OWN_INTEGRATION } from './own.ts';
import { INTERPRETERS } from './programs.ts';
import type { CatalogCommand } from './schema.ts';
import type { Findings } from './shell-findings.ts';
import { type Folders, LOST } from './shell-folders.ts';
import type { Heads } from './shell-heads.ts';
import type { ShellAssignment, ShellWord } from './shell-line.ts';
import type { Variables } from './shell-variables.ts';

/** A program as one integration knows it. */
interface Program {
  readonly integration: Integration;
  readonly command: CatalogCommand;
}

/** Several where a program serves several integrations. */
export interface KnownProgram {
  readonly name: string;
  readonly programs: readonly Program[];
  /** the words behind its name, of those that were given */
  readonly words: (given: readonly ShellWord[]) => readonly ShellWord[];
}

/** What is known beside the line. */
interface Around {
  readonly git: ReadonlyMap<string, GitContext>;
  readonly remotes: ReadonlyMap<string, string>;
}

/** Where the line is by now. */
interface Here {
  readonly findings: Findings;
  readonly folders: Folders;
  readonly variables: Variables;
  readonly heads: Heads;
}

export class KnownPrograms {
  readonly #programs = new Map<string, readonly Program[]>();
  readonly #around: Around;

  constructor(catalog: Catalog, around: Around) {
    this.#around = around;
    for (const integration of catalog.integrations.values())
      for (const name of integration.programs)
        this.#programs.set(name, [...(this.#programs.get(name) ?? []), programOf(integration, name)]);
  }

  has(name: string): boolean {
    return this.#programs.has(name);
  }

  /** The one that a name is, with these words; null if none. */
  find(name: string, words: readonly ShellWord[]): KnownProgram | null {
    const known = this.#programs.get(name);
    if (known !== undefined) return { name, programs: known, words: (given) => given };
    // `git-push` is `git push`.
    const [, program = '', sub = ''] = /^(\w+)-(.+)$/.exec(name) ?? [];
    const parent = this.#programs.get(program);
    if (parent?.some(({ command }) => Object.hasOwn(command.subcommands ?? {}, sub)) === true)
      return { name: program, programs: parent, words: (given) => [{ text: sub, dynamic: false }, ...given] };
    return this.#ownByFile(name, words);
  }

  /** toolgate itself, started by its file. */
  #ownByFile(name: string, words: readonly ShellWord[]): KnownProgram | null {
    const own = this.#programs.get(OWN_INTEGRATION);
    const script = words.findIndex(({ text }) => !text.startsWith('-'));
    return own !== undefined && INTERPRETERS.has(name) && /(^|[\\/])toolgate\.c?js$/i.test(words[script]?.text ?? '')
      ? { name: OWN_INTEGRATION, programs: own, words: (given) => given.slice(script + 1) }
      : null;
  }

  /**
   * What a command does, once for each integration that it concerns, in each folder that the line may be in; why that can't be
   * told is among the findings then. `assignments` are set for it alone.
   */
  readings(
    { name, programs }: KnownProgram,
    words: readonly ShellWord[],
    assignments: readonly ShellAssignment[],
    here: Here,
  ): readonly (readonly CommandReading[])[] {
    // Of a program that serves several integrations, those that know this command; all of them, if none does.
    const isElsewhere = [...assignments.map((each) => each.name), ...here.variables.names].some((each) =>
      RCLONE.test(each),
    );
    const found = (isElsewhere ? programs : this.#concerned(programs, words)).map((program) => ({
      integration: program.integration,
      readings: this.#read(name, program, words, here),
    }));
    const knowing = found.filter(({ readings }) => readings.some(({ call }) => call !== null));
    const concerned = knowing.length > 0 ? knowing : found;
    const led = ledBy(name, assignments, here.variables);
    for (const { integration, readings } of concerned) {
      const faults = new Set(readings.flatMap(({ unresolved }) => (unresolved === null ? [] : [unresolved])));
      for (const why of [...(led === null ? [] : [led]), ...faults]) here.findings.some([integration], why);
    }
    return concerned.map(({ readings }) => readings);
  }

  #read(
    name: string,
    { integration, command }: Program,
    words: readonly ShellWord[],
    { folders, findings, heads }: Here,
  ): CommandReading[] {
    return [...folders.now].map((folder) => {
      let worksIn: string | null = null;
      const known = (at: string) => this.#around.git.get(at) ?? null;
      const reading = readCommand(name, integration, command, words, {
        folder: folder === LOST ? null : folder,
        isLost: folder === LOST,
        within: (from, word) => folders.resolved(word, from),
        gitAt: (at) => {
          findings.gitFolders.add(at);
          worksIn = at;
          return heads.now(at, known(at));
        },
      });
      if (worksIn !== null && reading.call !== null) heads.ran(worksIn, reading.call.name, words, known(worksIn));
      return reading;
    });
  }

  /** Of a program that reaches services by names of its own, those integrations that the names in these words are. */
  #concerned(programs: readonly Program[], words: readonly ShellWord[]): readonly Program[] {
    if (programs.every(({ command }) => command.remote === undefined)) return programs;
    const remotes = words.flatMap(({ text, dynamic }) =>
      dynamic ? [null] : [...text.matchAll(/^:?([\w.+@ -]{2,}?):/g)].map((each) => each[1]!),
    );
    const types = remotes.map((each) => (each === null ? null : (this.#around.remotes.get(each) ?? null)));
    // One that stands before another may be any.
    const isSure =
      types.every((type) => type !== null && !OVER_OTHERS.has(type)) &&
      types.length > 0 &&
      !words.some(({ text }) => text.startsWith('--config'));
    return isSure ? programs.filter(({ command }) => types.includes(command.remote ?? '')) : programs;
  }
}

/** Types of rclone's remotes that keep what they hold in other remotes. */
const OVER_OTHERS: ReadonlySet<string> = new Set(
  'alias cache chunker combine compress crypt hasher union archive'.split(' '),
);

/** Variables by which rclone's remotes are others than those that are known. */
const RCLONE = /^(RCLONE_|HOME$|XDG_CONFIG_HOME$)/;

/** Its command is made when it is first asked for. */
function programOf(integration: Integration, name: string): Program {
  return {
    integration,
    get command() {
      return integration.commands.get(name)!;
    },
  };
}

/** A variable that the line sets, and that makes the program do something else than its words say; null if there is none. */
function ledBy(name: string, assignments: readonly ShellAssignment[], variables: Variables): string | null {
  if (name === 'gh') {
    const set = [...assignments.map((each) => each.name), ...variables.names];
    const led = set.find((each) => /^GH_(REPO|HOST)$/.test(each));
    return led === undefined ? null : `${led} is set in the line, so it is about another repository`;
  }
  if (name !== 'git') return null;
  const led = assignments.find((each) => mayRedirectGit(each.name, each.value))?.name ?? variables.redirectsGit;
  return led === null ? null : `${led} is set in the line, which may make git run something else`;
}
