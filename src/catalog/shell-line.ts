/**
 * A shell line as the steps that it takes: simple commands wherever they stand, in pipes and lists, groups and functions,
 * substitutions and here-documents, and what of their effects outlasts them. What a command really runs is found later
 * (`shell-reading.ts`). Pure.
 */
import { type Command, forEachChild, parse, type Redirection, type SyntaxNode, type Word, type WordPart } from 'unbash';
import { NO_OPTION, printedFirst } from './shell-printed.ts';
import { arithmeticVariables } from './shell-variables.ts';

export interface ShellWord {
  readonly text: string;
  /** only the shell knows it whole: a variable, a substitution, a brace; `text` is then as it was written */
  readonly dynamic: boolean;
  /** the variables that make it dynamic; absent if anything else does too */
  readonly variables?: readonly string[];
  /** all that is dynamic stands in quotes: it is one word, whatever it holds */
  readonly whole?: true;
  /** it may be several words */
  readonly several?: true;
  /** its substitutions, as they are written: they are steps of their own */
  readonly substitutions?: readonly string[];
}

/** What a command reads from its standard input. */
export type ShellInput =
  | { readonly kind: 'none' }
  /** a here-document, or what a plain `echo` prints */
  | { readonly kind: 'text'; readonly text: string }
  /** a file */
  | { readonly kind: 'file' }
  /** whatever another command prints */
  | { readonly kind: 'unknown' };

export interface ShellAssignment {
  readonly name: string;
  /** of `name[index]=…` */
  readonly index: string | null;
  readonly value: ShellWord;
  /** only the shell knows the name */
  readonly isUnknown?: true;
}

export interface ShellCommand {
  /** its name and arguments; empty for assignments alone */
  readonly words: readonly ShellWord[];
  /** `GIT_DIR=x`, before the name */
  readonly assignments: readonly ShellAssignment[];
  readonly input: ShellInput;
  /** the files that its redirects write and read */
  readonly writes: readonly ShellWord[];
  readonly reads: readonly ShellWord[];
}

export type ShellStep =
  | { readonly kind: 'command'; readonly command: ShellCommand }
  /** `a && b || c` */
  | {
      readonly kind: 'list';
      readonly first: readonly ShellStep[];
      readonly rest: readonly { readonly operator: '&&' | '||'; readonly steps: readonly ShellStep[] }[];
    }
  /** in a process of its own: the folder that it changes to is gone after it */
  | { readonly kind: 'apart'; readonly steps: readonly ShellStep[] }
  /** it may run, once or more often, or not; what follows runs whether it succeeds or fails */
  | { readonly kind: 'maybe'; readonly steps: readonly ShellStep[] }
  /** what is in a function counts as if it ran */
  | { readonly kind: 'function'; readonly name: string; readonly steps: readonly ShellStep[] };

export interface ShellLine {
  readonly steps: readonly ShellStep[];
  /** why it could not be read whole; empty if it could */
  readonly errors: readonly string[];
}

const MAX_SUBSTITUTIONS = 100;

export const NO_INPUT: ShellInput = { kind: 'none' };
export const UNKNOWN_INPUT: ShellInput = { kind: 'unknown' };

export function readShellLine(line: string): ShellLine {
  // Each costs a parse of its own, of all that follows.
  if ((line.match(/\$\(|`|[<>]\(/g) ?? []).length > MAX_SUBSTITUTIONS)
    return { steps: [], errors: ['it has too many substitutions'] };
  const errors: string[] = [];
  // A carriage return before the end of a line is no part of a word to whoever wrote it.
  const steps = stepsOf(parse(line.replace(/\r(?=\n|$)/g, '')), NO_INPUT, errors);
  return { steps, errors };
}

/** Its simple commands, one after the other. */
export function commandsOf(steps: readonly ShellStep[]): ShellCommand[] {
  return steps.flatMap((step) => {
    if (step.kind === 'command') return [step.command];
    if (step.kind === 'list') return commandsOf([...step.first, ...step.rest.flatMap(({ steps: each }) => each)]);
    return commandsOf(step.steps);
  });
}

function stepsOf(node: SyntaxNode, input: ShellInput, errors: string[]): ShellStep[] {
  const within = (inner: SyntaxNode, itsInput = input) => stepsOf(inner, itsInput, errors);
  const maybe = (...inner: readonly (SyntaxNode | undefined)[]): ShellStep[] =>
    inner.flatMap((each) => (each === undefined ? [] : [{ kind: 'maybe', steps: within(each) }]));
  switch (node.type) {
    case 'Script':
      for (const { message } of ('errors' in node ? node.errors : undefined) ?? []) errors.push(message);
      return node.commands.flatMap((each) => within(each));
    case 'CompoundList':
      return node.commands.flatMap((each) => within(each));
    case 'Statement':
      return node.background ? [{ kind: 'apart', steps: within(node.command) }] : within(node.command);
    case 'AndOr': {
      const [first, ...rest] = node.commands;
      return [
        {
          kind: 'list',
          first: within(first!),
          rest: rest.map((each, index) => ({ operator: node.operators[index]!, steps: within(each) })),
        },
      ];
    }
    case 'Pipeline': {
      const { commands } = node;
      if (commands.length === 1) return node.prefixes.length === 0 ? within(commands[0]!) : maybe(commands[0]);
      return commands.map((each, index): ShellStep => {
        const steps = within(each, index === 0 ? input : printedBy(commands[index - 1]!));
        // Some shells run the last one themselves.
        return { kind: index === commands.length - 1 ? 'maybe' : 'apart', steps };
      });
    }
    case 'Subshell':
      return [{ kind: 'apart', steps: within(node.body) }];
    case 'Coproc':
      return [{ kind: 'apart', steps: within(node.body) }];
    case 'BraceGroup':
      return within(node.body);
    case 'Function':
      return [{ kind: 'function', name: node.name.value, steps: within(node.body) }];
    case 'If':
      return [
        ...within(node.clause),
        ...maybe(node.then, ...node.elif.flatMap((each) => [each.clause, each.then]), node.else),
      ];
    case 'While':
      // It is asked again after each round.
      return [...within(node.clause), { kind: 'maybe', steps: [...within(node.body), ...within(node.clause)] }];
    case 'For':
    case 'Select': {
      const isNone = (word: ShellWord) =>
        word.dynamic
          ? printedFirst(word.text) === 'name' && /^\$\([^()]*\)$/.test(word.text)
          : /^[\w./@]/.test(word.text);
      const given = (node.wordlist ?? []).map(wordOf);
      const value = given.length > 0 && given.every(isNone) ? { text: NO_OPTION, dynamic: true } : UNKNOWN_WORD;
      const assignments = [{ name: node.name.value, index: null, value }];
      // What its words hold may be evaluated later.
      const words = [{ text: 'set', dynamic: false }, ...(node.wordlist ?? []).map(wordOf)];
      return [
        ...inWords(node.wordlist ?? [], errors),
        bare({ words, assignments: [] }),
        bare({ assignments }),
        ...maybe(node.body),
      ];
    }
    case 'ArithmeticFor': {
      const { initialize, test, update } = node;
      const assignments = arithmeticVariables(JSON.stringify([initialize, test, update]));
      return [...inWords([node], errors), bare({ assignments }), ...maybe(node.body)];
    }
    case 'Case':
      return [
        ...inWords([node.word, ...node.items.flatMap(({ pattern }) => pattern)], errors),
        ...maybe(...node.items.map(({ body }) => body)),
      ];
    case 'TestCommand':
      return [...inWords([node], errors), bare({ words: [{ text: '[[', dynamic: false }, ...wordsIn(node)] })];
    case 'ArithmeticCommand':
      return [
        ...inWords([node], errors),
        bare({
          words: [
            { text: 'let', dynamic: false },
            { text: node.body, dynamic: false },
          ],
        }),
      ];
    case 'Redirected':
      return [
        ...inWords(node.redirects, errors),
        bare({ writes: writesOf(node.redirects), reads: readsOf(node.redirects) }),
        ...within(node.command, inputOf(node.redirects, input)),
      ];
    case 'Command':
      return [...inWords([node], errors), { kind: 'command', command: commandOf(node, input) }];
    default:
      return inWords([node], errors);
  }
}

function bare(parts: Partial<ShellCommand>): ShellStep {
  return { kind: 'command', command: { words: [], assignments: [], input: NO_INPUT, writes: [], reads: [], ...parts } };
}

/** What runs while words are put together: substitutions, and `${x:=y}`, which sets a variable. */
function inWords(nodes: readonly SyntaxNode[], errors: string[]): ShellStep[] {
  const found: ShellStep[] = [];
  const visit = (node: SyntaxNode): void => {
    switch (node.type) {
      // They are steps of their own.
      case 'CompoundList':
        return;
      case 'CommandExpansion':
      case 'ArithmeticCommandExpansion':
      case 'ProcessSubstitution': {
        if (node.script === undefined) errors.push('a substitution that can not be read');
        else {
          const input = node.type === 'ProcessSubstitution' && node.operator === '>' ? UNKNOWN_INPUT : NO_INPUT;
          found.push({ kind: 'apart', steps: stepsOf(node.script, input, errors) });
        }
        return;
      }
      case 'ArithmeticExpansion':
        // What the shell works out may set variables.
        found.push(bare({ assignments: arithmeticVariables(node.text) }));
        break;
      case 'ParameterExpansion':
        if (node.operation?.type === 'Default' && node.operation.operator.endsWith('='))
          found.push(
            // It may hold something already.
            bare({ assignments: [{ name: node.parameter, index: null, value: UNKNOWN_WORD }] }),
          );
        break;
    }
    forEachChild(node, visit);
  };
  for (const node of nodes) forEachChild(node, visit);
  return found;
}

function wordsIn(node: SyntaxNode): ShellWord[] {
  const found: ShellWord[] = [];
  const visit = (each: SyntaxNode): void => {
    if (each.type === 'Word') found.push(wordOf(each));
    else forEachChild(each, visit);
  };
  forEachChild(node, visit);
  return found;
}

function commandOf({ name, prefix, args, redirects }: Command, input: ShellInput): ShellCommand {
  const words = [
    ...(name === undefined ? [] : [wordOf(name)]),
    ...args.map((arg): ShellWord => {
      if (arg.type === 'Word') return wordOf(arg);
      // `declare x=…`, `alias g='…'`
      if (arg.value.type !== 'Word') return { text: arg.text, dynamic: true };
      const value = wordOf(arg.value);
      const index = arg.index === undefined ? '' : `[${arg.index.text}]`;
      return { ...value, text: `${arg.name}${index}=${value.text}` };
    }),
  ];
  return {
    words,
    assignments: prefix.flatMap((each) =>
      each.type === 'Assignment'
        ? [
            {
              name: each.name,
              index: each.index?.value ?? null,
              // What is added to is not known.
              value:
                each.value.type === 'Word' && each.append !== true
                  ? wordOf(each.value)
                  : { text: each.text, dynamic: true },
            },
          ]
        : [],
    ),
    input: inputOf(redirects, input),
    writes: writesOf(redirects),
    reads: readsOf(redirects),
  };
}

const UNKNOWN_WORD: ShellWord = { text: '$', dynamic: true };

const DYNAMIC = new Set<string>([
  'SimpleExpansion',
  'ParameterExpansion',
  'CommandExpansion',
  'ArithmeticExpansion',
  'ProcessSubstitution',
  'BraceExpansion',
]);

function wordOf(word: Word): ShellWord {
  let text = word.value;
  const variables: string[] = [];
  let isDynamic = false;
  let isWhole = true;
  let onlyVariables = true;
  const substitutions: string[] = [];
  const visit = (part: WordPart, quoted: boolean): void => {
    if (DYNAMIC.has(part.type)) {
      isDynamic = true;
      if (!quoted) isWhole = false;
      if (part.type === 'SimpleExpansion') variables.push(part.text.slice(1));
      else if (part.type === 'ParameterExpansion' && part.operation === undefined && part.prefix === undefined)
        variables.push(part.parameter);
      else onlyVariables = false;
      if ('script' in part && part.script !== undefined) {
        // Both forms are the same.
        const written = part.text.replace(/^`([^`\\]*)`$/, '$($1)');
        text = text.replace(part.text, () => written);
        substitutions.push(written);
      }
    }
    if ('parts' in part)
      for (const each of part.parts ?? [])
        visit(each, quoted || part.type === 'DoubleQuoted' || part.type === 'LocaleString');
  };
  for (const part of word.parts ?? []) visit(part, false);
  if (!isDynamic) return { text, dynamic: false };
  return {
    text,
    dynamic: true,
    ...(onlyVariables && { variables }),
    ...(isWhole && { whole: true }),
    ...(substitutions.length > 0 && { substitutions }),
  };
}

/** What a word says by itself: without its substitutions, which are steps of their own. */
export function withoutSubstitutions({ text, substitutions = [] }: ShellWord): string {
  return substitutions.reduce((rest, each) => rest.replace(each, () => '$()'), text);
}

/** The last redirect of the standard input counts. */
function inputOf(redirects: readonly Redirection[], inherited: ShellInput): ShellInput {
  let input = inherited;
  for (const redirect of redirects) {
    if (
      redirect.descriptor !== undefined &&
      !(redirect.descriptor.type === 'FileDescriptor' && redirect.descriptor.value === 0)
    )
      continue;
    if (redirect.type === 'HereDoc') {
      // The shell takes the backslashes out of a body that it completes.
      const { text, parts } = redirect.body;
      const unescaped = parts?.map((part) => (part.type === 'Literal' ? part.value : part.text)).join('');
      const isRaw = redirect.delimiter?.quoted === true;
      input = { kind: 'text', text: isRaw ? text : (unescaped ?? text.replace(/\\([$`\\])/g, '$1')) };
    } else if (redirect.type === 'HereString') {
      const word = redirect.target === undefined ? null : wordOf(redirect.target);
      input = word === null || word.dynamic ? UNKNOWN_INPUT : { kind: 'text', text: word.text };
    } else if (redirect.operator === '<' || redirect.operator === '<>')
      // `< <(…)`: what that prints; else a file.
      input =
        redirect.target?.parts?.some(({ type }) => type === 'ProcessSubstitution') === true
          ? UNKNOWN_INPUT
          : { kind: 'file' };
    else if (redirect.operator === '<&') input = UNKNOWN_INPUT;
  }
  return input;
}

const WRITING = new Set<string>(['>', '>>', '>|', '&>', '&>>', '<>', '>&']);

function writesOf(redirects: readonly Redirection[]): ShellWord[] {
  return redirects.flatMap((redirect) => {
    if (redirect.type !== 'Redirect' || !WRITING.has(redirect.operator) || redirect.target === undefined) return [];
    const word = wordOf(redirect.target);
    // `2>&1` and `>&-` name no file.
    return redirect.operator === '>&' && /^(\d+|-)$/.test(word.text) ? [] : [word];
  });
}

function readsOf(redirects: readonly Redirection[]): ShellWord[] {
  return redirects.flatMap((redirect) =>
    redirect.type === 'Redirect' && redirect.operator === '<' && redirect.target !== undefined
      ? [wordOf(redirect.target)]
      : [],
  );
}

/** What the next command of a pipe reads: known only of a plain `echo` or `printf` of one text, and of `cat` alone. */
function printedBy(node: SyntaxNode): ShellInput {
  if (node.type !== 'Command') return UNKNOWN_INPUT;
  const { words, input } = commandOf(node, UNKNOWN_INPUT);
  const [name, ...args] = words;
  if (name?.text === 'cat' && args.length === 0 && input.kind === 'text') return input;
  if (node.redirects.length > 0) return UNKNOWN_INPUT;
  const operands =
    name?.text === 'echo' ? args.filter(({ text }, index) => index > 0 || !/^-[neE]+$/.test(text)) : args;
  // Escapes other than that of a new line may spell anything.
  if (operands.some(({ text, dynamic }) => dynamic || /\\[^n]|\\$/.test(text))) return UNKNOWN_INPUT;
  if (name?.text === 'echo')
    return {
      kind: 'text',
      text: operands
        .map(({ text }) => text)
        .join(' ')
        .replaceAll('\\n', '\n'),
    };
  if (name?.text === 'printf' && operands.length === 1 && !operands[0]!.text.includes('%'))
    return { kind: 'text', text: operands[0]!.text.replaceAll('\\n', '\n') };
  return UNKNOWN_INPUT;
}

/** One word for a POSIX shell. */
export function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** The words as one line; null where only the shell knows. */
export function joined(words: readonly ShellWord[]): string | null {
  return words.some(({ dynamic }) => dynamic) ? null : words.map(({ text }) => text).join(' ');
}
