/** Where the owner's files and the state live. Precedence: flag, environment, the platform's own folder. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

export interface Folders {
  readonly config: string;
  readonly state: string;
}

export function folders(
  flags: { config?: string | undefined; state?: string | undefined },
  env: NodeJS.ProcessEnv = process.env,
): Folders {
  return {
    config: resolve(flags.config ?? nonEmpty(env['TOOLGATE_CONFIG']) ?? platformFolder('config', env)),
    state: resolve(flags.state ?? nonEmpty(env['TOOLGATE_STATE']) ?? platformFolder('state', env)),
  };
}

function platformFolder(kind: 'config' | 'state', env: NodeJS.ProcessEnv): string {
  const home = homedir();
  if (process.platform === 'darwin')
    return join(home, 'Library', 'Application Support', 'toolgate', ...(kind === 'state' ? ['state'] : []));
  if (process.platform === 'win32') {
    const base =
      kind === 'config'
        ? (env['APPDATA'] ?? join(home, 'AppData', 'Roaming'))
        : (env['LOCALAPPDATA'] ?? join(home, 'AppData', 'Local'));
    return join(base, 'toolgate');
  }
  if (kind === 'config') return join(nonEmpty(env['XDG_CONFIG_HOME']) ?? join(home, '.config'), 'toolgate');
  return join(nonEmpty(env['XDG_STATE_HOME']) ?? join(home, '.local', 'state'), 'toolgate');
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}
