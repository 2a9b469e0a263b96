/** Whether a text that nobody reads as a program speaks of one. Pure. */
import type { CatalogCommand } from './schema.ts';

/** The program's name without its folder, its ending and its case: `/usr/bin/Git.exe` is git. */
export function programName(path: string): string {
  const name = path.replaceAll('\\', '/').split('/').at(-1) ?? path;
  return name.toLowerCase().replace(/\.(exe|cmd|bat|ps1|com)$/, '');
}

/** Programs whose names stand in many a text that is not about them. */
const COMMON_WORDS: ReadonlySet<string> = new Set(['linear', 'jira', 'pup', 'toolgate']);

/** Whether a text speaks of a program: its name stands there as a word, or a call of it where the name is a common word. */
export function mentions(lower: string, name: string, command: CatalogCommand): boolean {
  if (COMMON_WORDS.has(name)) return mentionsCall(lower, name, command);
  // `git.json` and `~/git/x` are a file and a folder.
  return afterName(lower, name).some(
    (rest) => !/^([\w+-]|\/|\.(js|cjs|mjs|ts|tsx|py|rb|json|csv|md|txt|ya?ml|test|spec)\b)/.test(rest),
  );
}

/** Whether a text holds something like a call: the name, then a subcommand, an option or something that only the shell knows. */
export function mentionsCall(lower: string, name: string, { subcommands = {} }: CatalogCommand): boolean {
  return afterName(lower, name).some((rest) => {
    const next = /^['"]?[\s,]+[[('"]*([^\s[('"]\S*)/.exec(rest)?.[1];
    if (next === undefined) return false;
    if (/^[$`]/.test(next) || Object.hasOwn(subcommands, /^[\w-]*/.exec(next)![0])) return true;
    // Behind its options a call has a subcommand, where the program has any.
    if (!next.startsWith('-')) return false;
    const names = Object.keys(subcommands);
    return names.length === 0 || rest.split(/[\s,'"[\]()]+/, 8).some((word) => Object.hasOwn(subcommands, word));
  });
}

/**
 * Whether words of a program that nobody knows hold a call which it could run: a word of its own, or the beginning of a text or
 * of a part of one. "Fix git push" is no call.
 */
export function holdsCall(words: readonly string[], name: string, command: CatalogCommand): boolean {
  const text = words.join('\n').toLowerCase();
  for (let at = text.indexOf(name); at !== -1; at = text.indexOf(name, at + 1))
    if (BEGINS.test(text.slice(Math.max(0, at - 60), at)) && mentionsCall(text.slice(at, at + 120), name, command))
      return true;
  return false;
}

/** What stands before the name of a program that is run: a separator, a word that runs another, what sets a variable for it. */
const BEGINS =
  /(^|[\n;&|(){}'"`=!/,*]|\b(sudo|env|exec|command|then|do|else|xargs|nohup|time|timeout|nice|ionice|stdbuf|setsid|watch|unbuffer|--)(\s+(-\S+|\d\S*|[a-z_]\w*=\S*))*|[\n;&|(){}'"`!]\s*[a-z_]\w*=\S*(\s+[a-z_]\w*=\S*){0,5})\s*$/;

/** What follows each place where the name begins a word: a little of it. */
function afterName(lower: string, name: string): string[] {
  const found: string[] = [];
  for (let at = lower.indexOf(name); at !== -1; at = lower.indexOf(name, at + 1))
    if (!/[\w.-]/.test(lower[at - 1] ?? ' ')) found.push(lower.slice(at + name.length, at + name.length + 80));
  return found;
}
