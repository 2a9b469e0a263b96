/** Where the owner's files and the state live. Precedence: flag, environment, the platform's own folder. */
import { homedir, userInfo } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { GatewayError } from '../errors.ts';

export interface Folders {
  readonly config: string;
  readonly state: string;
}

export function folders(
  flags: { config?: string | undefined; state?: string | undefined },
  env: NodeJS.ProcessEnv = process.env,
): Folders {
  return {
    config: resolve(
      checked('config', flags.config) ?? nonEmpty(env['TOOLGATE_CONFIG']) ?? platformFolder('config', env),
    ),
    state: resolve(checked('state', flags.state) ?? nonEmpty(env['TOOLGATE_STATE']) ?? platformFolder('state', env)),
  };
}

function platformFolder(kind: 'config' | 'state', env: NodeJS.ProcessEnv): string {
  const home = isAbsolute(homedir()) ? homedir() : userInfo().homedir;
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

/** An empty flag is most likely an unset variable: it must not mean the working directory. */
function checked(name: string, value: string | undefined): string | undefined {
  if (value?.trim() === '')
    throw new GatewayError('config_invalid', `--${name} is empty: name a folder, or leave it out`);
  return value;
}
