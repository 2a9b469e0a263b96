/** The review status that the owner's file gives a tool. Pure. */
import { type Deed, foldName, type ReviewStatus } from '../call.ts';

/** What the owner's file says of a tool; null if nothing. */
export function statusInFile(
  file: Readonly<Record<string, Readonly<Record<string, ReviewStatus>>>>,
  calledName: string,
  { integrations, tools }: Pick<Deed, 'integrations' | 'tools'>,
): ReviewStatus | null {
  const names = new Set([calledName, ...tools.flatMap(({ id, title }) => [id, title])].map(foldName));
  let fixed: ReviewStatus | null = null;
  for (const [name, statuses] of Object.entries(file)) {
    const integration = integrations.find(
      ({ id, title }) => foldName(name) === foldName(id) || foldName(name) === foldName(title),
    );
    if (integration === undefined) continue;
    for (const [tool, status] of Object.entries(statuses)) {
      if (!names.has(foldName(tool)) || fixed === 'Disallowed') continue;
      if (status === 'Disallowed' || integration.sure) fixed = status;
    }
  }
  return fixed;
}
