/** Whether the agents' clients that are installed here ask toolgate before they run a command, by their own files. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'jsonc-parser';
import { isObject } from '../call.ts';

export type GuardState = 'guarded' | 'missing' | 'off' | 'stale';

export interface Guard {
  /** the word of `toolgate hook` */
  readonly agent: string;
  /** `stale`: what is registered is not there any more */
  readonly state: GuardState;
  /** the file that decides it; for `missing` the one where it belongs */
  readonly file: string;
  /** of one that could be told more strictly to keep commands from running: what it lacks */
  readonly lacks: string | null;
}

interface Client {
  readonly agent: string;
  /** it is installed if this folder is in the home folder */
  readonly folder: string;
  /** files with hooks, or a folder of such files */
  readonly files: readonly string[];
  readonly event: string;
  /** files that may switch all hooks off, in the home folder and in a project */
  readonly switches?: readonly string[];
  readonly strict?: readonly [key: string, value: unknown];
}

const CLIENTS: readonly Client[] = [
  {
    agent: 'claude-code',
    folder: '.claude',
    files: ['.claude/settings.json'],
    event: 'PreToolUse',
    switches: ['.claude/settings.json', '.claude/settings.local.json'],
    strict: ['onFailure', 'block'],
  },
  {
    agent: 'cursor',
    folder: '.cursor',
    files: ['.cursor/hooks.json'],
    event: 'beforeShellExecution',
    strict: ['failClosed', true],
  },
  { agent: 'codex', folder: '.codex', files: ['.codex/hooks.json'], event: 'PreToolUse' },
  { agent: 'gemini', folder: '.gemini', files: ['.gemini/settings.json'], event: 'BeforeTool' },
  { agent: 'windsurf', folder: '.codeium/windsurf', files: ['.codeium/windsurf/hooks.json'], event: 'pre_run_command' },
  { agent: 'droid', folder: '.factory', files: ['.factory/hooks.json'], event: 'PreToolUse' },
  { agent: 'kiro', folder: '.kiro', files: ['.kiro/hooks/'], event: 'PreToolUse' },
  {
    agent: 'goose',
    folder: '.config/goose',
    files: ['.agents/plugins/toolgate/hooks/hooks.json'],
    event: 'PreToolUse',
    strict: ['on_failure', 'block'],
  },
  { agent: 'copilot', folder: '.copilot', files: ['.copilot/hooks/'], event: 'preToolUse' },
];

/** Of each client that is installed. `projects`: folders whose own files may switch hooks off. */
export function guardsOf(home: string, projects: readonly string[]): Guard[] {
  return CLIENTS.filter(({ folder }) => existsSync(join(home, folder))).map((client) => {
    const { agent, files, event, switches = [], strict } = client;
    const guard = (state: GuardState, file: string, lacks: string | null = null): Guard => ({
      agent,
      state,
      file,
      lacks,
    });
    const found = files
      .flatMap((file) => filesAt(join(home, file)))
      .flatMap((file) => entriesOf(readJson(file), event).map((entry) => ({ file, entry })))
      .find(({ entry }) => isOurs(entry, agent));
    if (found === undefined) return guard('missing', join(home, files[0]!));
    const off = [home, ...projects]
      .flatMap((folder) => switches.map((file) => join(folder, file)))
      .find((file) => isOff(readJson(file)));
    if (off !== undefined) return guard('off', off);
    const program = /[^'"\s]*toolgate\.c?js/.exec(wordsOf(found.entry))?.[0];
    if (program !== undefined && !existsSync(program)) return guard('stale', found.file);
    const lacks = strict === undefined || found.entry[strict[0]] === strict[1] ? null : strict[0];
    return guard('guarded', found.file, lacks);
  });
}

function filesAt(path: string): string[] {
  if (!path.endsWith('/')) return [path];
  return existsSync(path)
    ? readdirSync(path)
        .filter((name) => name.endsWith('.json'))
        .map((name) => join(path, name))
    : [];
}

/** The hooks of an event, in groups or not. */
function entriesOf(value: unknown, event: string): Record<string, unknown>[] {
  const events = isObject(value) && isObject(value['hooks']) ? value['hooks'] : value;
  const hooks = isObject(events) ? events[event] : undefined;
  return (Array.isArray(hooks) ? hooks : [])
    .filter(isObject)
    .flatMap((each) => (Array.isArray(each['hooks']) ? each['hooks'].filter(isObject) : [each]));
}

function isOurs(entry: Record<string, unknown>, agent: string): boolean {
  const words = wordsOf(entry);
  return words.includes('toolgate') && /\bhook\b/.test(words) && new RegExp(`\\b${agent}\\b`).test(words);
}

function wordsOf({ command, exec, args }: Record<string, unknown>): string {
  return [command, exec, ...(Array.isArray(args) ? args : [])].filter((each) => typeof each === 'string').join(' ');
}

function isOff(value: unknown): boolean {
  return isObject(value) && value['disableAllHooks'] === true;
}

function readJson(file: string): unknown {
  try {
    return parse(readFileSync(file, 'utf8'), [], { allowTrailingComma: true });
  } catch {
    return null;
  }
}
