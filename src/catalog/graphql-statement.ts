/** What a GraphQL document does, by the names of its mutations' fields. Pure. */
import { type Operation, worst } from '../call.ts';
import { isDeletingVerb, operationOf, tokensOf } from './infer.ts';

/**
 * The worst of its operations; null if that can't be told. A mutation does at least a Write, and what the names of its
 * fields say, at any depth: some servers nest theirs. Fragments within one are not followed.
 */
export function readGraphql(text: string): Operation | null {
  const tokens = graphqlTokens(text);
  if (tokens === null) return null;
  const found: Operation[] = [];
  /** what stands open: `{`, `(`, `[` */
  const open: string[] = [];
  /** how many of them are no `{` */
  let inner = 0;
  /** `query`, `mutation`, `subscription` or `fragment`; null between definitions */
  let kind: string | null = null;
  for (const [index, token] of tokens.entries()) {
    if (kind === null) {
      kind = token === '{' ? 'query' : token;
      if (!KINDS.has(kind)) return null;
      if (kind !== 'fragment') found.push(kind === 'mutation' ? 'Write' : 'Read');
    }
    const closes = PAIRS.get(token);
    if (closes !== undefined) {
      if (open.pop() !== closes) return null;
      if (closes !== '{') inner--;
      if (open.length === 0 && closes === '{') kind = null;
    } else if (token === '{' || token === '(' || token === '[') {
      open.push(token);
      if (token !== '{') inner++;
    } else if (kind === 'mutation' && inner > 0 && FLAGS.test(token) && tokens[index + 1] === ':') {
      if (tokens[index + 2] !== 'false' && tokens[index + 2] !== 'null') found.push('Delete');
    } else if (kind === 'mutation' && open.length > 0 && inner === 0) {
      if (token === '...') return null;
      const isField = /^\w/.test(token) && tokens[index + 1] !== ':' && tokens[index - 1] !== '@';
      if (isField) found.push(fieldOperation(token, open.length === 1, tokens[index + 1] === '('));
    }
  }
  return kind === null ? worst(found) : null;
}

const KINDS: ReadonlySet<string> = new Set(['query', 'mutation', 'subscription', 'fragment']);
const PAIRS: ReadonlyMap<string, string> = new Map([
  ['}', '{'],
  [')', '('],
  [']', '['],
]);

/** Arguments that throw away, or go over what is there, unless they are false. */
const FLAGS = /^(trashed|archived|in_?trash|force)$/i;

/** Longer than any name of a field. */
const MAX_NAME = 200;

/** Deeper down only what takes arguments, or has a verb of deleting, is a deed: `deletedAt` is what came of one. */
function fieldOperation(name: string, outermost: boolean, takesArguments: boolean): Operation {
  if (name.length > MAX_NAME) return 'Delete';
  const tokens = tokensOf(name);
  if (!outermost && !takesArguments && !tokens.some(isDeletingVerb)) return 'Write';
  const { operation, doubtful } = operationOf(tokens);
  return doubtful ? 'Delete' : (operation ?? 'Write');
}

/** Names, numbers and marks; a text is `""`. Null where it is no GraphQL. */
function graphqlTokens(text: string): string[] | null {
  const pattern =
    /(?:[\s,\uFEFF]|#[^\n\r]*)+|(?<text>"""(?:\\"""|\\(?!""")|"{1,2}(?!")|[^"\\])*"""|"(?!"")(?:[^"\\\n\r]|\\.)*")|(?<token>[A-Za-z_]\w*|-?\d[\w.+-]*|\.\.\.|[!$&()[\]{}:=@|])/uy;
  const tokens: string[] = [];
  while (pattern.lastIndex < text.length) {
    const found = pattern.exec(text)?.groups;
    if (found === undefined) return null;
    if (found['text'] !== undefined) tokens.push('""');
    else if (found['token'] !== undefined) tokens.push(found['token']);
  }
  return tokens;
}
