import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readStatement } from '../../src/catalog/statements.ts';
import { processorMs } from '../support/timed.ts';

describe('SQL', () => {
  test.each([
    'select 1',
    "SELECT count(*), max(created_at) FROM orders WHERE state = 'open' AND total > 10.5 -- the open ones",
    'select "delete", t.drop from t',
    "select * from t where note = 'drop table t; delete from t'",
    "select 'it''s' as quote",
    'with recent as (select * from t where id in (1, 2)) select * from recent order by id limit 10',
    "select data->>'name', data @> '{\"a\": 1}' from t where id = $1",
    'select coalesce(sum(x) filter (where y), 0) over (partition by z) from t',
    'values (1, 2), (3, 4)',
    'table users',
    'show server_version',
    'explain (analyze, buffers) select * from t',
    '/* how many? */ select count(*) from t;',
    "select replace(name, 'a', 'b') from t; select 2",
    'SELECT cast(a as numeric(10, 2)) FROM `my table`',
    'with t(a, b) as (select 1, 2), u(c) as (select 3) select * from t, u',
    'select * from (values (1, 2)) t(a, b)',
    "select array['a', 'b'], array[array['c']]",
    'select pg_catalog.count(*) from t',
    'pragma table_info(users)',
    'show create table t',
    'select top (10) name from t',
    "select data->>'name', data ->> 0 from t",
    '/** all of them */ select 1',
    'from t |> drop a |> where b > 1',
  ])('%s only reads', (text) => expect(readStatement(text, 'sql')).toBe('Read'));

  test.each([
    'insert into t (a) values (1)',
    'update t set a = 1 where id = 2',
    'create table t (a int)',
    'select * into copy_of_t from t',
    'select * from t for update',
    'with x as (insert into t values (1) returning *) select * from x',
    'alter table t add column b int',
    'ADD COLUMN "Priority" SELECT',
    'replace into t values (1)',
    'begin; select 1; commit',
    'grant select on t to ann',
    'set role admin',
    'vacuum t',
    'copy t from stdin',
    'insert into public.t (a, b) values (1, 2) on conflict (a) do update set b = 2',
    'insert into t (a) values (1) on conflict do nothing',
    'create table t (a int references u(id) on delete cascade, b int not null)',
    'create index i on t using gin (a)',
    'alter table t alter column a drop not null',
    'create or replace view v as select 1',
    'pragma user_version = 3',
    'grant select, insert, delete on t to ann',
    'select s.nextval',
    'select next value for s',
    'select 1 rollback',
  ])('%s writes', (text) => expect(readStatement(text, 'sql')).toBe('Write'));

  test.each([
    'delete from t',
    'select 1; drop table t',
    'COMMIT; DROP SCHEMA public CASCADE;',
    'truncate t',
    'alter table t drop column a',
    'with gone as (delete from t returning *) select * from gone',
    'explain analyze delete from t',
    'revoke all on t from ann',
    'DROP COLUMN "Priority"',
    'merge into t using s on t.id = s.id when matched then delete',
    'insert into t select 1; Delete From t',
    'create or replace table t as select 1',
    'kill 53',
    'reset master',
    'select 1 drop table t',
    'insert overwrite table t select 1',
    'create or replace schema s',
    'replace table t as select 1',
    'alter table t replace partition 1 from u',
    'drop default dbo.d',
    'grant select on t to ann drop table u',
    'select 1 set nocount on delete no',
    'select $1. delete from t',
    'alter table t drop constraint c',
  ])('%s deletes', (text) => expect(readStatement(text, 'sql')).toBe('Delete'));

  test.each([
    ['a function that nobody knows', 'select purge_everything()'],
    ['a function of another schema', 'select app.count(1)'],
    ['a function in quotes', 'select "lo_unlink"(1)'],
    ['a function that ends sessions', 'select pg_terminate_backend(1)'],
    ['a procedure', 'call nightly()'],
    ['code', 'do $$ begin delete from t; end $$'],
    ['a comment that MySQL runs', 'select 1 /*! ; drop table t */'],
    ['a comment that MariaDB runs', 'select 1 /*M! ; drop table t */'],
    ['a function that a column list hides', "select * from a, evil('drop table t') as (b text)"],
    ['a function after an alias', "select * from evil('x') as (b text)"],
    ['a function of the catalog that ends sessions', 'select pg_catalog.pg_terminate_backend(1)'],
    ['a function beside a write', 'insert into t values (evil(1))'],
    ['a function in brackets', 'select [evil](1)'],
    ['a statement that another hands on to', 'show tables ->> drop table t'],
    ['one behind a comment', 'show tables ->> /* x */ drop table t'],
    ['a function after distinct on', 'select distinct on (id) lo_unlink(id) from t'],
    ['a function after on', 'select a.index from a join b on lo_unlink(b.id) = 1'],
    ['a procedure after money', 'select $1. exec dbo.wipe'],
    ['a procedure with its database', "select 1 x, master..xp_cmdshell 'rm'"],
    ['a text that hides a bracket', "select array['] from (select 1 array) x delete from t --']"],
    ['a backup over another', "select 1 backup database x to disk='y' with init"],
    ['a procedure by its name', 'select 1 sp_executesql @a'],
    ['a procedure after a select', 'select 1 exec evil'],
    ['a word that begins nothing', 'frobnicate t'],
    ['a comment in brackets', 'select [a -- ] ; drop table t\n]'],
    ['a comment that ends at a lone return', 'select 1 -- a\r; drop table t'],
    ['a slash comment', 'select 1 // a\n; drop table t'],
    ['three quotes', "select '''; drop table t; --'"],
    ['a doubled bracket', 'select [a]] ; drop table t]'],
    ['a bracket without an end', 'select [a'],
    ['a backtick that hides', 'select `a; drop table t --`'],
    ['a comment within a comment', 'select 1 /* /* */ ; drop table t -- */'],
    ['a comment only to some', 'select 1 --1; drop table t'],
    ['another', "select 1 # '\n; drop table t -- '"],
    ['a text that ends earlier for some', String.raw`select '\'; drop table t; --'`],
    ['texts between dollars', 'select 1 as $$; drop table t; select 2 as $$'],
    ['quotes in brackets', "select [it's] ; drop table t -- '"],
    ['a text without an end', "select 'abc"],
    ['a comment without an end', 'select 1 /* abc'],
    ['a program', "copy t to program 'rm -rf /'"],
    ['a NUL', 'select 1\0'],
    ['a letter that only looks like one', 'select 1；drop table t'],
    ['nothing', ''],
    ['nothing but a comment', '-- select 1'],
  ])('%s can’t be told', (_, text) => expect(readStatement(text, 'sql')).toBeNull());

  test('a Delete beside anything is never less', () => {
    const reads = fc.constantFrom('select 1', "select 'a;b' as x", 'values (1)', 'select count(*) from t -- all\n');
    fc.assert(
      fc.property(fc.array(reads), fc.array(reads), (before, after) => {
        const text = [...before, 'drop table t', ...after].join(';');
        expect(readStatement(text, 'sql')).toBe('Delete');
      }),
    );
  });

  test('never throws, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(['Read', 'Write', 'Delete', null]).toContain(readStatement(text, 'sql'));
        expect(['Read', 'Write', 'Delete', null]).toContain(readStatement(text, 'graphql'));
      }),
    );
  });

  test('is linear', () => {
    for (const piece of [
      "'a",
      '"',
      '/*',
      '--',
      '(',
      'a.',
      '/* a',
      '$$',
      '``',
      '-- a\n',
      "''",
      '"""',
      '"""a"',
      '#',
      '{a',
      '...',
      '\\"""',
      'put_',
      ') a(',
      '->> ',
    ])
      for (const text of [piece.repeat(50_000), `select ${piece.repeat(50_000)}`]) {
        const took = processorMs(() => [readStatement(text, 'sql'), readStatement(text, 'graphql')]);
        expect(took, piece).toBeLessThan(1000);
      }
  });
});

describe('GraphQL', () => {
  test.each([
    ['{ viewer { login } }', 'Read'],
    ['query Q($id: ID!) { node(id: $id) { ...F } } fragment F on Issue { deletedAt }', 'Read'],
    ['query { a: issue(text: "mutation { deleteIssue }") { id } } # mutation', 'Read'],
    ['mutation { createIssue(input: { title: "delete" }) { deletedAt } }', 'Write'],
    ['mutation { a: createIssue { id } b: deleteIssue { id } }', 'Delete'],
    ['mutation { createIssue: deleteIssue { id } }', 'Delete'],
    ['mutation { ...M } fragment M on Mutation { destroyNote { id } }', null],
    ['mutation { ... on Mutation { removeLabels { id } } }', null],
    [
      'mutation M($a: In = { deleteIt: true }) @x(y: [deleteIt]) { createIssue(a: { removeIt: 1 }) @deleteThis { id } }',
      'Write',
    ],
    ['query { a(text: """x \\""" } mutation { deleteIssue } """) { id } }', 'Read'],
    ['query { a(text: "\\"} mutation { deleteIssue }") { id } }', 'Read'],
    ['query { a } } mutation { deleteIssue }', null],
    ['query { a ( } )', null],
    ['subscription { issues { id } }', 'Read'],
    ['query A { me { id } } mutation B { archiveProject { id } }', 'Delete'],
    ['mutation { frobnicate { id } }', 'Write'],
    ['mutation { ...M }', null],
    ['mutation { project(id: 1) { deleteIssue(id: 2) { id } } }', 'Delete'],
    ['mutation { project(id: 1) { purge } }', 'Delete'],
    ['mutation { user { bulkDelete { n } } }', 'Delete'],
    ['mutation { a { b { ...M } } }', null],
    ['mutation { getDeletedThings(id: 1) { id } }', 'Delete'],
    ['mutation { createIssue', null],
    ['type Query { a: Int }', null],
    ['', null],
  ])('%s is %s', (text, operation) => expect(readStatement(text, 'graphql')).toBe(operation));
});
