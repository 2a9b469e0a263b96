/** Variables of the environment in what the owner wrote. */
import { GatewayError } from '../errors.ts';

/** `${env:NAME}`, `${NAME}` and `${NAME:-default}`. Names appear in messages, values never. */
export function fillVariables(value: string, env: NodeJS.ProcessEnv, where: string): string {
  return value.replace(/\$\{([^}]*)\}/g, (whole, inner: string) => {
    const match = /^(?:env:)?([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s.exec(inner);
    if (match === null)
      throw new GatewayError('config_invalid', `${where} is off: ${whole} can't be filled in here; use \${env:NAME}`);
    const found = env[match[1]!];
    if (found !== undefined && found !== '') return found;
    if (match[2] !== undefined) return match[2];
    throw new GatewayError('config_invalid', `${where} is off: the environment variable ${match[1]} is not set`);
  });
}
