/** What a hook answers, in the form of each agent. Pure. */
import type { HookAgent, HookEvent } from './payload.ts';

export interface HookAnswer {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: 0 | 2;
}

/** Nothing objects. That is no leave either: the agent's own questions still come. */
export function noDecision(form: HookAgent): HookAnswer {
  return { stdout: NO_DECISION[form], stderr: '', exitCode: 0 };
}

/** Cursor takes silence for a failure where it is told to fail closed; Gemini wants JSON. */
const NO_DECISION: Record<HookAgent, string> = {
  'claude-code': '',
  cursor: '{"permission":"allow"}\n',
  codex: '',
  gemini: '{}\n',
  copilot: '',
  vscode: '',
  windsurf: '',
  cline: '{"cancel":false}\n',
  droid: '',
  goose: '',
  kiro: '',
};

/** Said twice, as agents listen in one place or the other: exit 2 with the reason on stderr, and JSON on stdout. */
export function deny({ form, event }: Pick<HookEvent, 'form' | 'event'>, reason: string): HookAnswer {
  // One that is told nothing lets the command run.
  const why = reason.trim() === '' ? 'toolgate does not let this run' : reason;
  const stdout = `${JSON.stringify(denial(form, event, why))}\n`;
  // Cline takes every other end than this one for a hook that is broken, and goes on.
  return { stdout, stderr: `${why}\n`, exitCode: form === 'cline' ? 0 : 2 };
}

function denial(form: HookAgent, event: string, reason: string): object {
  switch (form) {
    case 'cursor':
      return { permission: 'deny', user_message: reason, agent_message: reason };
    case 'gemini':
      return { decision: 'deny', reason };
    case 'goose':
      return { decision: 'block', reason };
    case 'cline':
      return { cancel: true, errorMessage: reason };
    case 'copilot':
      return { permissionDecision: 'deny', permissionDecisionReason: reason };
    default:
      return event === 'PermissionRequest'
        ? { hookSpecificOutput: { hookEventName: event, decision: { behavior: 'deny', message: reason } } }
        : {
            hookSpecificOutput: {
              hookEventName: 'PreToolUse',
              permissionDecision: 'deny',
              permissionDecisionReason: reason,
            },
          };
  }
}
