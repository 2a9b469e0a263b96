import { foldText } from './call.ts';
import { once } from './once.ts';

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
  const fold = letters === 'any case' ? foldText : (text: string) => text.normalize('NFKC');
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

type Token = { kind: 'char'; char: string } | { kind: 'one' } | { kind: 'run'; crosses: boolean };

/** Neighbouring stars are one run, which crosses `/` if there are two of them or no `/` anywhere in the pattern. */
function tokens(pattern: string): Token[] {
  const hasSlash = pattern.includes('/');
  return (pattern.match(/\*+|[^*]/gu) ?? []).map((piece) => {
    if (piece.startsWith('*')) return { kind: 'run', crosses: piece.length > 1 || !hasSlash };
    return piece === '?' ? { kind: 'one' } : { kind: 'char', char: piece };
  });
}

/** What doesn't begin as the pattern does is told at sight: of most patterns nothing else is ever needed. */
function matcher(pattern: string): Glob {
  const start = pattern.slice(0, pattern.search(/[*?]/));
  const rest = once(() => wholeMatcher(pattern));
  return (text) => text.startsWith(start) && rest()(text);
}

/** The commonest patterns, pieces between stars that cross `/`, are looked up; any other walks its states. */
function wholeMatcher(pattern: string): Glob {
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

/**
 * Bit `part` of `alive`: the parts before it can be all of the text read so far (Baeza-Yates and Gonnet's shift-and,
 * with a bit that stays for a run). 32 parts to a word; one pass over the text, nothing tried twice.
 */
function statewise(parts: readonly Token[]): Glob {
  const words = Math.floor(parts.length / 32) + 1;
  const bits = (wanted: (part: Token) => boolean) => {
    const set = new Int32Array(words);
    parts.forEach((part, index) => {
      if (wanted(part)) set[index >>> 5]! |= 1 << (index & 31);
    });
    return set;
  };
  const runs = bits(({ kind }) => kind === 'run');
  const crossing = bits((part) => part.kind === 'run' && part.crosses);
  const anyChar = bits(({ kind }) => kind === 'one');
  const takes = new Map<string, Int32Array>();
  for (const part of parts)
    if (part.kind === 'char')
      takes.set(
        part.char,
        bits((other) => other.kind === 'one' || (other.kind === 'char' && other.char === part.char)),
      );
  const start = new Int32Array(words);
  start[0] = 1 | ((1 & runs[0]!) << 1);
  const last = parts.length >>> 5;
  const lastBit = 1 << (parts.length & 31);

  return (text) => {
    const alive = start.slice();
    for (const char of text) {
      const taken = takes.get(char) ?? anyChar;
      const staying = char === '/' ? crossing : runs;
      let any = 0;
      let carried = 0;
      let skipped = 0;
      for (let word = 0; word < words; word++) {
        const moved = alive[word]! & taken[word]!;
        const next = (moved << 1) | carried | (alive[word]! & staying[word]!);
        // A run may be empty, so whoever stands before it also stands behind it; two runs are never neighbours.
        const beforeRun = next & runs[word]!;
        alive[word] = next | (beforeRun << 1) | skipped;
        carried = moved >>> 31;
        skipped = beforeRun >>> 31;
        any |= alive[word]!;
      }
      if (any === 0) return false;
    }
    return (alive[last]! & lastBit) !== 0;
  };
}
