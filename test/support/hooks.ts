/** A house with hooks: what each agent sends, and a real repository with a bare remote behind it. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folder } from './approvals.ts';
import { type Ran, run } from './gate.ts';
import type { Scratch } from './scratch.ts';

export const AGENTS = [
  'claude-code',
  'cursor',
  'codex',
  'gemini',
  'copilot',
  'vscode',
  'windsurf',
  'cline',
  'droid',
  'goose',
  'kiro',
] as const;

/** What an agent whose form is Claude Code's sends before it uses a tool. */
export function toolUse(tool: string, input: object, cwd: string, more: object = {}): object {
  return { session_id: 's', cwd, hook_event_name: 'PreToolUse', tool_name: tool, tool_input: input, ...more };
}

/** What each agent sends before it runs a command in `cwd`. */
export function payload(agent: (typeof AGENTS)[number], command: string, cwd: string): object {
  switch (agent) {
    case 'cursor':
      return { conversation_id: 's', cursor_version: '3', hook_event_name: 'beforeShellExecution', command, cwd };
    case 'gemini':
      return {
        session_id: 's',
        cwd,
        hook_event_name: 'BeforeTool',
        tool_name: 'run_shell_command',
        tool_input: { command },
      };
    case 'copilot':
      return { sessionId: 's', cwd, toolName: 'bash', toolArgs: JSON.stringify({ command }) };
    case 'windsurf':
      return {
        agent_action_name: 'pre_run_command',
        trajectory_id: 's',
        execution_id: 'e',
        timestamp: '2026-11-26T10:00:00Z',
        tool_info: { command_line: command, cwd },
      };
    case 'cline':
      return {
        clineVersion: '4',
        hookName: 'PreToolUse',
        taskId: 's',
        workspaceRoots: [cwd],
        preToolUse: { toolName: 'execute_command', parameters: { command, requires_approval: false } },
      };
    case 'droid':
      return {
        session_id: 's',
        cwd,
        hook_event_name: 'PreToolUse',
        tool_name: 'Execute',
        tool_input: { command },
      };
    case 'goose':
      return {
        event: 'PreToolUse',
        session_id: 's',
        matcher_context: 'developer__shell',
        tool_name: 'developer__shell',
        tool_input: { command },
        working_dir: cwd,
        tool_call_id: 'c',
      };
    case 'kiro':
      return { hook_event_name: 'preToolUse', cwd, tool_name: 'execute_bash', tool_input: { command } };
    case 'vscode':
      return {
        sessionId: 's',
        cwd,
        hookEventName: 'PreToolUse',
        tool_name: 'run_in_terminal',
        tool_input: { command },
      };
    default:
      return {
        session_id: 's',
        ...(agent === 'codex' && { turn_id: 't', model: 'm' }),
        cwd,
        hook_event_name: 'PreToolUse',
        tool_name: 'Bash',
        tool_input: { command },
      };
  }
}

export interface House extends Scratch {
  readonly repository: string;
  /** the commit that the remote's main is at */
  readonly remoteHead: () => string;
  readonly hook: (agent: string, input: object | string, ...flags: string[]) => Promise<Ran>;
  /** asks the hook, and runs the command only if nothing objects, as agents do */
  readonly agentRuns: (agent: (typeof AGENTS)[number], command: string, ...flags: string[]) => Promise<Ran>;
}

/** A repository with one commit that its bare remote doesn't have. */
export function house(policies: string): House {
  const where = folder();
  writeFileSync(join(where.config, 'servers.json'), '{"mcpServers":{}}');
  writeFileSync(join(where.config, 'policies.yaml'), policies);
  const repository = join(where.folder, 'web');
  const remote = join(where.folder, 'remote.git');
  const git = (...args: string[]) =>
    execFileSync('git', args, {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], HOME: where.folder, GIT_CONFIG_NOSYSTEM: '1' },
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  git('init', '-q', '--bare', '-b', 'main', remote);
  git('init', '-q', '-b', 'main', repository);
  const commit = (text: string) => {
    writeFileSync(join(repository, 'a.txt'), text);
    git('-C', repository, 'add', '.');
    git('-C', repository, '-c', 'user.name=A', '-c', 'user.email=a@b.c', 'commit', '-q', '-m', text);
  };
  commit('one');
  git('-C', repository, 'remote', 'add', 'origin', remote);
  git('-C', repository, 'push', '-q', '-u', 'origin', 'main');
  commit('two');
  const hook: House['hook'] = async (agent, input, ...flags) => {
    const answer = await run(where, ['hook', agent, ...flags], {
      input: typeof input === 'string' ? input : JSON.stringify(input),
    });
    // Cline is told in its answer alone.
    const cancels = agent === 'cline' && answer.out !== '' && JSON.parse(answer.out).cancel === true;
    return { ...answer, code: cancels ? 2 : answer.code };
  };
  return {
    ...where,
    repository,
    remoteHead: () => git('-C', remote, 'rev-parse', 'main'),
    hook,
    agentRuns: async (agent, command, ...flags) => {
      const answer = await hook(agent, payload(agent, command, repository), ...flags);
      if (answer.code === 0) execFileSync('sh', ['-c', command], { cwd: repository, stdio: 'ignore' });
      return answer;
    },
  };
}
