/**
 * The program's first file. What is compiled of the bundle is kept beside it, and as trusted as it: the next start takes it
 * from there. Where that folder can't be written every start compiles anew, which is slower and no fault.
 */
import { join } from 'node:path';
import { runCached } from './code-cache.ts';

/** The file that the build made of hook-start.ts. */
declare const HOOK_FILE: string;
// The build makes a CommonJS file of this one.
declare const __dirname: string;
declare const require: (name: string) => unknown;

// The launcher on an older Node holds our channel: when it goes, however it went, so do we.
if (process.channel !== undefined) {
  process.channel?.unref();
  process.once('disconnect', () => setTimeout(() => process.exit(0), 5000).unref());
}

// Node 22 warns that its SQLite is new; on stderr of a gate that is noise in every client's log.
const { emitWarning } = process;
process.emitWarning = ((warning: string | Error, ...rest: unknown[]) => {
  if (!String(warning).includes('SQLite'))
    (emitWarning as (...args: unknown[]) => void).call(process, warning, ...rest);
}) as typeof process.emitWarning;

// To an agent every other end of a hook than this is leave.
const isHook = process.argv.at(-2) === 'hook';
start().catch((error) => {
  process.stderr.write(`toolgate: ${String(error)}\n`, () => process.exit(isHook ? 2 : 3));
});

async function start(): Promise<void> {
  // A hook stands before every command of an agent: it doesn't wait for what only people need.
  if (isHook && (await startHook())) return;
  const { enableCompileCache } = process.getBuiltinModule('node:module');
  if (enableCompileCache === undefined)
    throw new Error(`this is Node ${process.version}, and 22.13 or newer is needed`);
  enableCompileCache(join(__dirname, 'compiled'));
  await import('./main.ts');
}

function startHook(): Promise<boolean> {
  const { exports, keep } = runCached(__dirname, HOOK_FILE, require);
  return (exports as typeof import('./hook-start.ts')).hookStart(keep);
}
