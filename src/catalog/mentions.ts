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
  return afterName(lower, name).some((rest) => !/^[\w-]/.test(rest));
}

/** Whether a text holds something like a call: the name, then a subcommand, an option or something that only the shell knows. */
export function mentionsCall(lower: string, name: string, { subcommands = {} }: CatalogCommand): boolean {
  return afterName(lower, name).some((rest) => {
    const next = /^['"]?(?:,|\s)+['"]?(\S+)/.exec(rest)?.[1];
    if (next === undefined) return false;
    return /^[-$`]/.test(next) || Object.hasOwn(subcommands, /^[\w-]*/.exec(next)![0]);
  });
}

/** What follows each place where the name begins a word: a little of it. */
function afterName(lower: string, name: string): string[] {
  const found: string[] = [];
  for (let at = lower.indexOf(name); at !== -1; at = lower.indexOf(name, at + 1))
    if (!/[\w-]/.test(lower[at - 1] ?? ' ')) found.push(lower.slice(at + name.length, at + name.length + 80));
  return found;
}
