/**
 * What an agent's hook asks: each agent's JSON in its own form, read into one. The form is told by its keys, since some
 * agents load the hooks of others. Pure.
 */
import { resolve } from 'node:path';
import { isObject, type JsonObject, type JsonValue } from '../call.ts';
import { quoted } from '../catalog/shell-line.ts';
import { patchedPaths } from '../catalog/touching.ts';

/** The agents that are spoken to, by the word on the command line, with the name that policies know them by. */
export const HOOK_AGENTS = {
  'claude-code': 'Claude Code',
  cursor: 'Cursor',
  codex: 'OpenAI Codex',
  gemini: 'Gemini CLI',
  copilot: 'GitHub Copilot CLI',
  vscode: 'VS Code (Copilot)',
  windsurf: 'Windsurf',
  cline: 'Cline',
  droid: 'Factory Droid',
  goose: 'Goose',
  kiro: 'Kiro',
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
  /** the agent's own id of this use of a tool; null if it has none */
  readonly toolUse: string | null;
  /** whether it may still be kept from running; else it already ran */
  readonly isBefore: boolean;
  /** null where nothing of ours is asked: another event, or a tool that does nothing that is judged here */
  readonly asks: HookAsks | null;
}

export type HookAsks = HookCommand | HookFiles | HookMcp;

export interface HookCommand {
  readonly kind: 'command';
  readonly text: string;
  /** `powershell`: no shell whose lines are read word by word */
  readonly shell: 'posix' | 'powershell';
}

/** Files that a tool of the agent's own looks into or changes. */
export interface HookFiles {
  readonly kind: 'files';
  readonly tool: string;
  readonly input: JsonObject;
  /** as they are written, some may be patterns */
  readonly paths: readonly string[];
  readonly reads: boolean;
}

/** A tool of an MCP server that the agent's client has started or is connected to by itself. */
export interface HookMcp {
  readonly kind: 'mcp';
  /** as the client calls the server; null if nobody says */
  readonly server: string | null;
  readonly tool: string;
  readonly args: JsonObject;
  /** how the client starts or reaches it; null if the payload doesn't say */
  readonly launch: McpLaunch | null;
}

export interface McpLaunch {
  readonly command?: string | undefined;
  readonly args?: readonly string[] | undefined;
  readonly env?: Readonly<Record<string, unknown>> | undefined;
  readonly url?: string | undefined;
}

/** Events after which the agent waits for an answer before a tool runs. */
const BEFORE_A_TOOL = new Set(['pretooluse', 'beforetool', 'permissionrequest']);
const AFTER_A_TOOL = new Set([
  'posttooluse',
  'aftertool',
  'posttoolusefailure',
  'aftershellexecution',
  'aftermcpexecution',
]);
/** Tools that run what stands in their `command`; another that has one and is called alike does too. */
const SHELL_TOOLS =
  /^(bash|monitor|shell|powershell|execute|run_?shell_?command|run_?in_?terminal|run_?terminal_?command|execute_?(bash|command)|run_?commands|developer__shell)$/i;
const LIKE_A_SHELL = /shell|bash|terminal|exec|command|powershell|stdin|task/i;
/** What it is called that a shell is given: a line, or what is typed into one that runs. */
const COMMAND_KEYS = ['command', 'commands', 'cmd', 'command_line', 'commandLine', 'input', 'chars', 'text'];

/** Throws with a sentence where a payload can't be read: then the command doesn't run. */
export function readPayload(text: string, agent: HookAgent): HookEvent {
  let payload: unknown;
  try {
    payload = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new Error(`its payload is not JSON: ${(error as Error).message}`);
  }
  if (!isObject(payload)) throw new Error('its payload is no JSON object');
  return readAs(formOf(payload, agent), flattened(payload));
}

/** Some agents put what is asked one level down. */
function flattened(payload: JsonObject): JsonObject {
  const windsurf = payload['tool_info'];
  if (isObject(windsurf)) {
    const event = textOf(payload, 'agent_action_name') ?? '';
    const isMcp = event.endsWith('mcp_tool_use');
    return {
      ...payload,
      hook_event_name: event.startsWith('post_') ? 'PostToolUse' : 'PreToolUse',
      session_id: payload['trajectory_id'] ?? '',
      tool_use_id: payload['execution_id'] ?? null,
      cwd: windsurf['cwd'] ?? null,
      tool_name: isMcp
        ? `mcp__${textOf(windsurf, 'mcp_server_name') ?? ''}__${textOf(windsurf, 'mcp_tool_name') ?? ''}`
        : event.replace(/^(pre|post)_/, '').replace('run_command', 'run_shell_command'),
      tool_input: isMcp ? (windsurf['mcp_tool_arguments'] ?? {}) : windsurf,
    };
  }
  const cline = payload['preToolUse'] ?? payload['postToolUse'];
  if (isObject(cline)) {
    const input = isObject(cline['parameters']) ? cline['parameters'] : {};
    const tool = textOf(cline, 'tool', 'toolName') ?? '';
    const isMcp = tool === 'use_mcp_tool' || tool === 'access_mcp_resource';
    return {
      ...payload,
      workspace_roots: payload['workspaceRoots'] ?? null,
      session_id: payload['taskId'] ?? '',
      tool_name: isMcp ? `mcp__${textOf(input, 'server_name') ?? ''}__${textOf(input, 'tool_name') ?? tool}` : tool,
      tool_input: isMcp ? argumentsIn(input) : input,
    };
  }
  return payload;
}

function argumentsIn(input: JsonObject): JsonValue {
  return input['arguments'] ?? {};
}

function readAs(form: HookAgent, payload: JsonObject): HookEvent {
  const event = textOf(payload, 'hook_event_name', 'hookEventName', 'hookName', 'event') ?? 'preToolUse';
  const cwd = textOf(payload, 'cwd', 'working_dir') ?? firstText(payload['workspace_roots']);
  const around = {
    form,
    event,
    cwd,
    workspace: cwd,
    session: textOf(payload, 'session_id', 'sessionId', 'conversation_id') ?? '',
    toolUse: textOf(payload, 'tool_use_id', 'toolUseId', 'toolCallId', 'tool_call_id'),
    // Copilot's camel form names no event; what has a result already ran.
    isBefore: !AFTER_A_TOOL.has(event.toLowerCase()) && (payload['toolResult'] ?? null) === null,
  };
  switch (event) {
    case 'beforeShellExecution':
    case 'afterShellExecution': {
      const text = commandIn({ command: payload['command'] ?? null }, event);
      return { ...around, asks: { kind: 'command', text, shell: 'posix' } };
    }
    case 'beforeMCPExecution':
    case 'afterMCPExecution':
      return { ...around, asks: mcpOf(null, nameOf(payload), inputIn(payload), payload) };
    case 'beforeReadFile': {
      const asks = filesOf('beforeReadFile', payload);
      if (asks === null) throw new Error('its payload names no file');
      return { ...around, asks };
    }
  }
  const moment = event.toLowerCase();
  if (!BEFORE_A_TOOL.has(moment) && !AFTER_A_TOOL.has(moment)) return { ...around, asks: null };
  const tool = nameOf(payload);
  const input = inputIn(payload);
  const mcp = SHELL_TOOLS.test(tool) ? null : mcpTool(payload, tool, input, form);
  if (mcp !== null) return { ...around, asks: mcp };
  const isShell = SHELL_TOOLS.test(tool) || (LIKE_A_SHELL.test(tool) && commandsIn(input, 0).length > 0);
  if (!isShell) return { ...around, asks: filesOf(tool, input) };
  const folder = textOf(input, 'cwd', 'dir_path', 'directory', 'workdir', 'working_directory');
  return {
    ...around,
    cwd: folder === null ? cwd : resolve(cwd ?? '/', folder),
    asks: {
      kind: 'command',
      text: commandIn(input, tool),
      shell: /powershell|pwsh/i.test(tool) ? 'powershell' : 'posix',
    },
  };
}

function nameOf(payload: JsonObject): string {
  const tool = textOf(payload, 'tool_name', 'toolName');
  if (tool === null) throw new Error('its payload names no tool');
  return tool;
}

/** A tool of an MCP server, by how the agent writes its name. */
function mcpTool(payload: JsonObject, tool: string, input: JsonObject, form: HookAgent): HookMcp | null {
  const context = payload['mcp_context'];
  if (isObject(context))
    return mcpOf(textOf(context, 'server_name'), textOf(context, 'tool_name') ?? tool, input, context);
  const named =
    /^mcp__(.*?)__(.+)$/s.exec(tool) ??
    /^@([^/]+)\/(.+)$/s.exec(tool) ??
    /^mcp_([^_]+)_(.+)$/s.exec(tool) ??
    /^MCP:\s*()(.+)$/s.exec(tool);
  if (named === null && form === 'goose' && !/^(developer|platform)__/.test(tool)) {
    const [, server, name] = /^(.+?)__(.+)$/s.exec(tool) ?? [];
    return name === undefined ? null : mcpOf(server!, name, input, payload);
  }
  if (named === null && form === 'copilot') {
    const [, server, name] = /^(.+)-([^-]+)$/s.exec(tool) ?? [];
    return name === undefined ? null : mcpOf(server!, name, input, payload);
  }
  if (named === null) return null;
  const server = payload['mcp_server'];
  return mcpOf(named[1] || null, named[2]!, input, isObject(server) ? server : payload);
}

function mcpOf(server: string | null, tool: string, args: JsonObject, launch: JsonObject): HookMcp {
  const url = textOf(launch, 'url');
  const given = launch['args'];
  const written = textOf(launch, 'command');
  // Cursor gives the command and its words as one text.
  const words = Array.isArray(given) ? given.map(String) : (written ?? '').split(/\s+/).slice(1);
  const command = Array.isArray(given) ? written : (written?.split(/\s+/)[0] ?? null);
  const env = launch['env'];
  const known = {
    ...(command !== null && { command, args: words }),
    ...(url !== null && { url }),
    ...(isObject(env) && { env }),
  };
  return { kind: 'mcp', server, tool, args, launch: Object.keys(known).length === 0 ? null : known };
}

const READING_TOOLS = /^(before)?_?(read|view|open|get|list|ls|cat|grep|glob|search|find|notebook_?read)/i;
/** What is called like a reader and changes all the same: `search_replace`. */
const CHANGES = /edit|write|replace|delete|create|patch|move|insert|rename|remove/i;
const PATH_KEYS =
  /(path|file|uri|dir|directory|folder|root|notebook|file_?name)s?$|^(target|dest|destination|source|from|to|output|glob|include)$/i;

/** A tool that says which files it is about. */
function filesOf(tool: string, input: JsonObject): HookFiles | null {
  const paths = [...pathsIn(input, 0), ...(/patch|diff/i.test(tool) ? patchedIn(input) : [])];
  if (paths.length === 0) return null;
  const reads =
    (READING_TOOLS.test(tool) && !CHANGES.test(tool)) || (/editor/i.test(tool) && input['command'] === 'view');
  return { kind: 'files', tool, input, paths, reads };
}

function pathsIn(input: JsonObject, depth: number): string[] {
  return Object.entries(input).flatMap(([key, value]) => {
    if (depth < MAX_DEPTH && isObject(value)) return pathsIn(value, depth + 1);
    const values = Array.isArray(value) ? value : [value];
    return values.flatMap((each) => {
      if (typeof each === 'string') return PATH_KEYS.test(key) ? [each.replace(/^file:\/\//i, '')] : [];
      return isObject(each) && depth < MAX_DEPTH ? pathsIn(each, depth + 1) : [];
    });
  });
}

/** The files of a patch, in the forms in which agents write one. */
function patchedIn(input: JsonObject): string[] {
  return Object.values(input).flatMap((value) => (typeof value === 'string' ? patchedPaths(value) : []));
}

/** Which agent's form it is; the one on the command line where no key tells. */
function formOf(payload: JsonObject, agent: HookAgent): HookAgent {
  const has = (...keys: string[]) => keys.every((key) => payload[key] !== undefined);
  if (has('agent_action_name')) return 'windsurf';
  if (has('clineVersion')) return 'cline';
  if (has('matcher_context')) return 'goose';
  if (has('cursor_version') || has('conversation_id')) return 'cursor';
  if (has('toolName') || has('toolArgs')) return 'copilot';
  if (has('sessionId', 'hookEventName')) return 'vscode';
  if (payload['hook_event_name'] === 'BeforeTool') return 'gemini';
  if (has('turn_id', 'model')) return 'codex';
  // These differ from Claude Code's form by nothing that is always there.
  return LIKE_CLAUDE.has(agent) ? agent : 'claude-code';
}

const LIKE_CLAUDE: ReadonlySet<HookAgent> = new Set(['codex', 'copilot', 'vscode', 'droid', 'kiro']);

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
      // Lines, one after the other.
      if (key === 'commands' && Array.isArray(value))
        return value.map((line) => (typeof line === 'string' ? line : null));
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
