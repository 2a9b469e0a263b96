/** The way in of a hook as `hook --print` registers it, without the whole command line. */
import { messageOf } from '../errors.ts';
import { hook } from './hook.ts';
import { complain, finish } from './output.ts';

/**
 * False where it is asked in any other way: the whole command line then knows what to say. `keepCompiled` is called at the
 * end of a run that used what most runs need.
 */
export async function hookStart(keepCompiled: () => void): Promise<boolean> {
  const [c, config, s, state, command, agent, ...more] = process.argv.slice(2);
  if (c !== '--config' || s !== '--state' || command !== 'hook' || agent === undefined || more.length > 0) return false;
  try {
    // What it had to say is said.
    process.exit(await hook(agent, { config, state }, () => process.once('exit', keepCompiled)));
  } catch (error) {
    complain(`toolgate: ${messageOf(error)}`);
    finish(2);
  }
  return true;
}
