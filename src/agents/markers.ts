/**
 * Signs that a command is run by an agent and not by a person: the variables that agents set for what they run, and
 * their own processes. They are claims, and an agent that wants to can take them away: a seat belt (docs/security.md).
 */

/** Set by the agent for the commands that it runs; a variable with a value counts only with that value. */
const VARIABLES: readonly (readonly [agent: string, ...variables: string[]])[] = [
  ['Claude Code', 'CLAUDECODE', 'CLAUDE_CODE'],
  ['OpenAI Codex', 'CODEX_SANDBOX', 'CODEX_CI', 'CODEX_THREAD_ID'],
  ['Gemini CLI', 'GEMINI_CLI'],
  ['Cursor', 'CURSOR_AGENT'],
  ['GitHub Copilot CLI', 'COPILOT_ALLOW_ALL'],
  ['OpenCode', 'OPENCODE'],
  ['Amp', 'AMP_CURRENT_THREAD_ID'],
  ['Augment', 'AUGMENT_AGENT'],
  ['Google Antigravity', 'ANTIGRAVITY_AGENT'],
  ['Crush', 'CRUSH'],
  ['Qwen Code', 'QWEN_CODE'],
  ['Pi', 'PI_CODING_AGENT'],
];

/** Names of agents that live in a terminal. An editor is none: people type in its terminals too. */
const PROGRAMS = new Map<string, string>([
  ['claude', 'Claude Code'],
  ['codex', 'OpenAI Codex'],
  ['gemini', 'Gemini CLI'],
  ['cursor-agent', 'Cursor'],
  ['copilot', 'GitHub Copilot CLI'],
  ['opencode', 'OpenCode'],
  ['goose', 'Goose'],
  ['goosed', 'Goose'],
  ['amp', 'Amp'],
  ['droid', 'Factory Droid'],
  ['aider', 'Aider'],
  ['crush', 'Crush'],
  ['qwen', 'Qwen Code'],
  ['devin', 'Devin'],
]);

/** Packages of agents that a runtime starts from a script named `cli` or `index`. */
const PACKAGES = new Map<string, string>([
  ['claude-code', 'Claude Code'],
  ['gemini-cli', 'Gemini CLI'],
  ['qwen-code', 'Qwen Code'],
  ['opencode-ai', 'OpenCode'],
]);

/** A process above ours: the name that it gives itself, and its command line. */
export interface Ancestor {
  readonly name: string;
  readonly args: readonly string[];
}

/** What shows that an agent runs this, in words; null if nothing does. */
export function agentSign(
  env: Readonly<Record<string, string | undefined>>,
  ancestors: readonly Ancestor[],
): string | null {
  const named = [env['AI_AGENT'], env['AGENT']].find((value) => value !== undefined && value !== '');
  if (named !== undefined) return `the environment says that ${named} runs this`;
  for (const [agent, ...variables] of VARIABLES) {
    const found = variables.find((name) => env[name] !== undefined && env[name] !== '');
    if (found !== undefined) return `the environment variable ${found} says that ${agent} runs this`;
  }
  for (const { name, args } of ancestors) {
    const agent = PROGRAMS.get(baseName(name)) ?? agentStarted(args);
    if (agent !== undefined) return `it is run by ${agent} (process ${name})`;
  }
  return null;
}

/** By the program, or by the script that a runtime was given. */
function agentStarted([program = '', ...args]: readonly string[]): string | undefined {
  const direct = PROGRAMS.get(baseName(program));
  if (direct !== undefined || !RUNTIMES.test(baseName(program))) return direct;
  const script = args.find((arg) => !arg.startsWith('-')) ?? '';
  const folder = script.split(/[/\\]/).find((part) => PACKAGES.has(part));
  return folder === undefined ? PROGRAMS.get(baseName(script)) : PACKAGES.get(folder);
}

const RUNTIMES = /^(node|bun|deno|python[\d.]*|npx|uvx|bunx)$/;

/** `/usr/bin/claude.exe` is `claude`. */
function baseName(path: string): string {
  return (path.split(/[/\\]/).at(-1) ?? '').replace(/\.(exe|cjs|mjs|js|py)$/i, '').toLowerCase();
}
