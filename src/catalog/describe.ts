/** A tool of the catalog in words: what it is called, and what its arguments make of it. Pure. */
import type { Operation } from '../call.ts';
import type { CatalogOrigin, Integration } from './load.ts';
import type { CatalogTool } from './schema.ts';
import type { StatementLanguage } from './statements.ts';

export interface DescribedTool {
  readonly id: string;
  readonly title: string;
  readonly operation: Operation;
  readonly origin: CatalogOrigin;
  /** what servers call it: `git_push`; `label_write (method: delete)` where an argument chooses it */
  readonly names: readonly string[];
  /** what arguments change: `force, prune → Delete`, `dry_run: true → Read` */
  readonly changes: readonly string[];
}

export function describeTools(integration: Integration): DescribedTool[] {
  return [...integration.tools].map(([id, { tool, origin }]) => ({
    id,
    title: tool.title,
    operation: tool.operation,
    origin,
    names: namesOf(integration, id),
    changes: changesOf(tool),
  }));
}

function namesOf(integration: Integration, id: string): string[] {
  const names = integration.servers.flatMap(({ server }) =>
    Object.entries(server.tools).flatMap(([called, { tool, select }]) => {
      const chosen = Object.entries(select?.values ?? {}).filter(([, meaning]) => meaning === id);
      if (chosen.length > 0) return [`${called} (${select!.argument}: ${chosen.map(([value]) => value).join(', ')})`];
      return tool === id ? [called] : [];
    }),
  );
  return [...new Set(names)];
}

function changesOf(tool: CatalogTool): string[] {
  const { raise = [], lower = [], select, statement, refspecs, refs, revisions, url_parts } = tool;
  const to = (operation: Operation) =>
    raise
      .filter((rule) => rule.to === operation)
      .map(({ argument, is, like, unlike, holds_null }) => {
        if (is !== undefined) return `${argument}: ${is.join(' or ')}`;
        if (like !== undefined) return `${argument} like ${like.join(' or ')}`;
        if (unlike !== undefined) return `${argument} unlike ${unlike.join(' or ')}`;
        return holds_null === true ? `a null in ${argument}` : argument;
      });
  const doubtful = (what: string, names: readonly string[] = []) =>
    names.length === 0 ? [] : [`${names.join(', ')} that ${what}`];
  const deletes = [
    ...to('Delete'),
    ...doubtful('forces or deletes', refspecs),
    ...doubtful('is no plain name', refs),
    ...doubtful('may be an option', revisions),
    ...doubtful('may lead elsewhere', url_parts),
  ];
  return [
    ...(select === undefined ? [] : [`${select.argument} chooses`]),
    ...(deletes.length === 0 ? [] : [`${deletes.join(', ')} → Delete`]),
    ...(to('Write').length === 0 ? [] : [`${to('Write').join(', ')} → Write`]),
    ...lower.map(({ argument, to: operation }) => `${argument}: true → ${operation}`),
    ...(statement === undefined ? [] : [`${statement.argument} is read as ${LANGUAGES[statement.language]}`]),
  ];
}

const LANGUAGES: Record<StatementLanguage, string> = { sql: 'SQL', graphql: 'GraphQL' };

/** The canonical arguments that the servers of an integration have names of their own for. */
export function canonicalArguments(integration: Integration): string[] {
  const names = integration.servers.flatMap(({ server }) => [
    ...Object.keys(server.arguments ?? {}),
    ...Object.values(server.tools).flatMap((entry) => Object.keys(entry.arguments ?? {})),
  ]);
  return [...new Set(names)].sort();
}
