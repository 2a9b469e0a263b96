/** The aliases of the shell that an agent runs its commands in. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { commandsOf, readShellLine } from '../catalog/shell-line.ts';

const NONE: ReadonlyMap<string, string> = new Map();

/** What Claude Code replays before each command: its newest snapshot of the user's shell. Other agents start a shell without any. */
export function aliasesOf(agent: string, home: string): ReadonlyMap<string, string> {
  if (agent !== 'claude-code') return NONE;
  const folder = join(home, '.claude', 'shell-snapshots');
  try {
    const [newest] = readdirSync(folder)
      .filter((name) => name.endsWith('.sh'))
      .map((name) => ({ path: join(folder, name), at: statSync(join(folder, name)).mtimeMs }))
      .sort((a, b) => b.at - a.at);
    return newest === undefined ? NONE : aliasesIn(readFileSync(newest.path, 'utf8'));
  } catch {
    return NONE;
  }
}

/** `alias g=git`, `alias -- gp='git push'`, each on a line of its own. */
export function aliasesIn(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    if (!line.startsWith('alias ')) continue;
    for (const { words } of commandsOf(readShellLine(line).steps))
      for (const { text: word, dynamic } of words.slice(1)) {
        const at = word.indexOf('=');
        if (at > 0 && !dynamic) found.set(word.slice(0, at), word.slice(at + 1));
      }
  }
  return found;
}
