/** The policies that are there without being written: what an agent does to toolgate itself. Pure. */
import { foldName } from '../call.ts';
import type { PolicySource } from './schema.ts';

/** Where they say that they are written. */
export const BUILT_IN_PLACE = 'built in';

const SELF_PROTECTION: PolicySource = {
  name: 'toolgate protects itself',
  description:
    "An agent doesn't change what judges it: toolgate's rules, state and program, and its registration in clients.",
  when: 'an agent makes a tool call',
  if: { integration: ['toolgate'], operation: ['Write', 'Delete'] },
  action: 'block',
  message:
    'Ask the user to do this themselves. A policy of this name in policies.yaml takes its place, for those who want an agent to do it.',
  // The file's own mode doesn't switch it off.
  mode: 'enforce',
  enabled: true,
  tests: [],
};

/** Those that no policy of the file replaces by bearing their name. */
export function builtInPolicies(written: readonly PolicySource[]): PolicySource[] {
  const names = new Set(written.map(({ name }) => foldName(name)));
  return [SELF_PROTECTION].filter(({ name }) => !names.has(foldName(name)));
}
