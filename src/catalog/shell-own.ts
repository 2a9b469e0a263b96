/** What a shell line does to toolgate's own places, and to a repository's own files without git. Pure. */
import type { CommandCall } from './command.ts';
import type { Catalog } from './load.ts';
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
import { HARMLESS } from './programs.ts';
import { readSedScript, sedScripts } from './sed-script.ts';
import type { Findings } from './shell-findings.ts';
import type { Folders } from './shell-folders.ts';
import type { ShellCommand, ShellWord } from './shell-line.ts';
import { Stopping } from './stopping.ts';
import { patchedPaths, pathsIn, pathsInText, touchesOf, touchesOfCalls } from './touching.ts';

/** What is known beside the line. */
interface Around {
  readonly catalog: Catalog;
  readonly home: string | null;
  /** null where nobody asks about them */
  readonly own: OwnPlaces | null;
}

export class OwnWatch {
  readonly #around: Around;
  readonly #findings: Findings;
  readonly #folders: Folders;
  readonly #stopping: Stopping | null;
  /** what was found of a path before */
  readonly #touched = new Map<string, OwnTool | null>();

  constructor(around: Around, findings: Findings, folders: Folders) {
    this.#around = around;
    this.#findings = findings;
    this.#folders = folders;
    this.#stopping = around.own === null ? null : new Stopping(around.own.ports);
  }

  /** The files that a command's redirects write and read. */
  redirects({ writes, reads }: ShellCommand): void {
    for (const word of writes) this.#touch('>', word, 'changes');
    for (const word of reads) this.#touch('<', word, 'reads');
    // bash takes `/dev/tcp/HOST/PORT` for a connection.
    const connections = [...writes, ...reads].map(({ text }) => text).filter((text) => text.startsWith('/dev/tcp/'));
    for (const connection of connections) {
      this.#asks('/dev/tcp', connection);
      this.#findings.some(this.#findings.hostsIn(connection), 'it speaks with a host by itself');
    }
  }

  #asks(name: string, text: string): void {
    const { own } = this.#around;
    if (own !== null && asksDesk(own, text)) this.#add('ask_desk', name, null);
  }

  /** What the words of a program that no catalog knows name of them. */
  words(name: string, words: readonly ShellWord[]): void {
    if (this.#stopping?.isBy(name, words) === true) this.#add('stop', name, null);
    if (!HARMLESS.has(name)) {
      for (const { text } of words) this.#asks(name, text);
      if (CONNECTS.has(name)) this.#asks(name, words.map(({ text }) => text).join(' '));
    }
    if (name === 'sed')
      for (const script of sedScripts(words.map(({ text }) => text)).scripts)
        for (const path of readSedScript(script).writes) this.#touch(name, plainWord(path), 'changes');
    let isTouched = false;
    for (const { word, touch } of touchesOf(name, words)) {
      // A place that is named says enough.
      if (touch === 'fills' && isTouched) continue;
      isTouched = this.#touch(name, word, touch) || isTouched;
      // A text of several words may be code.
      if (/[\s'"]/.test(word.text))
        for (const text of pathsInText(word.text)) this.#touch(name, plainWord(text), touch);
    }
  }

  /** What the calls of a program that the catalog knows do to the files of its words, and of the folder it works in. */
  calls(name: string, words: readonly ShellWord[], calls: readonly CommandCall[]): void {
    // One that it touches says enough.
    touchesOfCalls(name, words, calls).some(({ word, touch }) => this.#touch(name, word, touch));
  }

  /** The files that patches change. */
  patches(name: string, texts: readonly string[]): void {
    for (const path of texts.flatMap(patchedPaths)) this.#touch(name, plainWord(path), 'changes');
  }

  /** Code that nobody reads, and that speaks of toolgate's own places. */
  code(code: string, by: string): void {
    const { own, home, catalog } = this.#around;
    const integration = catalog.integrations.get(OWN_INTEGRATION);
    if (own === null || integration === undefined) return;
    const touches = pathsInText(code).some((text) =>
      [...this.#folders.now].some((from) => {
        const path = this.#folders.resolved(plainWord(text), from, 'kept');
        return typeof path === 'string' && this.#toolAt(own, path, 'changes') !== null;
      }),
    );
    if (touches || speaksOfOwn(own, code, home))
      this.#findings.some([integration], `the code of ${by} speaks of toolgate's own files`);
  }

  /** Whether it touches any. */
  #touch(name: string, word: ShellWord, touch: Touch): boolean {
    const { own } = this.#around;
    for (const text of pathsIn(word))
      for (const from of this.#folders.now) {
        const part = { ...word, text, dynamic: word.dynamic && /[$`]/.test(text) };
        const path = this.#folders.resolved(part, from, 'kept');
        if (typeof path !== 'string') continue;
        const isByHand = touch !== 'reads' && name !== 'git' && !word.text.startsWith('-');
        if (isByHand && /\/\.git(\/|$)/i.test(path)) this.#byHand(path);
        const tool = own === null ? null : this.#toolAt(own, path, touch);
        if (tool !== null) {
          this.#add(tool, name, path);
          return true;
        }
      }
    return false;
  }

  #toolAt(own: OwnPlaces, path: string, touch: Touch): OwnTool | null {
    const key = `${touch} ${path}`;
    const known = this.#touched.get(key);
    const tool = known === undefined ? ownTouch(own, path, touch, this.#around.home) : known;
    this.#touched.set(key, tool);
    return tool;
  }

  /** A repository's own files, changed without git. */
  #byHand(path: string): void {
    const git = this.#around.catalog.integrations.get('git');
    const why = `${path} belongs to a repository, and is changed without git`;
    if (git !== undefined && !this.#findings.unresolved.some((each) => each.why === why))
      this.#findings.some([git], why);
  }

  #add(tool: OwnTool, name: string, path: string | null): void {
    const call = ownCall(this.#around.catalog, tool, name, path);
    if (call !== null) this.#findings.add(call);
  }
}

/** Programs that connect to a host and a port that stand apart. */
const CONNECTS: ReadonlySet<string> = new Set([
  'nc',
  'ncat',
  'netcat',
  'telnet',
  'socat',
  'http',
  'https',
  'xh',
  'xhs',
  'curl',
  'wget',
]);

function plainWord(text: string): ShellWord {
  return { text, dynamic: false };
}
