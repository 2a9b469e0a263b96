/**
 * The program's first file. What Node compiles of the bundle is kept beside it, and as trusted as it: the next start
 * takes it from there. Where that folder can't be written every start compiles anew, which is slower and no fault.
 */
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

enableCompileCache(fileURLToPath(new URL('./compiled', import.meta.url)));
await import('./main.ts');
