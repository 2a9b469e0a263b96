/** The configuration that makes an agent ask toolgate before it runs a command, to be pasted. Pure. */

import { quoted } from '../catalog/shell-line.ts';
import type { HookAgent } from './payload.ts';

/** How long an agent waits for the hook; it answers by itself before that. */
export const HOOK_TIMEOUT_MS = 330_000;

/** How long looking back at what ran may take. */
const AFTER_SECONDS = 30;

/** What becomes of a command whose hook can't answer. toolgate itself answers in time, and every failure that it notices is a refusal. */
export const WHEN_IT_HANGS: Record<HookAgent, string> = {
  'claude-code': "a hook that hangs or is killed: the command doesn't run (before Claude Code 2.1.295: it runs)",
  cursor: "a hook that hangs or is killed: the command doesn't run",
  codex: 'a hook that hangs or is killed: the command runs',
  gemini: 'a hook that hangs or is killed: the command runs',
  copilot: "a hook that is killed: the command doesn't run; one that hangs: it runs",
  vscode: 'a hook that hangs or is killed: the command runs',
  windsurf: 'a hook that hangs or is killed: the command runs',
  cline: 'a hook that hangs or is killed: the command runs',
  droid: 'a hook that hangs or is killed: the command runs',
  goose: "a hook that hangs or is killed: the command doesn't run",
  kiro: 'a hook that hangs or is killed: the command runs',
};

export interface Registration {
  /** where it goes */
  readonly file: string;
  /** what else must be done or known */
  readonly notes: readonly string[];
  /** JSON, or the text of a script */
  readonly config: object | string;
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
                matcher: 'Bash|PowerShell|Monitor|Read|Edit|MultiEdit|Write|NotebookEdit|mcp__.*',
                hooks: [
                  { type: 'command', command: clean[0], args: clean.slice(1), timeout: seconds, onFailure: 'block' },
                ],
              },
            ],
            PostToolUse: [
              {
                matcher: 'Bash|PowerShell|Monitor|mcp__.*',
                hooks: [{ type: 'command', command: clean[0], args: clean.slice(1), timeout: AFTER_SECONDS }],
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
                matcher: '^(Bash|shell|local_shell|exec_command|write_stdin|apply_patch|mcp__.*)$',
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
          hooks: {
            beforeShellExecution: [{ command: line, timeout: seconds, failClosed: true }],
            beforeMCPExecution: [{ command: line, timeout: seconds, failClosed: true }],
            beforeReadFile: [{ command: line, timeout: seconds, failClosed: true }],
            preToolUse: [{ matcher: 'Write|StrReplace|Delete', command: line, timeout: seconds, failClosed: true }],
            afterShellExecution: [{ command: line, timeout: AFTER_SECONDS }],
            afterMCPExecution: [{ command: line, timeout: AFTER_SECONDS }],
          },
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
                matcher: 'run_shell_command|read_file|read_many_files|write_file|replace|mcp_.*',
                hooks: [{ name: 'toolgate', type: 'command', command: line, timeout: HOOK_TIMEOUT_MS }],
              },
            ],
            AfterTool: [
              {
                matcher: 'run_shell_command|mcp_.*',
                hooks: [{ name: 'toolgate', type: 'command', command: line, timeout: AFTER_SECONDS * 1000 }],
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
            postToolUse: [{ type: 'command', exec: clean[0], args: clean.slice(1), timeoutSec: AFTER_SECONDS }],
          },
        },
      };
    case 'vscode':
      return {
        file: '~/.copilot/hooks/toolgate-vscode.json',
        notes: ['VS Code lets the command run if the hook is killed.'],
        config: {
          hooks: {
            PreToolUse: [{ type: 'command', command: line, timeout: seconds }],
            PostToolUse: [{ type: 'command', command: line, timeout: AFTER_SECONDS }],
          },
        },
      };
    case 'windsurf': {
      const entry = [{ command: line, show_output: true }];
      return {
        file: '~/.codeium/windsurf/hooks.json',
        notes: ['Windsurf lets the command run if the hook is killed.'],
        config: {
          hooks: {
            pre_run_command: entry,
            pre_mcp_tool_use: entry,
            pre_read_code: entry,
            pre_write_code: entry,
            post_run_command: entry,
            post_mcp_tool_use: entry,
          },
        },
      };
    }
    case 'cline':
      return {
        file: '~/Documents/Cline/Hooks/PreToolUse',
        notes: [
          'It is a script: make it executable (chmod +x). Cline takes one such file of each folder; its command line looks for ~/.cline/hooks/PreToolUse.',
          'Cline lets the command run if the hook is killed, and its --yolo switches hooks off.',
        ],
        config: `#!/bin/sh\n${clean.map(quoted).join(' ')} || echo '{"cancel":true,"errorMessage":"toolgate could not judge this"}'`,
      };
    case 'droid':
      return {
        file: '~/.factory/hooks.json',
        notes: ['Droid lets the command run if the hook is killed.'],
        config: {
          PreToolUse: [
            {
              matcher: 'Execute|Read|Edit|MultiEdit|Create|ApplyPatch|mcp__.*',
              hooks: [{ type: 'command', command: line, timeout: seconds }],
            },
          ],
          PostToolUse: [
            { matcher: 'Execute|mcp__.*', hooks: [{ type: 'command', command: line, timeout: AFTER_SECONDS }] },
          ],
        },
      };
    case 'goose':
      return {
        file: '~/.agents/plugins/toolgate/hooks/hooks.json',
        notes: [],
        config: {
          hooks: {
            PreToolUse: [
              { matcher: '.*', hooks: [{ type: 'command', command: line, timeout: seconds, on_failure: 'block' }] },
            ],
          },
        },
      };
    case 'kiro':
      return {
        file: '~/.kiro/hooks/toolgate.json',
        notes: ['Kiro lets the command run if the hook is killed.'],
        config: {
          hooks: {
            PreToolUse: [{ matcher: '*', command: line, timeout: seconds }],
            PostToolUse: [{ matcher: '*', command: line, timeout: AFTER_SECONDS }],
          },
        },
      };
  }
}
