/** Tests that need a component the host may lack: skipped with one line that names it, unless skipping is forbidden. */
import { existsSync } from 'node:fs';

const told = new Set<string>();

/** Whether to run; `what` names the component in the line. */
export function have(present: boolean, what: string): boolean {
  if (present) return true;
  if (process.env['TOOLGATE_TEST_ALL'] === '1')
    throw new Error(`${what} is needed: TOOLGATE_TEST_ALL forbids skipping`);
  if (!told.has(what)) process.stderr.write(`skipped: ${what} is not here\n`);
  told.add(what);
  return false;
}

export function haveProgram(name: string): boolean {
  return have(
    ['/usr/bin', '/usr/local/bin', '/bin'].some((folder) => existsSync(`${folder}/${name}`)),
    name,
  );
}
