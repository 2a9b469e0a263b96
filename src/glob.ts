/**
 * The one pattern language of policies. `*` is any run of characters, and stops at `/` only if the pattern itself
 * contains `/`; `**` always crosses `/`, and a leading `**` followed by `/` also matches at the top; `?` is one
 * character; all else is literal. Case is ignored. Matching is linear in the text for a given pattern: nothing is tried
 * twice, whatever stars there are.
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

/** Neighbouring stars are one run, which crosses `/` if there are two of them or no `/` anywhere in the pattern. */
function tokens(pattern: string): Token[] {
  const hasSlash = pattern.includes('/');
  return (pattern.match(/\*+|[^*]/gu) ?? []).map((piece) => {
    if (piece.startsWith('*')) return { kind: 'run', crosses: piece.length > 1 || !hasSlash };
    return piece === '?' ? { kind: 'one' } : { kind: 'char', char: piece };
  });
}

/** The commonest patterns, pieces between stars that cross `/`, are looked up; any other walks its states. */
function matcher(pattern: string): Glob {
  const parts = tokens(pattern);
  const plain = parts.every((part) => part.kind === 'char' || (part.kind === 'run' && part.crosses));
  return plain ? piecewise(pattern.split(/\*+/)) : statewise(parts);
}

/** Where every run may be anything, the leftmost place of each piece leaves the most room for the rest. */
function piecewise(pieces: readonly string[]): Glob {
  const first = pieces[0]!;
  const last = pieces.at(-1)!;
  const between = pieces.slice(1, -1).filter((piece) => piece !== '');
  return (text) => {
    const end = text.length - last.length;
    if (end < first.length || !text.startsWith(first) || !text.endsWith(last)) return false;
    let at = first.length;
    for (const piece of between) {
      const found = text.indexOf(piece, at);
      if (found === -1 || found + piece.length > end) return false;
      at = found + piece.length;
    }
    return true;
  };
}

/** `alive[part]`: the parts before it can be all of the text read so far. One pass, each part once for each character. */
function statewise(parts: readonly Token[]): Glob {
  const count = parts.length;
  return (text) => {
    const alive = new Uint8Array(count + 1);
    /** A run may be empty, so whoever stands before it also stands behind it. */
    const skipRuns = () => {
      for (let part = 0; part < count; part++) if (alive[part] === 1 && parts[part]!.kind === 'run') alive[part + 1] = 1;
    };
    alive[0] = 1;
    skipRuns();
    for (const char of text) {
      let any = 0;
      for (let part = count; part >= 0; part--) {
        const before = part > 0 && alive[part - 1] === 1 && takes(parts[part - 1]!, char);
        const stays = alive[part] === 1 && part < count && inRun(parts[part]!, char);
        alive[part] = before || stays ? 1 : 0;
        any |= alive[part]!;
      }
      if (any === 0) return false;
      skipRuns();
    }
    return alive[count] === 1;
  };
}

function takes(token: Token, char: string): boolean {
  return token.kind === 'one' || (token.kind === 'char' && token.char === char);
}

function inRun(token: Token, char: string): boolean {
  return token.kind === 'run' && (token.crosses || char !== '/');
}
