/** What a statement does that a tool is given to run, from its words alone. Pure. */
import type { Operation } from '../call.ts';
import { readGraphql } from './graphql-statement.ts';
import { readSql } from './sql-statement.ts';

export const STATEMENT_LANGUAGES = ['sql', 'graphql'] as const;
export type StatementLanguage = (typeof STATEMENT_LANGUAGES)[number];

/** The worst that the statements of a text do; null if that can't be told. */
export function readStatement(text: string, language: StatementLanguage): Operation | null {
  return language === 'sql' ? readSql(text) : readGraphql(text);
}
