/**
 * What of toolgate's own an agent would touch with its commands and file tools: the rules, the state, the program, the desk, and
 * the files in which agents' clients register hooks and MCP servers. Pure.
 */
import { compileGlob } from '../glob.ts';
import type { CommandCall } from './command.ts';
import type { Catalog } from './load.ts';

/** Where toolgate's own things are: absolute folders, each as it is named and as it really is. */
export interface OwnPlaces {
  readonly config: readonly string[];
  readonly state: readonly string[];
  /** the folder of the built program */
  readonly program: readonly string[];
  /** ports of the desk on this machine */
  readonly ports: readonly number[];
}

/** The integration of `catalog/toolgate.yaml`. */
export const OWN_INTEGRATION = 'toolgate';

/** Tools of it. */
export type OwnTool = 'change_rules' | 'change_registration' | 'change_program' | 'open_state' | 'ask_desk' | 'stop';

/** `destroys`: what is below goes too; `fills`: what is below may be written. */
export type Touch = 'reads' | 'changes' | 'fills' | 'destroys';

/** Where clients keep hooks and MCP servers, in the home folder or in a project; a folder ends with `/`. */
const REGISTRATIONS: readonly string[] = [
  '.claude/settings.json',
  '.claude/settings.local.json',
  '.claude.json',
  '.mcp.json',
  'claude_desktop_config.json',
  'managed-settings.json',
  'managed-mcp.json',
  '.cursor/hooks.json',
  '.cursor/mcp.json',
  '.codex/config.toml',
  '.codex/hooks.json',
  '.gemini/settings.json',
  '.copilot/settings.json',
  '.copilot/mcp-config.json',
  '.copilot/hooks/',
  '.github/hooks/',
  '.github/copilot/settings.json',
  '.vscode/mcp.json',
  'user/mcp.json',
  '.codeium/windsurf/hooks.json',
  '.codeium/windsurf/mcp_config.json',
  '.factory/hooks.json',
  '.factory/settings.json',
  '.factory/mcp.json',
  '.kiro/settings/mcp.json',
  '.kiro/hooks/',
  '.kiro/agents/',
  '.agents/plugins/',
  '.windsurf/hooks.json',
  'documents/cline/hooks/',
  '.factory/settings.local.json',
  '.clinerules/hooks/',
  '.cline/hooks/',
  '.gemini/config/hooks.json',
  '.github/copilot/settings.local.json',
  'windsurf/hooks.json',
  '.codeium/mcp_config.json',
  'cline_mcp_settings.json',
  '.roo/mcp.json',
  '.config/opencode/opencode.json',
  '.config/goose/config.yaml',
  '.config/zed/settings.json',
  '.config/amp/settings.json',
  '.continue/config.yaml',
  '.aws/amazonq/mcp.json',
];

/** A path in one spelling: systems that don't tell cases apart are the strict ones. */
const plain = (path: string) =>
  path
    .replaceAll('\\', '/')
    .replace(/(?<=.)\/+$/, '')
    .toLowerCase();
const isBelow = (path: string, folder: string) => path === folder || folder === '/' || path.startsWith(`${folder}/`);

/**
 * The tool that touching a path is, or null. `path` is absolute and normalised; it may be a shell's pattern. What fills the home
 * folder, or one above it, fills most likely another part of it.
 */
export function ownTouch(places: OwnPlaces, given: string, touch: Touch, home: string | null = null): OwnTool | null {
  const path = plain(given);
  const isWide = touch === 'fills' && home !== null && isBelow(plain(home), path);
  const reachesBelow = touch === 'destroys' || (touch === 'fills' && !isWide);
  const hits = /[*?[]/.test(path)
    ? matcher(path, reachesBelow)
    : (place: string) => isBelow(path, place) || (reachesBelow && isBelow(place, path));
  if (places.state.map(plain).some(hits)) return 'open_state';
  if (touch === 'reads') return null;
  const rules = places.config
    .map(plain)
    .flatMap((folder) => [folder, `${folder}/policies.yaml`, `${folder}/servers.json`]);
  if (rules.some(hits)) return 'change_rules';
  if (places.program.map(plain).some(hits)) return 'change_program';
  return isRegistration(path, touch) ? 'change_registration' : null;
}

/** Whether a pattern may become a place, lie within it or, where what is below counts, be a folder above it. */
function matcher(pattern: string, reachesBelow: boolean): (place: string) => boolean {
  const parts = pattern.split('/').map((part) => compileGlob(asGlob(part)));
  const isDeep = pattern.includes('**');
  const whole = compileGlob(asGlob(pattern));
  return (place) => {
    const names = place.split('/');
    const shared = Math.min(parts.length, names.length);
    const fits = names.slice(0, shared).every((name, index) => parts[index]!(name));
    return whole(place) || (isDeep && fits) || (fits && (parts.length >= names.length || reachesBelow));
  };
}

/** A set of characters is any one; more than it means, never less. */
function asGlob(pattern: string): string {
  return pattern.replace(/\[[^\]]*\]?/g, '?');
}

function isRegistration(path: string, touch: Touch): boolean {
  if (/[*?[]/.test(path)) return mayBeRegistration(path);
  return REGISTRATIONS.some((each) => {
    const file = each.replace(/\/$/, '');
    if (path.endsWith(`/${file}`) || (each.endsWith('/') && path.includes(`/${each}`))) return true;
    const folder = file.slice(0, file.lastIndexOf('/'));
    // Of these folders a project keeps other things in two.
    const isClients = folder.startsWith('.') && !/^\.(github|vscode)(\/|$)/.test(folder);
    return (touch === 'destroys' || touch === 'fills') && isClients && path.endsWith(`/${folder}`);
  });
}

/** A pattern in a folder of a client's, or one for files whose names begin with a dot: `*` alone leaves those out. */
function mayBeRegistration(pattern: string): boolean {
  const at = pattern.lastIndexOf('/');
  const [folder, name] = [pattern.slice(0, at), pattern.slice(at + 1)];
  const matches = compileGlob(asGlob(name));
  return REGISTRATIONS.some((each) => {
    const parts = each.replace(/\/$/, '').split('/');
    const file = parts.pop()!;
    if (file.startsWith('.') && !name.startsWith('.')) return false;
    const isThere = parts.length === 0 ? file.startsWith('.') : folder.endsWith(`/${parts.join('/')}`);
    return isThere && matches(file);
  });
}

/** Whether code or other text that nobody reads speaks of any of it. `home`: its own folders may be written from there. */
export function speaksOfOwn(places: OwnPlaces, text: string, home: string | null): boolean {
  const lower = plain(text);
  const folders = [...places.config, ...places.state].map(plain);
  const fromHome = home === null ? [] : folders.filter((each) => isBelow(each, plain(home)));
  const tails = fromHome.map((each) => each.slice(plain(home!).length));
  return [...folders, ...tails, ...REGISTRATIONS].some((each) => lower.includes(each)) || asksDesk(places, lower);
}

export function asksDesk({ ports }: OwnPlaces, text: string): boolean {
  const asked = portsHere(text);
  return ports.some((port) => asked.has(port));
}

const THIS_MACHINE =
  /(?:^|[^\w.])(0*177(?:\.0+){0,2}\.0*1|(?:[\w-]+\.)*localhost\.?|127(?:\.\d{1,3}){1,3}|\[::1\]|\[::\]|\[::ffff:(?:127\.0\.0\.1|7f00:1)\]|0\.0\.0\.0|0|2130706433|0x7f000001)$/i;

/** The ports of this machine that a text names, as in `localhost:7433`. */
export function portsHere(text: string): ReadonlySet<number> {
  const found = new Set<number>();
  for (const { index, 1: port } of text.matchAll(/:0{0,3}(\d{1,5})(?!\d)/g))
    if (THIS_MACHINE.test(text.slice(Math.max(0, index - 24), index))) found.add(Number(port));
  // `/dev/tcp/localhost/7433`, `nc localhost 7433`, and `:7433` as httpie takes it.
  const words = text.replace(/^\/dev\/tcp\/(\S+?)\/(\d+)/, '$1 $2').split(/\s+/);
  for (const [index, word] of words.entries())
    if (/^\d{1,5}$/.test(word) && THIS_MACHINE.test(` ${words[index - 1] ?? ''}`)) found.add(Number(word));
  // curl makes several ports of `{7433,7434}` and `743[3-4]`, and connects to where `--resolve a:7433:127.0.0.1` says.
  for (const { index, 1: ports } of text.matchAll(/:(\d*[[{][\d,\-[\]{}]+)/g))
    if (THIS_MACHINE.test(text.slice(Math.max(0, index - 24), index)))
      for (const port of expanded(ports!)) found.add(port);
  for (const { 1: port, 2: host } of text.matchAll(/:(\d{1,5}):(\S+)/g))
    if (THIS_MACHINE.test(` ${host!}`)) found.add(Number(port));
  const short = /^:(\d{1,5})(?:\/|$)/.exec(text)?.[1];
  if (short !== undefined) found.add(Number(short));
  return found;
}

/** The numbers of `{7433,7434}` or `743[3-4]`; a thousand at most. */
function expanded(pattern: string): number[] {
  const [, list] = /^\{([\d,]+)\}$/.exec(pattern) ?? [];
  if (list !== undefined) return list.split(',').map(Number);
  const [, start = '', from, to] = /^(\d*)\[(\d+)-(\d+)/.exec(pattern) ?? [];
  const [first, last] = [Number(from), Number(to)];
  if (from === undefined || last < first || last - first > 70_000) return [];
  return Array.from({ length: Math.min(last - first + 1, 70_000) }, (_, at) => Number(`${start}${first + at}`));
}

/** As a call of a command or a file tool called `name`; null if the catalog has no such tool. */
export function ownCall(catalog: Catalog, tool: OwnTool, name: string, path: string | null): CommandCall | null {
  const integration = catalog.integrations.get(OWN_INTEGRATION);
  const known = integration?.tools.get(tool);
  if (integration === undefined || known === undefined) return null;
  const { title, operation } = known.tool;
  return {
    integration: { id: integration.id, title: integration.title },
    tools: [{ id: tool, title }],
    possible: [operation],
    operation,
    source: known.origin,
    reasons: [path === null ? `${name} is about toolgate itself` : `${name} with ${path}`],
    name,
    argument: (canonical) =>
      canonical === 'path' && path !== null ? { state: 'value', value: path } : { state: 'missing' },
    canonical: ['path'],
  };
}
