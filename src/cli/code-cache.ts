/**
 * Runs a file of the build with what V8 made of it in an earlier run. Node's own compile cache keeps only what is compiled
 * before a file first runs; a hook runs once for each command, and would compile nearly all that it uses anew each time.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Script } from 'node:vm';

export interface Ran {
  /** what the file exports */
  readonly exports: Record<string, unknown>;
  /** Keeps what is compiled by now for later runs, unless this one had it already; never throws. */
  readonly keep: () => void;
}

/**
 * `name`: a file in `folder`, named by its content, of ASCII alone, without `import()`: a function in parentheses that takes
 * what a CommonJS module is given. What is kept is as trusted as it.
 */
export function runCached(folder: string, name: string): Ran {
  const path = join(folder, name);
  const kept = join(folder, 'compiled', `${name}-${process.version}-${process.platform}-${process.arch}`);
  const cachedData = tryRead(kept);
  const script = new Script(readFileSync(path, 'latin1'), {
    filename: path,
    ...(cachedData !== undefined && { cachedData }),
  });
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(path), module, path);
  return {
    exports: module.exports,
    keep: () => {
      if (cachedData === undefined || script.cachedDataRejected === true) write(kept, script.createCachedData());
    },
  };
}

function tryRead(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

/** Whole and on the disk, or not at all: V8 looks at its version and length alone. Where it can't be written every run compiles anew, which is slower and no fault. */
function write(path: string, data: Buffer): void {
  const unfinished = `${path}.${process.pid}`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(unfinished, data, { mode: 0o600, flush: true });
    renameSync(unfinished, path);
  } catch {
    rmSync(unfinished, { force: true });
  }
}
