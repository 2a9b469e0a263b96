/** The inventory of tools: what each server offered, and whether its definition is still the one that was accepted. */
import type { ReviewStatus } from '../call.ts';
import type { Transaction } from '../store/store.ts';

export interface ToolRow {
  readonly server: string;
  readonly name: string;
  readonly definition_hash: string;
  /** JSON of what classifying needs of it */
  readonly definition: string;
  /** the definition that `status` speaks of */
  readonly accepted_hash: string;
  readonly status: ReviewStatus | null;
  readonly integration: string;
  readonly tool: string;
  readonly operation: string | null;
  readonly source: string;
  readonly first_seen: number;
  readonly last_seen: number;
}

export interface SeenTool {
  readonly server: string;
  readonly name: string;
  readonly definitionHash: string;
  readonly definition: string;
  readonly integration: string;
  readonly tool: string;
  readonly operation: string | null;
  readonly source: string;
}

/** Writes that a tool was seen; says what is new of it. */
export function seeTool(tx: Transaction, tool: SeenTool, now: number): 'new' | 'changed' | 'same' {
  const before = findTool(tx, tool.server, tool.name);
  if (
    before?.definition_hash === tool.definitionHash &&
    before.operation === tool.operation &&
    before.tool === tool.tool
  )
    return 'same';
  tx.run(
    `INSERT INTO tools (server, name, definition_hash, definition, accepted_hash, integration, tool, operation, source, first_seen, last_seen)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (server, name) DO UPDATE SET definition_hash = excluded.definition_hash, definition = excluded.definition, integration = excluded.integration,
       tool = excluded.tool, operation = excluded.operation, source = excluded.source, last_seen = excluded.last_seen`,
    tool.server,
    tool.name,
    tool.definitionHash,
    tool.definition,
    tool.definitionHash,
    tool.integration,
    tool.tool,
    tool.operation,
    tool.source,
    now,
    now,
  );
  if (before === undefined) return 'new';
  return before.definition_hash === tool.definitionHash ? 'same' : 'changed';
}

/**
 * What is said of a tool counts for the definition that was accepted, and only while the upstream shows exactly that
 * one (`live`): else Unreviewed, except from Disallowed. `fixed` is what the owner's file says.
 */
export function toolStatus(
  row: Pick<ToolRow, 'accepted_hash' | 'status'> | undefined,
  fixed: ReviewStatus | null,
  live: string,
): ReviewStatus {
  const said = fixed ?? row?.status ?? 'Unreviewed';
  return said === 'Disallowed' || row?.accepted_hash === live ? said : 'Unreviewed';
}

export function findTool(tx: Transaction, server: string, name: string): ToolRow | undefined {
  return tx.get<ToolRow>('SELECT * FROM tools WHERE server = ? AND name = ?', server, name);
}

export function listTools(tx: Transaction): ToolRow[] {
  return tx.all<ToolRow>('SELECT * FROM tools ORDER BY server, name');
}

/** Sets what the owner says of a tool, and accepts its present definition. False if it was never seen. */
export function setToolStatus(tx: Transaction, server: string, name: string, status: ReviewStatus): boolean {
  return (
    tx.run(
      'UPDATE tools SET status = ?, accepted_hash = definition_hash WHERE server = ? AND name = ?',
      status,
      server,
      name,
    ) === 1
  );
}
