/** What was done, as a `call.decided` event says it: without the arguments. */
import type { Deed, Operation, ReviewStatus } from '../call.ts';
import type { Catalog } from '../catalog/load.ts';
import { foldId } from '../catalog/recognise.ts';

/** Of one call. */
type Fields = Readonly<Record<string, unknown>>;

/** One for each call of the event: a shell line may have several. */
export function fieldsOf(body: Fields): readonly Fields[] {
  const calls = body['toolgate.calls'];
  return Array.isArray(calls) ? (calls as Fields[]) : [body];
}

export function operationIn(call: Fields): Operation | null {
  return (call['toolgate.operation'] ?? null) as Operation | null;
}

export function deedIn(call: Fields, catalog: Catalog): Deed {
  const titles = [call['toolgate.integration'], ...((call['toolgate.integration.also'] as string[] | undefined) ?? [])];
  const known = titles.filter((title) => typeof title === 'string');
  const ids = String(call['toolgate.tool'] ?? '').split('|');
  const operation = operationIn(call);
  return {
    via: call['toolgate.via'] === 'mcp' ? 'mcp' : 'cli',
    integrations: known.map((title) => ({
      id: catalog.find(title)?.id ?? foldId(title),
      title,
      sure: known.length === 1,
    })),
    server: (call['toolgate.server'] as string | null | undefined) ?? null,
    calledName: String(call['gen_ai.tool.name'] ?? ''),
    tools: ids
      .filter((id) => id !== '')
      .map((id) => {
        const found = known.map((title) => catalog.find(title)?.tools.get(id)).find((each) => each !== undefined);
        return { id, title: found?.tool.title ?? id };
      }),
    possible: operation === null ? [] : [operation],
    toolStatus: (call['toolgate.tool.status'] ?? 'Unreviewed') as ReviewStatus,
  };
}
