/** The way in of a hook as it is registered: its few flags read without the whole command line. */
import { parseArgs } from 'node:util';
import { messageOf } from '../errors.ts';
import { hook } from './hook.ts';
import { complain, finish } from './output.ts';

/**
 * False where it is asked in any other way: the whole command line then knows what to say. `keepCompiled` is called at the
 * end of a run that used what most runs need.
 */
export async function hookStart(keepCompiled: () => void): Promise<boolean> {
  let read: { values: { config?: string; state?: string }; positionals: string[] };
  try {
    const options = { config: { type: 'string' }, state: { type: 'string' } } as const;
    read = parseArgs({ options, allowPositionals: true });
  } catch {
    return false;
  }
  const [command, agent, ...more] = read.positionals;
  if (command !== 'hook' || agent === undefined || more.length > 0) return false;
  try {
    // What it had to say is said.
    process.exit(await hook(agent, read.values, () => process.once('exit', keepCompiled)));
  } catch (error) {
    complain(`toolgate: ${messageOf(error)}`);
    finish(2);
  }
  return true;
}
