/**
 * What SQL does, from its words alone, whatever the dialect. Whatever two dialects could read differently (where a comment,
 * a text or a name ends, what an unknown function does) can't be told. Pure.
 */
import { type Operation, worst } from '../call.ts';
import { wordSet } from './lists.ts';

/** The worst that the statements of a text do; null if that can't be told. */
export function readSql(text: string): Operation | null {
  const tokens = sqlTokens(text);
  if (tokens === null) return null;
  const statements: Token[][] = [[]];
  for (const token of tokens) {
    if (token.text === ';' && token.kind === 'mark') statements.push([]);
    else statements.at(-1)!.push(token);
  }
  const found = statements.filter((statement) => statement.length > 0).map(operationOfStatement);
  return found.includes(null) ? null : worst(found as Operation[]);
}

interface Token {
  /** a word is folded to lower case; of a quoted name or a text nothing is kept */
  readonly kind: 'word' | 'quoted' | 'mark';
  readonly text: string;
}

/** These begin a statement that reads, unless a word of changing follows. */
const READS = wordSet('select with values table show describe desc explain from pragma');
/** These begin one that changes something. */
const CHANGES = wordSet(
  'insert update merge create alter grant upsert replace copy lock begin start commit end rollback savepoint release set use vacuum analyze analyse reindex cluster refresh comment optimize check repair add rename attach detach import export notify listen unlisten close fetch abort delete drop truncate revoke purge kill reset overwrite discard uninstall unset',
);
/** What these run stands elsewhere, or is no SQL. */
const RUNS = wordSet(
  'call do exec execute prepare declare load handler dbcc shutdown restore deny reconfigure program atomic immediate backup updatetext writetext deallocate checkpoint revert setuser',
);
const DELETES = wordSet('delete drop truncate revoke purge kill reset overwrite discard uninstall');
const WRITES = wordSet('insert update merge into create alter grant upsert replace copy lock rename rollback commit');
const AFTER_CONFLICT = wordSet('nothing update');
/** Pragmas of SQLite that only read when nothing is assigned. */
const READING_PRAGMAS = wordSet(
  'table_info table_xinfo table_list index_list index_info index_xinfo database_list foreign_key_list foreign_key_check integrity_check quick_check collation_list function_list compile_options page_count freelist_count',
);

function operationOfStatement(tokens: readonly Token[]): Operation | null {
  const first = tokens.find(({ text }) => text !== '(');
  if (first?.kind !== 'word' || !(READS.has(first.text) || CHANGES.has(first.text))) return null;
  if (tokens.some(runsCode)) return null;
  const harmless = tokens.every((_, index) => isHarmless(tokens, index));
  // A sequence that is asked for its next value is changed by that.
  if (tokens.some(({ text }, index) => text === 'nextval' || (text === 'value' && tokens[index - 1]?.text === 'next')))
    return tokens.some(({ text }) => DELETES.has(text)) ? 'Delete' : harmless ? 'Write' : null;
  const verbs = tokens.flatMap((_, index) => (isVerb(tokens, index) ? [tokens[index]!.text] : []));
  if (first.text === 'show') return harmless ? 'Read' : null;
  if (verbs.some((word) => DELETES.has(word)) || replacesTable(tokens)) return 'Delete';
  if (!harmless) return null;
  if (first.text === 'pragma') return readsPragma(tokens) ? 'Read' : 'Write';
  return READS.has(first.text) && !verbs.some((word) => WRITES.has(word)) ? 'Read' : 'Write';
}

/** Procedures of SQL Server too, which need no word before them. */
function runsCode({ kind, text }: Token, index: number, tokens: readonly Token[]): boolean {
  if (kind !== 'word') return false;
  if (/^(sp|xp)_/.test(text)) return true;
  if (tokens[index - 1]?.text === '.') return false;
  // An upsert's `on conflict do nothing` runs nothing.
  if (text === 'do' && index > 0 && AFTER_CONFLICT.has(tokens[index + 1]?.text ?? '')) return false;
  return RUNS.has(text);
}

/** `t.delete` is a column, `replace(…)` a function, `on delete cascade` a rule for later, `drop not null` a constraint's end. */
function isVerb(tokens: readonly Token[], index: number): boolean {
  const { kind, text } = tokens[index]!;
  const before = tokens[index - 1]?.text;
  const after = tokens[index + 1]?.text ?? '';
  if (kind !== 'word' || before === '.' || after === '(') return false;
  const next = tokens[index + 2]?.text;
  if (before === 'on' && (['cascade', 'restrict', 'set'].includes(after) || (after === 'no' && next === 'action')))
    return !['create', 'alter'].includes(tokens[0]!.text);
  // Who may do what is a Write, and a `|> drop` takes a column out of what is read.
  if (tokens[0]!.text === 'grant' && index > 0 && tokens.slice(0, index).every((token) => token.text !== 'to'))
    return false;
  if (text === 'drop' && before === '>' && tokens[index - 2]?.text === '|') return false;
  return !(text === 'drop' && index > 0 && ['not', 'default'].includes(after));
}

/** `create or replace table`, `replace table`, `alter table … replace partition` and `clear column` empty what was there. */
function replacesTable(tokens: readonly Token[]): boolean {
  return tokens.some(({ text }, index) => {
    const next = tokens.slice(index + 1, index + 4).map((token) => token.text);
    if (text === 'clear') return ['column', 'index', 'projection'].includes(next[0] ?? '');
    if (text !== 'replace') return false;
    if (index === 0 || tokens[index - 1]?.text === 'or') return next.some((word) => HOLDS_DATA.has(word));
    return next[0] === 'partition';
  });
}

const HOLDS_DATA = wordSet('table database schema stage stream user');

function readsPragma(tokens: readonly Token[]): boolean {
  const names = tokens.filter(({ kind }) => kind === 'word').map(({ text }) => text);
  return names.some((name) => READING_PRAGMAS.has(name)) && !tokens.some(({ text }) => text === '=');
}

/** A name before a parenthesis is called, unless it is a word of the language or names what the statement makes. */
function isHarmless(tokens: readonly Token[], index: number): boolean {
  const token = tokens[index]!;
  if (tokens[index + 1]?.text !== '(') return true;
  if (token.kind === 'mark') return token.text !== ']';
  if (isNameWithColumns(tokens, index)) return true;
  if (token.kind !== 'word') return false;
  if (tokens[index - 1]?.text === '.')
    return tokens[index - 2]?.text === 'pg_catalog' && tokens[index - 3]?.text !== '.' && FUNCTIONS.has(token.text);
  return BEFORE_PARENTHESIS.has(token.text) || FUNCTIONS.has(token.text) || READING_PRAGMAS.has(token.text);
}

const NAMES_FOLLOW = wordSet('into table references index exists update view as with recursive type constraint key');

/** `insert into t (a)`, `create table s.t (a int)`, `with t(a) as (…)`, `(…) t(a)`: a parenthesis with columns, no call. */
function isNameWithColumns(tokens: readonly Token[], index: number): boolean {
  let start = index;
  while (start >= 2 && tokens[start - 1]?.text === '.') start -= 2;
  const before = tokens[start - 1];
  if (before?.text === ')') return isDerivedTable(tokens, start - 1);
  if (before?.text === ',') return isNextQuery(tokens, index);
  if (before?.kind !== 'word') return false;
  if (before.text === 'on' || before.text === 'using')
    return tokens[0]!.text === 'create' && tokens.slice(1, 4).some(({ text }) => text === 'index');
  return NAMES_FOLLOW.has(before.text);
}

const MAX_TABLE_TOKENS = 2000;

/** `from (…) t(a, b)`: what stands in the parenthesis that closes here is read from. */
function isDerivedTable(tokens: readonly Token[], close: number): boolean {
  let depth = 0;
  for (let at = close; at >= Math.max(0, close - MAX_TABLE_TOKENS); at--) {
    const { text } = tokens[at]!;
    if (text === ')') depth++;
    if (text === '(' && --depth === 0) return ['from', 'join', 'lateral'].includes(tokens[at - 1]?.text ?? '');
  }
  return false;
}

/** `with t as (…), u(a, b) as (select …)`: of a function's columns it is types that follow, no statement. */
function isNextQuery(tokens: readonly Token[], index: number): boolean {
  let close = index + 2;
  while (tokens[close]?.kind === 'word' || tokens[close]?.text === ',') close++;
  const [end, as, opening, statement] = tokens.slice(close, close + 4).map(({ text }) => text);
  return end === ')' && as === 'as' && opening === '(' && statement !== undefined && QUERIES.has(statement);
}

const QUERIES = wordSet('select with values insert update delete');

const BEFORE_PARENTHESIS = wordSet(
  'select from join where and or not in exists any all some as on using over filter by having union except intersect values limit top offset when then else between like ilike is lateral group within array row distinct materialized table set sets case explain analyze with unique partition order interval key primary check default varchar char character numeric decimal float double timestamp timestamptz time bit int integer bigint smallint tinyint varying nchar nvarchar binary varbinary datetime2 returning conflict duplicate include enum identity vector tinyint mediumint text blob uuid json jsonb struct map',
);
/** Functions of the common dialects that only compute. */
const FUNCTIONS = wordSet(
  'count sum avg min max total coalesce nullif ifnull isnull nvl greatest least if iif cast convert try_cast safe_cast extract lower upper length len char_length character_length octet_length trim ltrim rtrim btrim substring substr left right position strpos instr locate charindex split_part concat concat_ws replace reverse repeat lpad rpad initcap format printf to_char to_date to_timestamp to_number chr char ascii quote quote_ident quote_literal translate regexp_replace regexp_match regexp_matches regexp_like regexp_substr similarity levenshtein soundex md5 sha1 sha2 sha256 encode decode now getdate sysdate sysdatetime current_date current_time current_timestamp localtime localtimestamp statement_timestamp clock_timestamp transaction_timestamp date datetime time timestamp strftime julianday date_trunc date_part date_add date_sub dateadd datediff date_diff datepart datename eomonth timestampdiff timestamp_trunc date_format make_date make_interval age year month monthname day dayname hour minute second week weekday quarter dayofweek dayofmonth dayofyear last_day unix_timestamp from_unixtime curdate curtime abs ceil ceiling floor round trunc truncate mod power pow sqrt cbrt exp ln log log2 log10 sign pi degrees radians sin cos tan asin acos atan atan2 random rand uuid gen_random_uuid newid width_bucket row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value array_agg string_agg group_concat listagg json_agg jsonb_agg json_object_agg jsonb_object_agg json_build_object jsonb_build_object json_build_array jsonb_build_array json_object json_array json_arrayagg json_objectagg to_json to_jsonb row_to_json json_extract json_unquote json_value json_query json_length json_keys json_contains json_extract_path json_extract_path_text jsonb_extract_path jsonb_extract_path_text json_array_elements jsonb_array_elements json_array_elements_text jsonb_array_elements_text json_each jsonb_each json_each_text jsonb_each_text json_object_keys jsonb_object_keys json_typeof jsonb_typeof json_array_length jsonb_array_length jsonb_path_query jsonb_set jsonb_pretty array_length array_append array_remove array_cat array_to_json cardinality unnest array_to_string string_to_array array_position generate_series generate_subscripts bool_and bool_or every any_value bit_and bit_or stddev stddev_pop stddev_samp variance var_pop var_samp corr percentile_cont percentile_disc mode median approx_count_distinct rollup cube grouping to_tsvector to_tsquery plainto_tsquery websearch_to_tsquery ts_rank ts_headline st_distance st_dwithin st_intersects st_contains st_within st_makepoint st_setsrid st_astext st_asgeojson st_x st_y st_area st_length st_buffer st_transform pg_size_pretty pg_total_relation_size pg_relation_size pg_table_size pg_indexes_size pg_database_size pg_get_constraintdef pg_get_indexdef pg_get_viewdef pg_get_functiondef pg_get_expr pg_get_userbyid pg_table_is_visible obj_description col_description to_regclass format_type version current_database current_schema current_schemas current_setting database schema user session_user current_user has_table_privilege has_schema_privilege pg_typeof typeof changes last_insert_rowid last_insert_id object_id object_name schema_name db_name substr adddate subdate addtime str_to_date hex unhex to_base64 from_base64 timestamp_sub timestamp_add timestamp_diff date_from_parts countif parse_json try_parse_json iff flatten todate todatetime tostring touint64 tostartofday tostartofmonth uuid_generate_v4 any arrayjoin grouparray uniq length jsonextractstring object_construct array_construct array_size ilike regexp_count zeroifnull div0 decode sysutcdatetime string_split openjson json_modify isjson quotename datefromparts',
);

const JSON_KEY = /^>\s*['\d$?:]/;

/** Null where two dialects could see different tokens: what is hidden from us might be run. */
function sqlTokens(text: string): Token[] | null {
  const tokens: Token[] = [];
  const pattern =
    /(?<space>\s+)|(?<comment>--(?:[ \t][^\n\r]*)?(?=\r?\n|$)|\/\*(?!\w?!|\/)(?:(?!\/\*)[^*]|\*(?!\/))*\*\/)|(?<quoted>'(?!'')(?:[^'\\]|\\(?!')|'')*'|"(?!"")(?:[^"\\]|\\(?!")|"")*"|`[\w .$-]*`)|(?<word>[\p{L}_][\p{L}\p{N}_$]*)|(?<number>\p{N}[\p{N}.eE_]*|\$\d[\d.]*)|(?<mark>[-+*/<>=!%^&|~@?:.,;()[\]{}])/suy;
  /** for each `[` that is open, whether it begins an array and no name of SQL Server's */
  const brackets: boolean[] = [];
  while (pattern.lastIndex < text.length) {
    const found = pattern.exec(text)?.groups;
    if (found === undefined) return null;
    if (found['comment'] !== undefined && brackets.length > 0) return null;
    if (found['quoted'] !== undefined) {
      // To SQL Server a bracket ends its name, whatever quotes are in it.
      if (brackets.includes(false) || (brackets.length > 0 && /[[\]]/.test(found['quoted']))) return null;
      tokens.push({ kind: 'quoted', text: '' });
    } else if (found['word'] !== undefined) tokens.push({ kind: 'word', text: found['word'].toLowerCase() });
    else if (found['mark'] !== undefined) {
      // `--` without a space is a comment to some, and so are `//` and a `/*` that the pattern didn't take.
      const pair = text.slice(pattern.lastIndex - 1, pattern.lastIndex + 1);
      // Snowflake's `->>` hands on to another statement, unless what follows can be none.
      if (
        pair === '>>' &&
        text[pattern.lastIndex - 2] === '-' &&
        !JSON_KEY.test(text.slice(pattern.lastIndex, pattern.lastIndex + 100))
      )
        return null;
      if (pair === '--' || pair === '/*' || pair === '//' || (pair === ']]' && !brackets.at(-2))) return null;
      if (found['mark'] === '[') brackets.push(tokens.at(-1)?.text === 'array' || (brackets.at(-1) ?? false));
      if (found['mark'] === ']' && brackets.pop() === undefined) return null;
      tokens.push({ kind: 'mark', text: found['mark'] });
    } else if (found['number'] !== undefined) tokens.push({ kind: 'mark', text: '' });
  }
  return brackets.length === 0 ? tokens : null;
}
