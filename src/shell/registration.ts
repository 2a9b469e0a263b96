/** The configuration that makes an agent ask toolgate before it runs a command, to be pasted. Pure. */

import { quoted } from '../catalog/shell-line.ts';
import type { HookAgent } from './payload.ts';

/** How long an agent waits for the hook; it answers by itself before that. */
export const HOOK_TIMEOUT_MS = 330_000;

export interface Registration {
  /** where it goes */
  readonly file: string;
  /** what else must be done or known */
  readonly notes: readonly string[];
  readonly config: object;
}

/** `argv`: an absolute Node, the built program, its folders, `hook` and the agent. */
export function registrationOf(agent: HookAgent, argv: readonly string[]): Registration {
  // What changes how Node starts could turn a refusal into leave.
  const clean = ['/usr/bin/env', '-u', 'NODE_OPTIONS', '-u', 'NODE_PATH', '-u', 'NODE_EXTRA_CA_CERTS', ...argv];
  const line = `${clean.map(quoted).join(' ')} || exit 2`;
  const seconds = HOOK_TIMEOUT_MS / 1000;
  switch (agent) {
    case 'claude-code':
      return {
        file: '~/.claude/settings.json',
        notes: [
          'Claude Code before 2.1.295 does not know "onFailure": there a hook that is killed lets the command run.',
        ],
        config: {
          hooks: {
            PreToolUse: [
              {
                matcher: 'Bash|PowerShell|Monitor',
                hooks: [
                  { type: 'command', command: clean[0], args: clean.slice(1), timeout: seconds, onFailure: 'block' },
                ],
              },
            ],
          },
        },
      };
    case 'codex':
      return {
        file: '~/.codex/hooks.json',
        notes: [
          'Codex runs it only once you have trusted it in /hooks, and lets the command run if the hook is killed.',
        ],
        config: {
          hooks: {
            PreToolUse: [
              {
                matcher: '^(Bash|shell|local_shell|exec_command|write_stdin)$',
                hooks: [{ type: 'command', command: line, timeout: seconds }],
              },
            ],
          },
        },
      };
    case 'cursor':
      return {
        file: '~/.cursor/hooks.json',
        notes: [],
        config: {
          version: 1,
          hooks: { beforeShellExecution: [{ command: line, timeout: seconds, failClosed: true }] },
        },
      };
    case 'gemini':
      return {
        file: '~/.gemini/settings.json',
        notes: ['Gemini CLI lets the command run if the hook is killed.'],
        config: {
          hooks: {
            BeforeTool: [
              {
                matcher: 'run_shell_command',
                hooks: [{ name: 'toolgate', type: 'command', command: line, timeout: HOOK_TIMEOUT_MS }],
              },
            ],
          },
        },
      };
    case 'copilot':
      return {
        file: '~/.copilot/hooks/toolgate.json',
        notes: ['Copilot CLI lets the command run if the hook takes longer than its timeout.'],
        config: {
          version: 1,
          hooks: {
            preToolUse: [{ type: 'command', exec: clean[0], args: clean.slice(1), timeoutSec: seconds }],
          },
        },
      };
    case 'vscode':
      return {
        file: '~/.copilot/hooks/toolgate-vscode.json',
        notes: ['VS Code lets the command run if the hook is killed.'],
        config: { hooks: { PreToolUse: [{ type: 'command', command: line, timeout: seconds }] } },
      };
  }
}
