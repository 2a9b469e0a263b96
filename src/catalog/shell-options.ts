/** What a shell is told to run by its words. Pure. */
import type { ShellWord } from './shell-line.ts';

export type ShellTask =
  /** a text; null where only the shell knows */
  | { readonly kind: 'text'; readonly text: string | null }
  | { readonly kind: 'file'; readonly file: string }
  /** what comes on its standard input */
  | { readonly kind: 'input' };

/** Of bash, zsh, fish and their like. */
export function shellTasks(name: string, words: readonly ShellWord[]): ShellTask[] {
  const tasks: ShellTask[] = [];
  let takesText = false;
  let takesInput = false;
  for (let at = 0; at < words.length; at++) {
    const { text, dynamic } = words[at]!;
    if (!dynamic && (text === '--' || text === '-')) continue;
    if (!dynamic && /^[-+][a-zA-Z-]/.test(text)) {
      const attached = /^--?(?:command|init-command)=(.*)$|^-[a-zA-Z]*[cC]([^a-zA-Z].*|[a-zA-Z]+[^a-zA-Z].*)$/s.exec(
        text,
      );
      if (attached !== null) tasks.push({ kind: 'text', text: attached[1] ?? attached[2]! });
      else if (/^--?(command|init-command)$/.test(text) || (name === 'fish' && text === '-C'))
        tasks.push(textIn(words[++at]));
      else if (/^--(rcfile|init-file)$/.test(text)) tasks.push({ kind: 'file', file: words[++at]?.text ?? '' });
      else if (!text.startsWith('--')) {
        takesText ||= text.startsWith('-') && text.includes('c');
        takesInput ||= text.startsWith('-') && text.includes('s');
        // Each `o` takes a name of its own.
        at += [...text].filter((letter) => letter === 'o' || letter === 'O').length;
      }
      continue;
    }
    if (takesText) return [...tasks, textIn(words[at])];
    if (takesInput) break;
    if (dynamic) return [...tasks, { kind: 'text', text: null }];
    return [...tasks, isStandardInput(text) ? { kind: 'input' } : { kind: 'file', file: text }];
  }
  const isDone = takesText || tasks.some(({ kind }) => kind === 'text');
  const onlyTells = words.some(({ text }) => /^--(version|help)$/.test(text));
  return isDone || onlyTells ? tasks : [...tasks, { kind: 'input' }];
}

function textIn(word: ShellWord | undefined): ShellTask {
  return { kind: 'text', text: word === undefined || word.dynamic ? null : word.text };
}

/** A file that is the standard input. */
export function isStandardInput(file: string): boolean {
  return /^\/(dev\/stdin|dev\/fd\/0|proc\/self\/fd\/0)$/.test(file);
}
