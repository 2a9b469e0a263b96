/** The servers that `servers.json` configures, ready to start or not, with everything said that is wrong. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ConfiguredServer, readServers, resolveServers } from '../config/servers.ts';
import { messageOf } from '../errors.ts';
import { formatProblems, type Problem } from '../problem.ts';

/** `off` says in a sentence each why a server does not run. */
export function configuredServers(
  configFolder: string,
  error: (text: string) => void,
  warn: (text: string) => void,
): { servers: ConfiguredServer[]; off: string[] } {
  let text: string;
  try {
    text = readFileSync(join(configFolder, 'servers.json'), 'utf8');
  } catch (thrown) {
    const why = `servers.json can't be read: ${messageOf(thrown)}`;
    error(why);
    return { servers: [], off: [why] };
  }
  const { servers, problems } = readServers(text);
  const faults = problems.filter(({ severity }) => severity === 'error');
  show(faults, error);
  show(
    problems.filter(({ severity }) => severity === 'warning'),
    warn,
  );
  if (servers === null) return { servers: [], off: [formatProblems(faults)] };
  const resolved = resolveServers(servers, process.env);
  const off = resolved.flatMap((server) => (server.kind === 'off' ? [server.why] : []));
  for (const why of off) warn(why);
  return { servers: resolved, off };
}

function show(problems: readonly Problem[], say: (text: string) => void): void {
  if (problems.length > 0) say(formatProblems(problems));
}

/** Why servers would not run if a gate started in this environment; those that the owner disabled left out. */
export function serversOff(configFolder: string): string[] {
  const { servers } = readServers(readFileSync(join(configFolder, 'servers.json'), 'utf8'));
  if (servers === null) return [];
  return resolveServers(servers, process.env).flatMap((server) => {
    const { disabled, enabled } = servers.entries[server.key]!;
    return server.kind === 'off' && disabled !== true && enabled !== false ? [server.why] : [];
  });
}
