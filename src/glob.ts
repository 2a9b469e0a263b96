/**
 * The one pattern language of policies. `*` is any run of characters, and stops at `/` only if the pattern itself
 * contains `/`; `**` always crosses `/`, and a leading `**` followed by `/` also matches at the top; `?` is one
 * character; all else is literal. Case is ignored. Matching is linear in the text for a given pattern: every star
 * backtracks only to the latest one.
 */
export type Glob = (text: string) => boolean;

/** Whether `pattern` has any character with a meaning. */
export function isGlob(pattern: string): boolean {
  return /[*?]/.test(pattern);
}

/** Compiles `pattern`; never throws, every text is a pattern. `as written` doesn't ignore case. */
export function compileGlob(pattern: string, letters: 'any case' | 'as written' = 'any case'): Glob {
  const fold = letters === 'any case' ? foldCase : (text: string) => text.normalize('NFKC');
  const folded = fold(pattern);
  if (!isGlob(folded)) return (text) => fold(text) === folded;
  if (folded.startsWith('**/')) {
    const anywhere = matcher(folded);
    const atTop = compileGlob(folded.slice(3), letters);
    return (text) => anywhere(fold(text)) || atTop(text);
  }
  const match = matcher(folded);
  return (text) => match(fold(text));
}

function foldCase(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}

type Token = { kind: 'char'; char: string } | { kind: 'one' } | { kind: 'run'; crosses: boolean };

function tokens(pattern: string): Token[] {
  const hasSlash = pattern.includes('/');
  const result: Token[] = [];
  const chars = Array.from(pattern);
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i]!;
    if (char === '*') {
      let stars = 1;
      while (chars[i + 1] === '*') {
        stars++;
        i++;
      }
      result.push({ kind: 'run', crosses: stars > 1 || !hasSlash });
    } else if (char === '?') result.push({ kind: 'one' });
    else result.push({ kind: 'char', char });
  }
  return result;
}

/**
 * Two marks are enough: a run that can't cross `/` is retried from its own mark, and when that fails (it met a `/` or
 * the end) from the latest run that can. `spent` keeps it linear: once the run before part `p` has failed all the way
 * to a place, starting it again at or before that place can only fail again.
 */
function matcher(pattern: string): Glob {
  const parts = tokens(pattern);
  return (text) => {
    const chars = Array.from(text);
    const spent = new Map<number, number>();
    let part = 0;
    let at = 0;
    let near: { part: number; at: number } | null = null;
    let far: { part: number; at: number } | null = null;
    for (;;) {
      const token = parts[part];
      if (token?.kind === 'run') {
        part++;
        if (token.crosses) {
          far = { part, at };
          near = null;
          continue;
        }
        if (at > (spent.get(part) ?? -1)) {
          near = { part, at };
          continue;
        }
        near = null;
      } else if (token === undefined ? at === chars.length : at < chars.length && fits(token, chars[at]!)) {
        if (token === undefined) return true;
        part++;
        at++;
        continue;
      }
      if (near !== null && near.at < chars.length && chars[near.at] !== '/') {
        near.at++;
        ({ part, at } = near);
        continue;
      }
      if (near !== null) spent.set(near.part, Math.max(near.at, spent.get(near.part) ?? -1));
      if (far === null || far.at >= chars.length) return false;
      far.at++;
      near = null;
      ({ part, at } = far);
    }
  };
}

function fits(token: Token, char: string): boolean {
  return token.kind === 'one' || (token.kind === 'char' && token.char === char);
}
