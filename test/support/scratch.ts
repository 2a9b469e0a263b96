/** A folder of one test, gone after it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export interface Scratch {
  readonly folder: string;
  readonly config: string;
  readonly state: string;
  readonly write: (name: string, text: string) => string;
}

export function scratch(): Scratch {
  const folder = mkdtempSync(join(tmpdir(), 'toolgate-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const config = join(folder, 'config');
  mkdirSync(config);
  return {
    folder,
    config,
    state: join(folder, 'state'),
    write: (name, text) => {
      const path = join(folder, name);
      writeFileSync(path, text);
      return path;
    },
  };
}
