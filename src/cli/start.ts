/**
 * The program's first file. What Node compiles of the bundle is kept beside it, and as trusted as it: the next start
 * takes it from there. Where that folder can't be written every start compiles anew, which is slower and no fault.
 */
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

enableCompileCache(fileURLToPath(new URL('./compiled', import.meta.url)));
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

// A hook stands before every command of an agent: it doesn't wait for what only people need. To an agent every other end is leave.
const isHook = process.argv.at(-2) === 'hook';
try {
  const answered = isHook && (await (await import('./hook-start.ts')).hookStart());
  if (!answered) await import('./main.ts');
} catch (error) {
  process.stderr.write(`toolgate: ${String(error)}\n`, () => process.exit(isHook ? 2 : 3));
}
