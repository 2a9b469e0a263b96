/** Reads a YAML file that people write: one value, every mistake with its place, and the place of each path. */
import {
  type Alias,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
  type YAMLError,
} from 'yaml';
import { errorAt, type Place, type Problem } from './problem.ts';
import type { Locate } from './schema.ts';

export interface YamlFile {
  /** the parsed value, plain maps with no prototype; undefined for an empty file */
  readonly value: unknown;
  readonly problems: readonly Problem[];
  readonly locate: Locate;
}

/** Rewrites a key before it is used, such as `agent review status` to `agent_review_status`. */
export type KeyRule = (key: string, path: readonly PropertyKey[]) => string;

const MAX_DEPTH = 64;
const MAX_NODES = 100_000;

/** Parses `text`; never throws. With any problem of severity `error`, `value` must not be used. */
export function readYaml(file: string, text: string, keyRule: KeyRule = (key) => key): YamlFile {
  const lines = text.split(/\r?\n/);
  const counter = new LineCounter();
  const problems: Problem[] = [];
  const place = (offset: number): Place => {
    const { line, col } = counter.linePos(Math.min(offset, text.length));
    return { line: Math.max(1, line), column: Math.max(1, col), source: lines[Math.max(1, line) - 1] ?? '' };
  };
  const report = (offset: number, fault: string, mend: string) =>
    problems.push(errorAt(file, place(offset), fault, mend));

  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false, strict: true });
  for (const error of [...document.errors, ...document.warnings])
    report(error.pos[0], ...inOurWords(error, lines[place(error.pos[0]).line - 1] ?? ''));

  let nodes = 0;
  const places = new Map<string, { key: Place; value: Place }>();
  if (problems.length === 0) {
    visit(document, {
      Alias: (_, alias: Alias) => {
        if (alias.resolve(document) === undefined)
          report(
            alias.range![0],
            `*${alias.source} is read as a YAML alias, not as a pattern`,
            `put it in quotes: "*${alias.source}"`,
          );
      },
    });
  }
  const convert = (node: unknown, path: PropertyKey[], key: Place | null, depth: number): unknown => {
    if (++nodes > MAX_NODES) {
      if (nodes === MAX_NODES + 1)
        report(
          (node as Node | null)?.range?.[0] ?? 0,
          `the file holds more than ${MAX_NODES.toLocaleString('en')} values`,
          text.includes('*')
            ? 'write what is meant instead of YAML aliases'
            : 'that is more than can be read: shorten it',
        );
      return null;
    }
    const resolved = isAlias(node) ? node.resolve(document) : node;
    const offset = (node as Node | null)?.range?.[0];
    const here = offset === undefined || offset === null ? key : place(offset);
    places.set(JSON.stringify(path), { key: key ?? here ?? place(0), value: here ?? place(0) });
    if (depth > MAX_DEPTH) {
      report(offset ?? 0, 'this is nested too deeply', `use at most ${MAX_DEPTH} levels`);
      return null;
    }
    if (isMap(resolved)) {
      const map: Record<string, unknown> = Object.create(null);
      for (const pair of resolved.items) {
        if (!isPair(pair) || !isScalar(pair.key)) continue;
        const at = place((pair.key as { range?: [number, number, number] | null }).range?.[0] ?? 0);
        const name = keyRule(String(pair.key.value), path);
        if (name in map)
          report(
            counter.lineStarts[at.line - 1]! + at.column - 1,
            `"${String(pair.key.value)}" is written twice in the same block`,
            'delete one, or merge the two values into a list',
          );
        map[name] = convert(pair.value, [...path, name], at, depth + 1);
      }
      return map;
    }
    if (isSeq(resolved)) return resolved.items.map((item, index) => convert(item, [...path, index], null, depth + 1));
    return isScalar(resolved) ? resolved.value : null;
  };
  const empty = document.contents === null;
  const value = problems.length > 0 || empty ? undefined : convert(document.contents, [], null, 0);

  const locate: Locate = (path, what) => {
    for (let length = path.length; length >= 0; length--) {
      const found = places.get(JSON.stringify(path.slice(0, length)));
      if (found !== undefined) return length === path.length && what === 'key' ? found.key : found.value;
    }
    return { line: 1, column: 1, source: lines[0] ?? '' };
  };
  return { value, problems, locate };
}

/** The parser's error codes as fault and mend; what isn't listed keeps the parser's sentence. */
function inOurWords(error: YAMLError, line: string): [string, string] {
  switch (error.code) {
    case 'DUPLICATE_KEY':
      return ['this key is written twice in the same block', 'delete one, or merge the two values into a list'];
    case 'TAB_AS_INDENT':
      return ['tabs cannot indent YAML', 'replace the tab with two spaces'];
    case 'BLOCK_AS_IMPLICIT_KEY':
      return ['a value with ": " in it must be quoted', 'put quotes around the whole value'];
    case 'TAG_RESOLVE_FAILED':
      return [
        'a value that starts with "!" is read as a YAML tag and its text is lost',
        'for negation use `not_like:` or `not:`; for the text itself put quotes around it',
      ];
    case 'MULTIPLE_DOCS':
      return ['the file holds more than one YAML document', 'take the line `---` out'];
    default:
      if (line.includes('${'))
        return ['inside braces an unquoted "${" opens a map', 'put the value in quotes: "${env:NAME}"'];
      return [`this is not valid YAML: ${lowerFirst(error.message.split('\n')[0]!.replace(/\.$/, ''))}`, ''];
  }
}

function lowerFirst(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}
