/** What those who know one kind of command ask of who follows the line. */
import type { Findings } from './shell-findings.ts';
import type { Folders } from './shell-folders.ts';
import type { Heads } from './shell-heads.ts';
import type { ShellAssignment, ShellInput, ShellWord } from './shell-line.ts';
import type { OwnWatch } from './shell-own.ts';
import type { Variables } from './shell-variables.ts';

/** What a command is run with. */
export interface Run {
  /** variables that are set for it alone */
  readonly assignments: readonly ShellAssignment[];
  readonly input: ShellInput;
  /** how deep it is nested */
  readonly depth: number;
}

export interface Follower {
  readonly findings: Findings;
  readonly folders: Folders;
  readonly variables: Variables;
  readonly own: OwnWatch;
  readonly heads: Heads;
  /** what `exec < file` has made of the standard input */
  stdin: ShellInput;
  /** The program of the first word, with the others. */
  readonly run: (words: readonly ShellWord[], run: Run) => void;
  /** A text that a shell reads, by whom it is given one; null where only the shell knows it. `depth` is the giver's. */
  readonly text: (text: string | null, depth: number, by: string) => void;
  /** In a process of its own: where it goes and what it sets is gone with it. */
  readonly apart: (follow: () => void) => void;
  /** The same, in a shell that is started anew: of the line's variables it has what is exported, and these. */
  readonly child: (assignments: readonly ShellAssignment[], follow: () => void) => void;
  /** Variables that stay. */
  readonly set: (assignments: readonly ShellAssignment[]) => void;
  /** A command's name is another command from now on. */
  readonly rebind: (name: string, to: ShellWord, depth: number) => void;
  /** Whether the catalog knows a program by its name. */
  readonly isKnown: (program: string) => boolean;
}
