import { defineConfig } from 'vitest/config';

/** The tests that ask the mutated files themselves; those that start a gate don't see a mutant. */
export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/glob.test.ts', 'test/policy/{cases,match,compile,explain,decide,changes,lint}.test.ts'],
  },
});
