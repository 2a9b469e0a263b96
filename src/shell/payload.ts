/**
 * What an agent's hook asks: each agent's JSON in its own form, read into one. The form is told by its keys, since some
 * agents load the hooks of others. Pure.
 */
import { resolve } from 'node:path';
import { isObject, type JsonObject, type JsonValue } from '../call.ts';
import { quoted } from '../catalog/shell-line.ts';

/** The agents that are spoken to, by the word on the command line, with the name that policies know them by. */
export const HOOK_AGENTS = {
  'claude-code': 'Claude Code',
  cursor: 'Cursor',
  codex: 'OpenAI Codex',
  gemini: 'Gemini CLI',
  copilot: 'GitHub Copilot CLI',
  vscode: 'VS Code (Copilot)',
} as const;
export type HookAgent = keyof typeof HOOK_AGENTS;

export interface HookEvent {
  /** whose form the payload has: its answer takes the same */
  readonly form: HookAgent;
  /** the agent's own session; empty if it names none */
  readonly session: string;
  /** the folder that the agent works in, as its client says; null if it doesn't */
  readonly workspace: string | null;
  /** the folder that the command would run in, which the agent may choose; null if nobody says */
  readonly cwd: string | null;
  /** the event as the agent names it, such as PreToolUse */
  readonly event: string;
  /** null where nothing of ours is asked: another event, or a tool that runs no command */
  readonly command: HookCommand | null;
}

export interface HookCommand {
  readonly text: string;
  /** `powershell`: no shell whose lines are read word by word */
  readonly shell: 'posix' | 'powershell';
}

/** Events after which the agent waits for an answer before a tool runs. */
const BEFORE_A_TOOL = new Set(['PreToolUse', 'preToolUse', 'BeforeTool', 'PermissionRequest', 'permissionRequest']);
const CURSOR_SHELL = 'beforeShellExecution';
/** Tools that run what stands in their `command`; another that has one and is called alike does too. */
const SHELL_TOOLS =
  /^(bash|monitor|shell|powershell|execute|run_?shell_?command|run_?in_?terminal|run_?terminal_?command|execute_bash)$/i;
const LIKE_A_SHELL = /shell|bash|terminal|exec|command|powershell|stdin|task/i;
/** What it is called that a shell is given: a line, or what is typed into one that runs. */
const COMMAND_KEYS = ['command', 'cmd', 'command_line', 'commandLine', 'input', 'chars', 'text'];

/** Throws with a sentence where a payload can't be read: then the command doesn't run. */
export function readPayload(text: string, agent: HookAgent): HookEvent {
  let payload: unknown;
  try {
    payload = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new Error(`its payload is not JSON: ${(error as Error).message}`);
  }
  if (!isObject(payload)) throw new Error('its payload is no JSON object');
  const form = formOf(payload, agent);
  const event = textOf(payload, 'hook_event_name', 'hookEventName', 'hookName') ?? 'preToolUse';
  const cwd = textOf(payload, 'cwd') ?? firstText(payload['workspace_roots']);
  const around = {
    form,
    event,
    cwd,
    workspace: cwd,
    session: textOf(payload, 'session_id', 'sessionId', 'conversation_id') ?? '',
  };
  if (event === CURSOR_SHELL)
    return { ...around, command: { text: commandIn({ command: payload['command'] ?? null }, event), shell: 'posix' } };
  // Copilot's camel form names no event; what has a result already ran.
  if (!BEFORE_A_TOOL.has(event) || payload['toolResult'] !== undefined) return { ...around, command: null };
  const tool = textOf(payload, 'tool_name', 'toolName');
  if (tool === null) throw new Error('its payload names no tool');
  const input = inputIn(payload);
  const isShell = SHELL_TOOLS.test(tool) || (LIKE_A_SHELL.test(tool) && commandsIn(input, 0).length > 0);
  if (!isShell) return { ...around, command: null };
  const folder = textOf(input, 'cwd', 'dir_path', 'directory', 'workdir', 'working_directory');
  return {
    ...around,
    cwd: folder === null ? cwd : resolve(cwd ?? '/', folder),
    command: { text: commandIn(input, tool), shell: /powershell|pwsh/i.test(tool) ? 'powershell' : 'posix' },
  };
}

/** Which agent's form it is; the one on the command line where no key tells. */
function formOf(payload: JsonObject, agent: HookAgent): HookAgent {
  const has = (...keys: string[]) => keys.every((key) => payload[key] !== undefined);
  if (has('cursor_version') || has('conversation_id')) return 'cursor';
  if (has('toolName') || has('toolArgs')) return 'copilot';
  if (has('sessionId', 'hookEventName')) return 'vscode';
  if (payload['hook_event_name'] === 'BeforeTool') return 'gemini';
  if (has('turn_id', 'model')) return 'codex';
  // These two differ from Claude Code's form by nothing that is always there.
  return agent === 'codex' || agent === 'copilot' || agent === 'vscode' ? agent : 'claude-code';
}

/** Some agents write the input as text. */
function inputIn(payload: JsonObject): JsonObject {
  const input = payload['tool_input'] ?? payload['toolArgs'] ?? {};
  const value: unknown = typeof input === 'string' ? parsed(input) : input;
  if (!isObject(value)) throw new Error('its payload holds no input of the tool');
  return value;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error("the tool's input in its payload is not JSON");
  }
}

/** All that may be run of an input, one below the other: which key counts only the agent knows. */
function commandIn(input: JsonObject, tool: string): string {
  const lines = commandsIn(input, 0);
  if (lines.length === 0 || lines.includes(null)) throw new Error(`its payload holds no command for ${tool}`);
  const line = lines.join('\n');
  // Some shells leave it out, and then run another word than the one that was read.
  if (line.includes('\0')) throw new Error('its payload holds a command with a NUL in it');
  return line;
}

const MAX_DEPTH = 4;

/** Null for one that can't be read. */
function commandsIn(input: JsonObject, depth: number): (string | null)[] {
  return Object.entries(input).flatMap(([key, value]) => {
    if (COMMAND_KEYS.includes(key)) {
      const words = Array.isArray(value) && value.every((word) => typeof word === 'string') ? value : null;
      const args = key === 'command' && Array.isArray(input['args']) ? input['args'].map(String).map(quoted) : [];
      if (typeof value === 'string') return [[value, ...args].join(' ')];
      if (words !== null) return [words.map(quoted).join(' ')];
      if (!isObject(value)) return [null];
    }
    return isObject(value) && depth < MAX_DEPTH ? commandsIn(value, depth + 1) : [];
  });
}

function textOf(object: JsonObject, ...keys: string[]): string | null {
  for (const key of keys) {
    const value = object[key];
    if (typeof value === 'string' && value !== '') return value;
  }
  return null;
}

function firstText(value: JsonValue | undefined): string | null {
  return Array.isArray(value) && typeof value[0] === 'string' ? value[0] : null;
}
