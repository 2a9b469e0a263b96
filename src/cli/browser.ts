/**
 * Opens an address in the user's browser. It may hold a one-time secret, and other users of the machine can read the
 * arguments of a process: on Linux the desk lets only its own user sign in (desk/peer.ts); elsewhere whoever is faster
 * spends it, and the other is told.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { desktopEnvironment } from '../notify/desktop.ts';

const OPENERS: Partial<Record<NodeJS.Platform, readonly (readonly [program: string, ...args: string[]])[]>> = {
  linux: [['/usr/bin/xdg-open'], ['/usr/local/bin/xdg-open'], ['/run/current-system/sw/bin/xdg-open']],
  darwin: [['/usr/bin/open']],
  win32: [['C:\\Windows\\System32\\rundll32.exe', 'url.dll,FileProtocolHandler']],
};
/** What has not failed by then shows something. */
const START_MS = 3000;

/** The program that opens things; null where there is none, or nothing to show them on. */
export function findOpener(env: NodeJS.ProcessEnv = desktopEnvironment()): readonly [string, ...string[]] | null {
  if (process.platform === 'linux' && !env['DISPLAY'] && !env['WAYLAND_DISPLAY']) return null;
  return (OPENERS[process.platform] ?? []).find(([program]) => isExecutable(program)) ?? null;
}

/** False if nothing could be opened: then the user must be told the address. */
export async function openInBrowser(url: string): Promise<boolean> {
  const opener = findOpener();
  if (opener === null) return false;
  const [program, ...args] = opener;
  const child = spawn(program, [...args, url], { stdio: 'ignore', detached: true, env: desktopEnvironment() });
  child.unref();
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(true), START_MS);
    const done = (opened: boolean) => {
      clearTimeout(timer);
      resolve(opened);
    };
    child.once('error', () => done(false));
    child.once('exit', (code) => done(code === 0));
  });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
