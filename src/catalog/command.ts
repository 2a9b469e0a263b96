/** What one command of a known program does: its subcommand, its options and operands, read as the catalog says. Pure. */
import type { Argument, ClassSource, JsonValue, Operation, ToolName } from '../call.ts';
import { oncePerKey } from '../once.ts';
import { kindsOf, outcomeOf, rulesOfTool } from './applying.ts';
import { normalisePath, readAs } from './arguments.ts';
import { type Argv, type KnownOptions, readArgv, splitAtOperand } from './argv.ts';
import {
  aliasOf,
  completedRefspec,
  executingSettings,
  type GitContext,
  impliedPush,
  isChanging,
  isExecuting,
  READING_HOOKS,
  remoteRepository,
} from './git-context.ts';
import type { Integration } from './load.ts';
import { type Outcome, union } from './outcome.ts';
import type { CatalogCommand } from './schema.ts';
import { commandsOf, quoted, readShellLine, type ShellWord } from './shell-line.ts';
import { TOP } from './shell-printed.ts';

export interface CommandCall {
  readonly integration: { readonly id: string; readonly title: string };
  readonly tools: readonly ToolName[];
  readonly possible: readonly Operation[];
  readonly operation: Operation | null;
  readonly source: ClassSource;
  readonly reasons: readonly string[];
  /** the program and its subcommands: `git stash drop` */
  readonly name: string;
  readonly argument: (canonical: string) => Argument;
  /** the canonical arguments that this command has a place for */
  readonly canonical: readonly string[];
}

export interface CommandReading {
  readonly call: CommandCall | null;
  /** why it may be another command than it seems; null if it is what it seems */
  readonly unresolved: string | null;
  /** lines that it has a shell run; null where only the shell knows */
  readonly runs: readonly (string | null)[];
  /** programs that it starts */
  readonly programs: readonly (readonly ShellWord[])[];
}

/** Where it runs. */
interface Surroundings {
  /** null: nobody said */
  readonly folder: string | null;
  /** only the shell knows the folder */
  readonly isLost: boolean;
  /** a folder below another, as a command is told it; no text if only the shell knows */
  readonly within: (folder: string | null, word: ShellWord) => string | symbol | null;
  readonly gitAt: (folder: string) => GitContext | null;
}

/** The same, for one command: `-C` may lead elsewhere. */
interface Place {
  readonly folder: string | null;
  readonly isLost: boolean;
  readonly git: GitContext | null;
}

const NOTHING: CommandReading = { call: null, unresolved: null, runs: [], programs: [] };

export function readCommand(
  program: string,
  integration: Integration,
  root: CatalogCommand,
  words: readonly ShellWord[],
  around: Surroundings,
): CommandReading {
  let command = root;
  let rest = words;
  let name = program;
  const before: { readonly command: CatalogCommand; readonly argv: Argv }[] = [];
  const place = () => placeOf(program, before[0]?.argv ?? null, around);
  while (command.subcommands !== undefined) {
    const known = knownOptions(command);
    const { before: options, operand, after } = splitAtOperand(rest, known);
    if (operand === null) break;
    const next =
      !operand.dynamic && Object.hasOwn(command.subcommands, operand.text)
        ? command.subcommands[operand.text]
        : undefined;
    if (next === undefined) {
      if (!mayBeSubcommand(operand, command) && (command.tool !== undefined || command.cases !== undefined)) break;
      if (operand.dynamic) return { ...NOTHING, unresolved: `only the shell knows the subcommand of ${name}` };
      before.push({ command, argv: readArgv(options, known) });
      const alias = program === 'git' ? gitAlias(operand.text, before[0]!.argv, place().git) : null;
      if (alias !== null) return aliased(alias, options, after);
      return { ...NOTHING, unresolved: `"${operand.text}" is no subcommand of ${name} that the catalog knows` };
    }
    before.push({ command, argv: readArgv(options, known) });
    name += ` ${operand.text}`;
    command = next;
    rest = after;
  }
  const where = place();
  const leaf = readLeaf(name, integration, command, rest, before, {
    ...where,
    cwdName: root.cwd,
    implied: root.implied ?? [],
  });
  const globals = before[0]?.argv ?? null;
  const fault =
    program === 'git'
      ? (gitFault(globals, rest, where) ??
        shadowFault(name.split(' ')[1] ?? '', globals, where) ??
        hookFault(leaf, where))
      : null;
  return fault === null ? leaf : { ...leaf, unresolved: fault };
}

/** One call for what is the same in every folder that the line may be in by then: what differs only the shell knows. */
export function callsAcross(readings: readonly CommandReading[]): CommandCall[] {
  const found = new Map<string, CommandCall[]>();
  for (const { call } of readings) {
    if (call === null) continue;
    const key = JSON.stringify([call.name, call.possible, call.tools]);
    const same = found.get(key);
    if (same === undefined) found.set(key, [call]);
    else same.push(call);
  }
  return [...found.values()].map(([first, ...others]) =>
    others.length === 0
      ? first!
      : {
          ...first!,
          argument: (canonical) => {
            const [one, ...more] = [first!, ...others].map(({ argument }) => argument(canonical));
            return more.every((each) => JSON.stringify(each) === JSON.stringify(one))
              ? one!
              : { state: 'unreadable', why: 'only the shell knows the folder' };
          },
        },
  );
}

/** Whether a word that the shell completes may become one of the subcommands. */
function mayBeSubcommand({ text, dynamic }: ShellWord, { subcommands = {} }: CatalogCommand): boolean {
  const start = /^[^$`{*?[]*/.exec(text)![0];
  return dynamic && Object.keys(subcommands).some((each) => each.startsWith(start));
}

/** An alias that isn't the owner's runs instead of a command which this git doesn't have, or which is no part of git. */
function shadowFault(subcommand: string, globals: Argv | null, { git }: Place): string | null {
  const given = globals !== null && givenAlias(subcommand, globals) !== null;
  const own = git?.settings.some(
    ({ scope, key }) => scope !== 'global' && scope !== 'system' && key.toLowerCase() === `alias.${subcommand}`,
  );
  return given || own === true ? `there is an alias "${subcommand}", which may run instead` : null;
}

/** What is called a Read must not run a program that came with the repository; what writes may, as people expect of it. */
function hookFault({ call }: CommandReading, { git }: Place): string | null {
  const hook = git?.hooks.find((name) => READING_HOOKS.has(name));
  const isRead = call?.possible.every((operation) => operation === 'Read') ?? false;
  return hook !== undefined && isRead ? `the repository has the hook ${hook}, which reading commands run too` : null;
}

/** Where it works: the folder of the line, or the one that git's `-C` names. */
function placeOf(program: string, globals: Argv | null, { folder, isLost, within, gitAt }: Surroundings): Place {
  if (program !== 'git') return { folder, isLost, git: folder === null ? null : gitAt(folder) };
  let at: string | symbol | null = isLost ? LOST : folder;
  for (const [index, to] of (globals?.options.get('-C') ?? []).entries())
    if (globals?.written.get('-C')?.[index] === TOP) continue;
    else at = typeof to !== 'string' || typeof at === 'symbol' ? LOST : within(at, { text: to, dynamic: false });
  const [directory] = globals?.options.get('--git-dir')?.slice(-1) ?? [];
  if (typeof directory === 'string' && typeof at !== 'symbol')
    at = within(at, { text: directory.replace(/(?<=.)\/\.git\/?$/, ''), dynamic: false });
  else if (directory !== undefined) at = LOST;
  if (typeof at === 'symbol') return { folder: null, isLost: true, git: null };
  return { folder: at, isLost: false, git: at === null ? null : withGiven(gitAt(at), globals) };
}

/** With the settings that the command line gives by `-c`. */
function withGiven(git: GitContext | null, globals: Argv | null): GitContext | null {
  const given = (globals?.options.get('-c') ?? []).flatMap((each) => {
    const [, key, value = 'true'] = typeof each === 'string' ? (/^([^=]+)(?:=(.*))?$/s.exec(each) ?? []) : [];
    // Of those that execute is told elsewhere.
    return key !== undefined && /^(push|remote|branch)\./i.test(key)
      ? [{ scope: 'command' as const, key: key.toLowerCase(), value }]
      : [];
  });
  return git === null || given.length === 0 ? git : { ...git, settings: [...git.settings, ...given] };
}

const LOST = Symbol('lost');

/** Of each command, worked out once. */
const KNOWN = new WeakMap<CatalogCommand, KnownOptions>();

function knownOptions(command: CatalogCommand): KnownOptions {
  const known = KNOWN.get(command) ?? optionsOf(command);
  KNOWN.set(command, known);
  return known;
}

function optionsOf(command: CatalogCommand): KnownOptions {
  const { values = [], attached = [], runs = [], arguments: map = {}, cases = [] } = command;
  const named = [...Object.values(map), ...cases.flatMap((each) => [each.if, ...Object.values(each.arguments ?? {})])]
    .flat()
    .map((token) => token.split(':')[0]!)
    .filter((token) => token.startsWith('-') && token !== '--');
  const taking = [...values, ...runs.filter((token) => token.startsWith('-'))].filter(
    (each) => !attached.includes(each),
  );
  return {
    values: new Set(taking),
    attached: new Set(attached.filter((each) => !each.startsWith('--'))),
    names: new Set([...taking, ...attached, ...named, '--help']),
  };
}

function readLeaf(
  name: string,
  integration: Integration,
  command: CatalogCommand,
  words: readonly ShellWord[],
  before: readonly { readonly command: CatalogCommand; readonly argv: Argv }[],
  around: Place & { readonly cwdName: string | undefined; readonly implied: readonly string[] },
): CommandReading {
  const known = knownOptions(command);
  const tail = command.runs?.find((token) => /^\d+\+$/.test(token));
  const { own, programs } =
    tail === undefined ? { own: words, programs: [] } : cutTail(words, known, Number.parseInt(tail, 10));
  const argv = readArgv(own, known);
  const runs = [
    ...(command.runs ?? []).flatMap((token) =>
      (argv.options.get(token) ?? []).flatMap((value) => (value === true ? [] : [value])),
    ),
    // A single word is a line of its own.
    ...programs.flatMap((each) => (each.length === 1 ? [each[0]!.dynamic ? null : each[0]!.text] : [])),
  ];
  const started = programs.filter((each) => each.length > 1);
  const all = [
    ...(command.cases ?? []).map((each) => ({
      entry: each,
      args: { ...command.arguments, ...each.arguments },
      if: each.if,
    })),
    ...(command.tool === undefined ? [] : [{ entry: command, args: command.arguments ?? {}, if: null }]),
  ];
  const first = all.findIndex((each) => each.if === null || each.if.some((token) => fits(token, argv)));
  // Where a word may be an option, it may be one that an earlier case looks for.
  const candidates = first === -1 ? (argv.open ? all : []) : argv.open ? all.slice(0, first + 1) : [all[first]!];
  if (candidates.length === 0) return { ...NOTHING, runs, programs: started };

  const globals = before.map(({ command: { arguments: map = {} }, argv: given }) => ({ map, given }));
  const variants = candidates.map(({ entry, args }) => {
    const rules = rulesOfTool(integration, entry);
    const kindOf = kindsOf(rules.tools);
    const raw = (canonical: string): Argument => {
      if (canonical === around.cwdName && args[canonical] === undefined) {
        if (around.isLost) return { state: 'unreadable', why: 'only the shell knows the folder' };
        if (around.folder !== null) return { state: 'value', value: around.folder };
      }
      const places = [{ map: args, given: argv }, ...globals];
      for (const { map, given } of places) {
        const tokens = map[canonical];
        const found = tokens === undefined ? null : placed(tokens, given);
        if (found !== null && found.state !== 'missing') return found;
      }
      if (!around.implied.includes(canonical)) return { state: 'missing' };
      // An address among its words is where it works.
      return words.some(({ text }) => text.includes('://'))
        ? { state: 'unreadable', why: 'an address names it' }
        : impliedBy(canonical, around);
    };
    // Asked again by every policy that compares it.
    const read = oncePerKey((canonical): Argument => {
      const found = raw(canonical);
      const kind = kindOf(canonical);
      if (kind === 'refspec' && found.state === 'missing') return implied(name, around.git, raw('remote'), raw);
      if (kind === 'refspec' && found.state === 'value' && name === 'git push')
        return completed(found.value, around.git, (value) => readAs(kind, value));
      return found.state === 'value' ? readAs(kind, found.value) : found;
    });
    const given = (canonical: string): JsonValue[] => {
      const found = raw(canonical);
      return found.state === 'value' ? [found.value] : [];
    };
    const mayLower = (canonical: string) =>
      !(args[canonical] ?? []).some(
        (token) => argv.shortened.has(token) || isNegated(token, argv) || mayBeValue(own, token, known),
      );
    const outcome = outcomeOf(rules, { read, given, own: read, mayLower }, `${name} in the catalog's commands`);
    return { outcome, read, origin: rules.base?.origin ?? 'catalog', names: Object.keys(args) };
  });
  const merged = variants.length === 1 ? variants[0]!.outcome : union(variants.map(({ outcome }) => outcome));
  // `--help=false` and what may be short for another option are no call for help.
  const help = argv.shortened.has('--help') || isValue(own, '--help') ? [] : (argv.options.get('--help') ?? []);
  const isHelp =
    (help.length > 0 && help.every((value) => value === true)) || (own.length === 1 && own[0]!.text === '-h');
  const outcome = isHelp ? onlyHelp(merged) : merged;
  const { id, title } = integration;
  const read =
    variants.length === 1
      ? variants[0]!.read
      : () => ({ state: 'unreadable', why: 'only the shell knows which command it is' }) as const;
  return {
    call: {
      integration: { id, title },
      ...outcome,
      source: variants.some(({ origin }) => origin === 'owner') ? 'owner' : 'catalog',
      name,
      argument: read,
      canonical: [
        ...new Set([
          ...variants.flatMap(({ names }) => names),
          ...globals.flatMap(({ map }) => Object.keys(map)),
          ...(around.cwdName === undefined ? [] : [around.cwdName]),
        ]),
      ],
    },
    unresolved: null,
    runs,
    programs: started,
  };
}

/** Whether a word may be the value of the option before it: the catalog doesn't know every option that takes one. */
function isValue(words: readonly ShellWord[], text: string): boolean {
  return words.some((word, index) => word.text === text && /^--?[a-z]/i.test(words[index - 1]?.text ?? ''));
}

/** The same of a word behind a long option that the catalog doesn't know: `--backup-dir --dry-run`. */
function mayBeValue(words: readonly ShellWord[], token: string, { names }: KnownOptions): boolean {
  return words.some(({ text }, index) => {
    const before = words[index - 1]?.text ?? '';
    return text === token && /^--[a-z][a-z-]*$/.test(before) && !names.has(before) && !FLAGS.has(before);
  });
}

/** Flags that many programs have. */
const FLAGS: ReadonlySet<string> = new Set(
  '--force --all --tags --quiet --verbose --prune --delete --mirror --recursive --progress --yes --interactive --atomic --follow-tags --set-upstream --no-verify --cached --amend --no-edit --signoff --include-untracked --update --patch --keep-empty --expire-unreachable --fix --stat'.split(
    ' ',
  ),
);

function onlyHelp(outcome: Outcome): Outcome {
  return { ...outcome, possible: ['Read'], operation: 'Read', reasons: [...outcome.reasons, '--help only shows help'] };
}

function fits(token: string, { options, operands }: Argv): boolean {
  if (token.startsWith('-')) return options.has(token) && !isNegated(token, { options });
  if (token.startsWith('=')) return typeof operands[0] === 'string' && pathIn(operands[0]) === token.slice(1);
  if (token === 'local') return isLocal(operands.at(-1));
  return token === '0' ? operands.length === 0 : operands.length >= Number(token);
}

/** A path here, not one behind the name of a remote: `./x`, and not `gd:x`. */
function isLocal(operand: string | null | undefined): boolean {
  return typeof operand === 'string' && !/^:?[\w.+@ -]{2,}:/.test(operand);
}

/** The path of an address, or of what is one by its end: `https://api.github.com/graphql?x`, `//graphql`, `./graphql` are `graphql`. */
function pathIn(text: string): string {
  const path = text.replace(/^[a-z]+:\/\/[^/]*/i, '').replace(/[?#].*$/s, '');
  return normalisePath(path).replace(/^\//, '');
}

/** `--no-dry-run`, or the beginning of it, takes `--dry-run` back. */
function isNegated(token: string, { options }: Pick<Argv, 'options'>): boolean {
  if (!token.startsWith('--') && token !== '-n') return false;
  const negative = token === '-n' ? '--no-dry-run' : `--no-${token.slice(2)}`;
  return [...options.keys()].some((each) => each.startsWith('--no-') && negative.startsWith(each));
}

/** What stands in the places of one canonical argument. */
function placed(tokens: readonly string[], { options, written, operands, afterDashes, open }: Argv): Argument {
  const values = tokens.flatMap((token): (JsonValue | undefined)[] => {
    if (token === '--') return (afterDashes ?? []).map((each) => each ?? undefined);
    const position = /^(\d+)(\+?)$/.exec(token);
    if (position !== null) {
      const from = Number(position[1]) - 1;
      return operands.slice(from, position[2] === '+' ? undefined : from + 1).map((each) => each ?? undefined);
    }
    const [option, part] = token.split(':') as [string, string | undefined];
    const given = options.get(option) ?? [];
    if (part === undefined) return given.map((each) => each ?? undefined);
    return given.flatMap((each, index) => {
      // Only the shell knows `n=$N`, but it is n and nothing else.
      const key = each === null ? /^([\w.[\]-]+)=/.exec(written.get(option)?.[index] ?? '')?.[1] : undefined;
      if (each === null) return key !== undefined && key !== part ? [] : [undefined];
      if (typeof each !== 'string' || !each.startsWith(`${part}=`)) return [];
      const text = each.slice(part.length + 1);
      return [text.startsWith('@') ? undefined : text];
    });
  });
  if (values.includes(undefined)) return { state: 'unreadable', why: 'only the shell knows it' };
  if (values.length === 0)
    return open && tokens.some((token) => token.startsWith('-') && token !== '--')
      ? { state: 'unreadable', why: 'only the shell knows whether it is there' }
      : { state: 'missing' };
  return { state: 'value', value: values.length === 1 ? values[0]! : (values as JsonValue[]) };
}

/** What the folder implies: the repository of its one remote. */
function impliedBy(canonical: string, { git }: Place): Argument {
  const known = canonical === 'repository' && git !== null ? remoteRepository(git) : null;
  return known === null ? { state: 'unreadable', why: 'it is left to the folder' } : { state: 'value', value: known };
}

/** The branches of a push that names some: where one goes that names no destination the repository says. */
function completed(value: JsonValue, git: GitContext | null, readRefspecs: (value: JsonValue) => Argument): Argument {
  if (git === null) return readRefspecs(value);
  const given = Array.isArray(value) ? value : [value];
  const whole = given.flatMap((each, index) => {
    // `tag v1` is refs/tags/v1.
    if (each === 'tag' && typeof given[index + 1] === 'string') return [];
    if (typeof each === 'string' && given[index - 1] === 'tag') return [`refs/tags/${each}`];
    return [typeof each === 'string' ? completedRefspec(git, each) : each];
  });
  if (whole.includes(null)) return { state: 'unreadable', why: 'the repository says where it goes (remote.….push)' };
  return readRefspecs(whole.length === 1 ? whole[0]! : whole);
}

/** The branch of a push that names none. */
function implied(
  name: string,
  git: GitContext | null,
  remote: Argument,
  raw: (canonical: string) => Argument,
): Argument {
  const unknown: Argument = { state: 'unreadable', why: 'it is left to the repository' };
  if (name !== 'git push' || git === null || remote.state === 'unreadable') return unknown;
  if (['all', 'mirror', 'tags', 'delete'].some((each) => raw(each).state !== 'missing')) return unknown;
  const to = impliedPush(git, remote.state === 'value' && typeof remote.value === 'string' ? remote.value : null);
  return to === null ? unknown : { state: 'value', value: to };
}

/** The words from one operand on, untouched: they are another command's. */
function cutTail(
  words: readonly ShellWord[],
  known: KnownOptions,
  from: number,
): { own: readonly ShellWord[]; programs: (readonly ShellWord[])[] } {
  const own: ShellWord[] = [];
  let rest = words;
  for (let operand = 1; ; operand++) {
    const split = splitAtOperand(rest, known);
    own.push(...split.before);
    if (split.operand === null) return { own, programs: [] };
    if (operand === from) return { own, programs: [[split.operand, ...split.after]] };
    own.push(split.operand);
    rest = split.after;
  }
}

/** An alias from the command line itself, or from the configuration. */
function gitAlias(name: string, globals: Argv, git: GitContext | null): string | null {
  return givenAlias(name, globals) ?? (git === null ? null : aliasOf(git, name));
}

/** The body of the alias that the command line gives by `-c alias.x=…`; null if it gives none. */
function givenAlias(name: string, globals: Argv): string | null {
  const own = (globals.options.get('-c') ?? []).findLast(
    (each) => typeof each === 'string' && each.toLowerCase().startsWith(`alias.${name.toLowerCase()}=`),
  );
  return typeof own === 'string' ? own.slice(own.indexOf('=') + 1) : null;
}

/** With the options before it: an alias sees the folder that they name. */
function aliased(body: string, options: readonly ShellWord[], rest: readonly ShellWord[]): CommandReading {
  const text = body.trim();
  if (text.startsWith('!')) {
    if (rest.some(({ dynamic }) => dynamic)) return { ...NOTHING, runs: [text.slice(1), null] };
    return { ...NOTHING, runs: [`${text.slice(1)} ${rest.map((word) => quoted(word.text)).join(' ')}`] };
  }
  const words = commandsOf(readShellLine(text).steps)[0]?.words ?? [];
  return { ...NOTHING, programs: [[{ text: 'git', dynamic: false }, ...options, ...words, ...rest]] };
}

/** Why a git command may do more than it says; null if nothing shows that. */
function gitFault(globals: Argv | null, words: readonly ShellWord[], { git, isLost }: Place): string | null {
  if (isLost) return 'only the shell knows the folder, and so what its configuration makes git run';
  for (const value of [...(globals?.options.get('-c') ?? []), ...(globals?.options.get('--config-env') ?? [])]) {
    if (typeof value !== 'string') return 'only the shell knows which setting it is given';
    const [key, ...rest] = value.split('=') as [string, ...string[]];
    const isNamed = globals?.options.get('--config-env')?.includes(value) === true;
    // An alias matters only where it is used, and then it has been followed.
    // Of what a variable holds nobody knows.
    if (!/^alias\./i.test(key) && isChanging(key, isNamed ? '?' : rest.join('=')))
      return `it is given the setting ${key}, which may make git run something else`;
  }
  if (globals?.options.has('--exec-path') && globals.options.get('--exec-path')!.some((value) => value !== true))
    return 'its own programs are taken from elsewhere';
  for (const { text } of words) {
    if (/^[a-z][\w+.-]*::/i.test(text)) return `"${text}" makes git run a helper`;
    const setting = /^(?:-c|--config=?)?([\w.-]+\.[\w.-]+)=(.*)$/s.exec(text);
    if (setting !== null && isExecuting(setting[1]!, setting[2]!))
      return `it sets ${setting[1]}, which may make git run something else`;
  }
  if (git?.fault !== undefined) return git.fault;
  const [own] = git === null ? [] : executingSettings(git);
  return own === undefined
    ? null
    : `the repository's own configuration sets ${own}, which may make git run something else`;
}
