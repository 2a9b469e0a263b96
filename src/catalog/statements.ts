/**
 * What a statement does that a tool is given to run, from its words alone. Whatever two dialects could read differently
 * (where a comment or a text ends, what an unknown function does) can't be told. Pure.
 */
import { type Operation, worst } from '../call.ts';
import { operationOf, tokensOf } from './infer.ts';

export const STATEMENT_LANGUAGES = ['sql', 'graphql'] as const;
export type StatementLanguage = (typeof STATEMENT_LANGUAGES)[number];

/** The worst that the statements of a text do; null if that can't be told. */
export function readStatement(text: string, language: StatementLanguage): Operation | null {
  return language === 'sql' ? readSql(text) : readGraphql(text);
}

interface Token {
  /** a word is folded to lower case; of a quoted name or a text nothing is kept */
  readonly kind: 'word' | 'quoted' | 'mark';
  readonly text: string;
}

function readSql(text: string): Operation | null {
  const tokens = sqlTokens(text);
  if (tokens === null) return null;
  const statements: Token[][] = [[]];
  for (const token of tokens) {
    if (token.text === ';' && token.kind === 'mark') statements.push([]);
    else statements.at(-1)!.push(token);
  }
  const found = statements.filter((statement) => statement.length > 0).map(sqlOperation);
  return found.includes(null) ? null : worst(found as Operation[]);
}

/** These begin a statement that reads, unless a word of changing follows. */
const SQL_READS = set('select with values table show describe desc explain');
/** What these run stands elsewhere. */
const SQL_RUNS = set('call do exec execute prepare declare load handler');
const SQL_DELETES = set('delete drop truncate revoke purge');
const SQL_WRITES = set('insert update merge into create alter grant upsert replace copy lock');

function sqlOperation(tokens: readonly Token[]): Operation | null {
  const words = tokens.filter((token, index) => isVerb(tokens, token, index)).map(({ text }) => text);
  const first = tokens.find(({ text }) => text !== '(');
  if (first?.kind !== 'word' || SQL_RUNS.has(first.text)) return null;
  if (words.some((word) => SQL_DELETES.has(word))) return 'Delete';
  if (!SQL_READS.has(first.text) || words.some((word) => SQL_WRITES.has(word)))
    return words.includes('program') ? null : 'Write';
  return tokens.every((token, index) => isHarmless(tokens, token, index)) ? 'Read' : null;
}

/** `t.delete` is a column, and `replace(…)` a function. */
function isVerb(tokens: readonly Token[], token: Token, index: number): boolean {
  return token.kind === 'word' && tokens[index - 1]?.text !== '.' && tokens[index + 1]?.text !== '(';
}

/** A name before a parenthesis is called, unless it is a word of the language. */
function isHarmless(tokens: readonly Token[], token: Token, index: number): boolean {
  if (token.kind === 'mark' || tokens[index + 1]?.text !== '(') return true;
  const qualified = tokens[index - 1]?.text === '.';
  return (
    token.kind === 'word' && !qualified && (SQL_BEFORE_PARENTHESIS.has(token.text) || SQL_FUNCTIONS.has(token.text))
  );
}

const SQL_BEFORE_PARENTHESIS = set(
  'select from join where and or not in exists any all some as on using over filter by having union except intersect values limit offset when then else between like ilike is lateral group within array row distinct materialized table set sets case on explain analyze with unique partition order interval varchar char character numeric decimal float double timestamp timestamptz time bit int integer bigint varying nchar nvarchar binary varbinary datetime2',
);
/** Functions of the common dialects that only compute. */
const SQL_FUNCTIONS = set(
  'count sum avg min max total coalesce nullif ifnull isnull nvl greatest least if iif cast convert try_cast extract lower upper length len char_length character_length octet_length trim ltrim rtrim btrim substring substr left right position strpos instr locate charindex split_part concat concat_ws replace reverse repeat lpad rpad initcap format to_char to_date to_timestamp to_number chr ascii quote_ident quote_literal translate regexp_replace regexp_match regexp_matches regexp_like regexp_substr similarity levenshtein md5 sha256 encode now current_date current_time current_timestamp localtime localtimestamp statement_timestamp date datetime time timestamp strftime julianday date_trunc date_part date_add date_sub dateadd datediff date_diff timestampdiff timestamp_trunc date_format make_date make_interval age year month day hour minute second week quarter dayofweek unix_timestamp from_unixtime abs ceil ceiling floor round trunc mod power pow sqrt exp ln log log10 sign pi width_bucket row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value array_agg string_agg group_concat listagg json_agg jsonb_agg json_object_agg jsonb_object_agg json_build_object jsonb_build_object json_build_array jsonb_build_array to_json to_jsonb row_to_json json_extract json_value json_query json_extract_path json_extract_path_text jsonb_extract_path jsonb_extract_path_text json_array_elements jsonb_array_elements json_array_elements_text jsonb_array_elements_text json_each jsonb_each json_each_text jsonb_each_text json_object_keys jsonb_object_keys json_typeof jsonb_typeof json_array_length jsonb_array_length jsonb_path_query array_length cardinality unnest array_to_string string_to_array array_position generate_series bool_and bool_or every any_value stddev stddev_pop stddev_samp variance var_pop var_samp corr percentile_cont percentile_disc mode median approx_count_distinct rollup cube grouping pg_size_pretty pg_total_relation_size pg_relation_size pg_table_size pg_indexes_size pg_database_size pg_get_constraintdef pg_get_indexdef pg_get_viewdef pg_get_functiondef pg_get_expr obj_description col_description to_regclass format_type version current_database current_schema current_schemas current_setting has_table_privilege has_schema_privilege pg_typeof',
);

/** Null where two dialects could see different tokens: what is hidden from us might be run. */
function sqlTokens(text: string): Token[] | null {
  const tokens: Token[] = [];
  const pattern =
    /(?<space>\s+)|(?<comment>--(?:[ \t][^\n\r]*|(?=[\n\r]|$))|\/\*(?![!*/])(?:(?!\/\*)[^*]|\*(?!\/))*\*\/)|(?<quoted>'(?:[^'\\]|\\(?!')|'')*'|"(?:[^"\\]|\\(?!")|"")*"|`[^`\\]*`)|(?<word>[\p{L}_][\p{L}\p{N}_$]*)|(?<number>\p{N}[\p{N}.eE_]*|\$\d+)|(?<mark>[-+*/<>=!%^&|~@?:.,;()[\]{}])/suy;
  let brackets = 0;
  while (pattern.lastIndex < text.length) {
    const found = pattern.exec(text)?.groups;
    if (found === undefined) return null;
    if (found['quoted'] !== undefined) {
      if (brackets > 0) return null;
      tokens.push({ kind: 'quoted', text: '' });
    } else if (found['word'] !== undefined) tokens.push({ kind: 'word', text: found['word'].toLowerCase() });
    else if (found['mark'] !== undefined) {
      // `--` without a space is a comment to some, and `/*` that the pattern didn't take is doubtful.
      const pair = text.slice(pattern.lastIndex - 1, pattern.lastIndex + 1);
      if (pair === '--' || pair === '/*') return null;
      if (found['mark'] === '[') brackets++;
      if (found['mark'] === ']') brackets--;
      tokens.push({ kind: 'mark', text: found['mark'] });
    } else if (found['number'] !== undefined) tokens.push({ kind: 'mark', text: '' });
  }
  return tokens;
}

/** A mutation does what the names of its fields say, and at least a Write. Fragments of one are not followed. */
function readGraphql(text: string): Operation | null {
  const tokens = graphqlTokens(text);
  if (tokens === null) return null;
  const found: Operation[] = [];
  /** what stands open: `{`, `(`, `[` */
  const open: string[] = [];
  /** `query`, `mutation`, `subscription` or `fragment`; null between definitions */
  let kind: string | null = null;
  for (const [index, token] of tokens.entries()) {
    if (kind === null) {
      kind = token === '{' ? 'query' : token;
      if (!GRAPHQL_KINDS.has(kind)) return null;
      if (kind !== 'fragment') found.push(kind === 'mutation' ? 'Write' : 'Read');
    }
    const closes = GRAPHQL_PAIRS.get(token);
    if (closes !== undefined) {
      if (open.pop() !== closes) return null;
      if (open.length === 0 && closes === '{') kind = null;
    } else if (token === '{' || token === '(' || token === '[') open.push(token);
    else if (kind === 'mutation' && open.length === 1 && open[0] === '{') {
      if (token === '...') return null;
      const isField = /^\w/.test(token) && tokens[index + 1] !== ':' && tokens[index - 1] !== '@';
      if (isField) found.push(operationOf(tokensOf(token)).operation ?? 'Write');
    }
  }
  return kind === null ? worst(found) : null;
}

const GRAPHQL_KINDS = set('query mutation subscription fragment');
const GRAPHQL_PAIRS: ReadonlyMap<string, string> = new Map([
  ['}', '{'],
  [')', '('],
  [']', '['],
]);

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

function set(words: string): ReadonlySet<string> {
  return new Set(words.split(' '));
}
