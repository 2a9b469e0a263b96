/**
 * The simple commands of a shell line, wherever they stand: in pipes and lists, groups and functions, substitutions and
 * here-documents' expansions. What a command really runs is found later (`shell-reading.ts`). Pure.
 */
import { type Command, forEachChild, parse, type Redirection, type SyntaxNode, type Word } from 'unbash';

export interface ShellWord {
  readonly text: string;
  /** only the shell knows it whole: a variable, a substitution, a brace; `text` is then as it was written */
  readonly dynamic: boolean;
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

export interface ShellCommand {
  /** its name and arguments; empty for assignments alone */
  readonly words: readonly ShellWord[];
  /** `GIT_DIR=x`, before the name */
  readonly assignments: readonly { readonly name: string; readonly value: ShellWord }[];
  readonly input: ShellInput;
  /** the files that its redirects write */
  readonly writes: readonly ShellWord[];
}

export interface ShellLine {
  readonly commands: readonly ShellCommand[];
  /** the functions that it defines; what is in them counts as if it ran */
  readonly functions: ReadonlySet<string>;
  /** why it could not be read whole; empty if it could */
  readonly errors: readonly string[];
}

const MAX_SUBSTITUTIONS = 100;

const NO_INPUT: ShellInput = { kind: 'none' };
const UNKNOWN_INPUT: ShellInput = { kind: 'unknown' };

export function readShellLine(line: string): ShellLine {
  // Each costs a parse of its own, of all that follows.
  if ((line.match(/\$\(|`|[<>]\(/g) ?? []).length > MAX_SUBSTITUTIONS)
    return { commands: [], functions: new Set(), errors: ['it has too many substitutions'] };
  const commands: ShellCommand[] = [];
  const functions = new Set<string>();
  const errors: string[] = [];
  const visit = (node: SyntaxNode, input: ShellInput): void => {
    switch (node.type) {
      case 'Script':
        for (const { message } of ('errors' in node ? node.errors : undefined) ?? []) errors.push(message);
        break;
      case 'Command':
        commands.push(commandOf(node, input));
        break;
      case 'Function':
        functions.add(node.name.value);
        break;
      case 'Pipeline':
        node.commands.forEach((command, index) => {
          visit(command, index === 0 ? input : printedBy(node.commands[index - 1]!));
        });
        return;
      case 'Redirected': {
        const own = inputOf(node.redirects, input);
        commands.push({ words: [], assignments: [], input: NO_INPUT, writes: writesOf(node.redirects) });
        visit(node.command, own);
        for (const redirect of node.redirects) visit(redirect, NO_INPUT);
        return;
      }
      case 'CommandExpansion':
      case 'ProcessSubstitution':
      case 'ArithmeticCommandExpansion':
        if (node.script === undefined) errors.push('a substitution that can not be read');
        break;
    }
    // What stands in words has the line's own input, not the command's; groups and lists pass theirs on.
    const inWord = node.type === 'Command' || node.type === 'Word';
    forEachChild(node, (child) => {
      visit(child, inWord ? NO_INPUT : input);
    });
  };
  // A carriage return before the end of a line is no part of a word to whoever wrote it.
  visit(parse(line.replace(/\r(?=\n|$)/g, '')), NO_INPUT);
  return { commands, functions, errors };
}

function commandOf({ name, prefix, args, redirects }: Command, input: ShellInput): ShellCommand {
  const words = [
    ...(name === undefined ? [] : [wordOf(name)]),
    ...args.map((arg): ShellWord => {
      if (arg.type === 'Word') return wordOf(arg);
      // `declare x=…`, `alias g='…'`
      if (arg.value.type !== 'Word') return { text: arg.text, dynamic: true };
      const value = wordOf(arg.value);
      return { text: `${arg.name}=${value.text}`, dynamic: value.dynamic };
    }),
  ];
  return {
    words,
    assignments: prefix.flatMap((each) =>
      each.type === 'Assignment'
        ? [
            {
              name: each.name,
              value: each.value.type === 'Word' ? wordOf(each.value) : { text: each.text, dynamic: true },
            },
          ]
        : [],
    ),
    input: inputOf(redirects, input),
    writes: writesOf(redirects),
  };
}

const DYNAMIC = new Set<string>([
  'SimpleExpansion',
  'ParameterExpansion',
  'CommandExpansion',
  'ArithmeticExpansion',
  'ProcessSubstitution',
  'BraceExpansion',
]);

function wordOf(word: Word): ShellWord {
  return { text: word.value, dynamic: word.parts?.some(isDynamic) ?? false };
}

function isDynamic(part: {
  readonly type: string;
  readonly parts?: readonly { readonly type: string }[] | undefined;
}): boolean {
  return DYNAMIC.has(part.type) || (part.parts?.some(isDynamic) ?? false);
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
    if (redirect.type === 'HereDoc') input = { kind: 'text', text: redirect.body.text };
    else if (redirect.type === 'HereString') {
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

/** What the next command of a pipe reads: known only of a plain `echo` or `printf` of one text. */
function printedBy(node: SyntaxNode): ShellInput {
  if (node.type !== 'Command' || node.redirects.length > 0) return UNKNOWN_INPUT;
  const [name, ...args] = commandOf(node, NO_INPUT).words;
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
