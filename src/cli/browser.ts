/**
 * Opens an address in the user's browser. The address holds a one-time secret, and arguments of a process can be read
 * by every user of the machine: the browser is given a file that only the owner can read, which leads on.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newId } from '../ids.ts';
import { desktopEnvironment } from '../notify/desktop.ts';

const OPENERS: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  linux: ['/usr/bin/xdg-open', '/usr/local/bin/xdg-open', '/run/current-system/sw/bin/xdg-open'],
  darwin: ['/usr/bin/open'],
  win32: ['C:\\Windows\\explorer.exe'],
};
/** As long as the secret is good for. */
const FILE_MS = 60_000;
const FILE_START = 'open-';
const START_MS = 3000;

/** The program that opens things; null where there is none, or nothing to show them on. */
export function findOpener(env: NodeJS.ProcessEnv = desktopEnvironment()): string | null {
  if (process.platform === 'linux' && !env['DISPLAY'] && !env['WAYLAND_DISPLAY']) return null;
  return (OPENERS[process.platform] ?? []).find(isExecutable) ?? null;
}

/** False if nothing could be opened: then the user must be told the address. */
export async function openInBrowser(folder: string, url: string): Promise<boolean> {
  const opener = findOpener();
  if (opener === null) return false;
  prune(folder);
  const file = join(folder, `${FILE_START}${newId()}.html`);
  writeFileSync(
    file,
    `<!doctype html><meta charset="utf-8"><title>toolgate</title><script>location.replace(${JSON.stringify(url)})</script>`,
    { mode: 0o600 },
  );
  const child = spawn(opener, [file], { stdio: 'ignore', detached: true, env: desktopEnvironment() });
  child.unref();
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(true), START_MS);
    const done = (opened: boolean) => {
      clearTimeout(timer);
      resolve(opened);
    };
    child.once('error', () => done(false));
    child.once('exit', (code) => done(code === 0 || process.platform === 'win32'));
  });
}

/** Takes away the files that have done their work. */
function prune(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(FILE_START)) continue;
    const path = join(folder, name);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat !== undefined && Date.now() - stat.mtimeMs > FILE_MS) rmSync(path, { force: true });
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
