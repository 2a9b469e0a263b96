/**
 * Runs a file of the build with what V8 made of it in an earlier run. Node's own compile cache keeps only what is compiled
 * before a file first runs; a hook runs once for each command, and would compile nearly all that it uses anew each time.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { keepFile } from '../files.ts';

export interface Ran {
  /** what the file exports */
  readonly exports: Record<string, unknown>;
  /** Keeps what is compiled by now for later runs, unless this one had it already; never throws. */
  readonly keep: () => void;
}

/**
 * `name`: a file in `folder`, named by its content, of ASCII alone, without `import()`: a function in parentheses that takes
 * what a CommonJS module is given, `require` as a file of that folder has it. What is kept is as trusted as it.
 */
export function runCached(folder: string, name: string, require: (name: string) => unknown): Ran {
  const path = join(folder, name);
  const kept = join(folder, 'compiled', `${name}-${process.version}-${process.platform}-${process.arch}`);
  const cachedData = readTwin(kept);
  const script = new Script(readFileSync(path, 'latin1'), {
    filename: path,
    ...(cachedData !== undefined && { cachedData }),
  });
  const module = { exports: {} };
  script.runInThisContext()(module.exports, require, module, path);
  return {
    exports: module.exports,
    keep: () => {
      if (cachedData !== undefined && script.cachedDataRejected !== true) return;
      const data = script.createCachedData();
      // Where it can't be written every run compiles anew, which is slower and no fault.
      keepFile(kept, Buffer.concat([data, data]), true);
    },
  };
}

/** V8 takes whatever it is given, and ends the process over a byte that has changed: so it is kept twice and compared. */
function readTwin(path: string): Buffer | undefined {
  try {
    const both = readFileSync(path);
    const one = both.subarray(0, both.length / 2);
    // V8 reads a head of some words however little there is.
    return one.length >= 64 && one.equals(both.subarray(both.length / 2)) ? one : undefined;
  } catch {
    return undefined;
  }
}
