/** Each agent's payload in its own form: what is read of it, and how it is answered. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deny, noDecision } from '../../src/shell/answer.ts';
import { HOOK_AGENTS, type HookAgent, readPayload } from '../../src/shell/payload.ts';
import { registrationOf } from '../../src/shell/registration.ts';

const push = { command: 'git push' };

/** What an agent sends, the agent that its hook was installed for, and what is read. */
const PAYLOADS: readonly [string, HookAgent, object, object][] = [
  [
    'Claude Code',
    'claude-code',
    {
      session_id: 's1',
      transcript_path: '/t.jsonl',
      cwd: '/web',
      permission_mode: 'default',
      hook_event_name: 'PreToolUse',
      tool_name: 'Bash',
      tool_input: { ...push, description: 'Push', timeout: 120_000 },
      tool_use_id: 'toolu_1',
    },
    {
      form: 'claude-code',
      session: 's1',
      cwd: '/web',
      event: 'PreToolUse',
      asks: { kind: 'command', text: 'git push', shell: 'posix' },
    },
  ],
  [
    'Claude Code, PowerShell',
    'claude-code',
    { session_id: 's1', cwd: '/web', hook_event_name: 'PreToolUse', tool_name: 'PowerShell', tool_input: push },
    { form: 'claude-code', asks: { kind: 'command', text: 'git push', shell: 'powershell' } },
  ],
  [
    'Claude Code, a monitor',
    'claude-code',
    { session_id: 's1', cwd: '/web', hook_event_name: 'PreToolUse', tool_name: 'Monitor', tool_input: push },
    { asks: { kind: 'command', text: 'git push' } },
  ],
  [
    'Claude Code, another tool',
    'claude-code',
    { session_id: 's1', cwd: '/web', hook_event_name: 'PreToolUse', tool_name: 'Grep', tool_input: { pattern: 'x' } },
    { asks: null, isBefore: true },
  ],
  [
    'Claude Code, another event',
    'claude-code',
    { session_id: 's1', cwd: '/web', hook_event_name: 'SessionStart', source: 'startup' },
    { asks: null },
  ],
  [
    'Cursor, a command',
    'cursor',
    {
      conversation_id: 'c1',
      generation_id: 'g1',
      model: 'm',
      hook_event_name: 'beforeShellExecution',
      cursor_version: '3.21.16',
      workspace_roots: ['/web'],
      user_email: 'ann@acme.com',
      cwd: '',
      ...push,
    },
    {
      form: 'cursor',
      session: 'c1',
      cwd: '/web',
      event: 'beforeShellExecution',
      asks: { kind: 'command', text: 'git push' },
    },
  ],
  [
    'Cursor, any tool',
    'cursor',
    {
      conversation_id: 'c1',
      cursor_version: '3.21.16',
      hook_event_name: 'preToolUse',
      tool_name: 'Shell',
      tool_input: JSON.stringify({ ...push, cwd: 'sub' }),
      cwd: '/web',
    },
    { form: 'cursor', workspace: '/web', cwd: '/web/sub', asks: { kind: 'command', text: 'git push' } },
  ],
  [
    'Codex',
    'codex',
    {
      session_id: 's1',
      turn_id: 't1',
      model: 'm',
      cwd: '/web',
      hook_event_name: 'PreToolUse',
      tool_name: 'Bash',
      tool_input: push,
      tool_use_id: 'u1',
    },
    { form: 'codex', session: 's1', asks: { kind: 'command', text: 'git push' } },
  ],
  [
    'Codex, as words, when it asks for leave',
    'codex',
    {
      turn_id: 't1',
      model: 'm',
      hook_event_name: 'PermissionRequest',
      tool_name: 'shell',
      tool_input: { command: ['git', 'commit', '-m', "it's"], workdir: '/web' },
    },
    {
      form: 'codex',
      event: 'PermissionRequest',
      cwd: '/web',
      asks: { kind: 'command', text: String.raw`'git' 'commit' '-m' 'it'\''s'` },
    },
  ],
  [
    'Gemini CLI',
    'gemini',
    {
      session_id: 's1',
      cwd: '/web',
      hook_event_name: 'BeforeTool',
      timestamp: '2026-11-26T10:00:00Z',
      tool_name: 'run_shell_command',
      tool_input: { ...push, dir_path: 'sub' },
    },
    { form: 'gemini', cwd: '/web/sub', asks: { kind: 'command', text: 'git push' } },
  ],
  [
    'Copilot CLI',
    'copilot',
    { sessionId: 's1', timestamp: 1, cwd: '/web', toolName: 'bash', toolArgs: JSON.stringify(push) },
    { form: 'copilot', session: 's1', asks: { kind: 'command', text: 'git push' } },
  ],
  [
    'Copilot CLI, after the tool',
    'copilot',
    {
      sessionId: 's1',
      cwd: '/web',
      toolName: 'bash',
      toolArgs: JSON.stringify(push),
      toolResult: { resultType: 'success' },
    },
    { isBefore: false, asks: { kind: 'command', text: 'git push' } },
  ],
  [
    'Claude Code, a file',
    'claude-code',
    {
      session_id: 's1',
      cwd: '/web',
      hook_event_name: 'PreToolUse',
      tool_name: 'Edit',
      tool_input: { file_path: '/web/a.ts', old_string: 'a', new_string: 'b' },
      tool_use_id: 'toolu_2',
    },
    { toolUse: 'toolu_2', asks: { kind: 'files', tool: 'Edit', paths: ['/web/a.ts'], reads: false } },
  ],
  [
    'Claude Code, a file to read',
    'claude-code',
    { cwd: '/web', hook_event_name: 'PreToolUse', tool_name: 'Read', tool_input: { file_path: 'a.ts' } },
    { asks: { kind: 'files', paths: ['a.ts'], reads: true } },
  ],
  [
    'Codex, a patch',
    'codex',
    {
      turn_id: 't1',
      model: 'm',
      cwd: '/web',
      hook_event_name: 'PreToolUse',
      tool_name: 'apply_patch',
      tool_input: { command: '*** Begin Patch\n*** Update File: a.ts\n*** Move to: b.ts\n@@\n-x\n+y\n*** End Patch' },
    },
    { asks: { kind: 'files', paths: ['a.ts', 'b.ts'], reads: false } },
  ],
  [
    'Gemini CLI, several files',
    'gemini',
    {
      cwd: '/web',
      hook_event_name: 'BeforeTool',
      tool_name: 'read_many_files',
      tool_input: { paths: ['a.ts', 'b.ts'] },
    },
    { asks: { kind: 'files', paths: ['a.ts', 'b.ts'], reads: true } },
  ],
  [
    'Cursor, a file to read',
    'cursor',
    { conversation_id: 'c1', cursor_version: '3', hook_event_name: 'beforeReadFile', file_path: '/web/a.ts' },
    { asks: { kind: 'files', paths: ['/web/a.ts'], reads: true } },
  ],
  [
    'Copilot CLI, an edit',
    'copilot',
    {
      sessionId: 's1',
      cwd: '/web',
      toolName: 'str_replace_editor',
      toolArgs: JSON.stringify({ command: 'create', path: '/web/a.ts' }),
    },
    { asks: { kind: 'files', paths: ['/web/a.ts'], reads: false } },
  ],
  [
    'Claude Code, a tool of an MCP server',
    'claude-code',
    {
      session_id: 's1',
      cwd: '/web',
      hook_event_name: 'PreToolUse',
      tool_name: 'mcp__git_hub__create_issue',
      tool_input: { title: 'x' },
    },
    { asks: { kind: 'mcp', server: 'git_hub', tool: 'create_issue', args: { title: 'x' }, launch: null } },
  ],
  [
    'Claude Code, a tool of a gate',
    'claude-code',
    { cwd: '/web', hook_event_name: 'PreToolUse', tool_name: 'mcp__toolgate__github__create_issue', tool_input: {} },
    { asks: { kind: 'mcp', server: 'toolgate', tool: 'github__create_issue' } },
  ],
  [
    'Cursor, a tool of an MCP server',
    'cursor',
    {
      conversation_id: 'c1',
      cursor_version: '3',
      hook_event_name: 'beforeMCPExecution',
      tool_name: 'create_issue',
      tool_input: '{"title":"x"}',
      command: 'npx -y @modelcontextprotocol/server-github',
    },
    {
      asks: {
        kind: 'mcp',
        server: null,
        tool: 'create_issue',
        args: { title: 'x' },
        launch: { command: 'npx', args: ['-y', '@modelcontextprotocol/server-github'] },
      },
    },
  ],
  [
    'Gemini CLI, a tool of an MCP server',
    'gemini',
    {
      cwd: '/web',
      hook_event_name: 'BeforeTool',
      tool_name: 'mcp_hub_create_issue',
      tool_input: { title: 'x' },
      mcp_context: { server_name: 'hub', tool_name: 'create_issue', url: 'https://api.githubcopilot.com/mcp/' },
    },
    {
      asks: { kind: 'mcp', server: 'hub', tool: 'create_issue', launch: { url: 'https://api.githubcopilot.com/mcp/' } },
    },
  ],
  [
    'Claude Code, after a tool',
    'claude-code',
    {
      session_id: 's1',
      cwd: '/web',
      hook_event_name: 'PostToolUse',
      tool_name: 'Bash',
      tool_input: push,
      tool_use_id: 'u',
    },
    { isBefore: false, toolUse: 'u', asks: { kind: 'command', text: 'git push' } },
  ],
  [
    'Windsurf, a tool of an MCP server',
    'windsurf',
    {
      agent_action_name: 'pre_mcp_tool_use',
      trajectory_id: 't',
      execution_id: 'e',
      tool_info: { mcp_server_name: 'github', mcp_tool_name: 'create_issue', mcp_tool_arguments: { title: 'x' } },
    },
    { form: 'windsurf', session: 't', toolUse: 'e', asks: { kind: 'mcp', server: 'github', tool: 'create_issue' } },
  ],
  [
    'Windsurf, a file',
    'windsurf',
    { agent_action_name: 'pre_write_code', trajectory_id: 't', tool_info: { file_path: '/web/a.ts', edits: [] } },
    { asks: { kind: 'files', paths: ['/web/a.ts'], reads: false } },
  ],
  [
    'Windsurf, a file to read',
    'windsurf',
    { agent_action_name: 'pre_read_code', trajectory_id: 't', tool_info: { file_path: '/web/a.ts' } },
    { asks: { kind: 'files', paths: ['/web/a.ts'], reads: true } },
  ],
  [
    'Windsurf, after a command',
    'windsurf',
    { agent_action_name: 'post_run_command', trajectory_id: 't', tool_info: { command_line: 'git push', cwd: '/web' } },
    { isBefore: false, cwd: '/web', asks: { kind: 'command', text: 'git push' } },
  ],
  [
    'Cline, several commands',
    'cline',
    {
      clineVersion: '4',
      hookName: 'PreToolUse',
      taskId: 't',
      workspaceRoots: ['/web'],
      preToolUse: { tool: 'run_commands', parameters: { commands: ['git add .', 'git push'] } },
    },
    { form: 'cline', session: 't', cwd: '/web', asks: { kind: 'command', text: 'git add .\ngit push' } },
  ],
  [
    'Cline, a tool of an MCP server',
    'cline',
    {
      clineVersion: '4',
      hookName: 'PreToolUse',
      taskId: 't',
      preToolUse: {
        toolName: 'use_mcp_tool',
        parameters: { server_name: 'github', tool_name: 'create_issue', arguments: '{"title":"x"}' },
      },
    },
    { asks: { kind: 'mcp', server: 'github', tool: 'create_issue', args: { title: 'x' } } },
  ],
  [
    'Kiro, a tool of an MCP server',
    'kiro',
    { hook_event_name: 'preToolUse', cwd: '/web', tool_name: '@github/create_issue', tool_input: { title: 'x' } },
    { form: 'kiro', asks: { kind: 'mcp', server: 'github', tool: 'create_issue', args: { title: 'x' } } },
  ],
  [
    'Goose, a tool of an MCP server',
    'goose',
    { event: 'PreToolUse', matcher_context: 'x', tool_name: 'github__delete_repository', tool_input: {} },
    { asks: { kind: 'mcp', server: 'github', tool: 'delete_repository' } },
  ],
  [
    'Copilot CLI, a tool of an MCP server',
    'copilot',
    { sessionId: 's1', cwd: '/web', toolName: 'github-mcp-server-list_issues', toolArgs: '{}' },
    { asks: { kind: 'mcp', server: 'github-mcp-server', tool: 'list_issues' } },
  ],
  [
    'an event that is spelt otherwise',
    'claude-code',
    { cwd: '/web', hook_event_name: 'pretooluse', tool_name: 'Bash', tool_input: push, toolResult: null },
    { isBefore: true, asks: { kind: 'command', text: 'git push' } },
  ],
  [
    'a tool whose name begins like a reader',
    'cursor',
    {
      cursor_version: '3',
      hook_event_name: 'preToolUse',
      tool_name: 'search_replace',
      tool_input: { target_file: 'a' },
    },
    { asks: { kind: 'files', paths: ['a'], reads: false } },
  ],
  [
    'text that looks like a patch and is none',
    'claude-code',
    {
      cwd: '/web',
      hook_event_name: 'PreToolUse',
      tool_name: 'Write',
      tool_input: { file_path: 'a.md', content: '--- a/.mcp.json' },
    },
    { asks: { kind: 'files', paths: ['a.md'] } },
  ],
  [
    'VS Code',
    'vscode',
    {
      timestamp: 'x',
      cwd: '/web',
      sessionId: 's1',
      hookEventName: 'PreToolUse',
      tool_name: 'run_in_terminal',
      tool_input: push,
    },
    { form: 'vscode', session: 's1', asks: { kind: 'command', text: 'git push' } },
  ],
  [
    "Cursor, by Claude Code's hook",
    'claude-code',
    { conversation_id: 'c1', cursor_version: '3', hook_event_name: 'beforeShellExecution', ...push },
    { form: 'cursor', asks: { kind: 'command', text: 'git push' } },
  ],
  [
    'Codex, by another name',
    'codex',
    {
      turn_id: 't1',
      model: 'm',
      cwd: '/web',
      hook_event_name: 'PreToolUse',
      tool_name: 'exec_command',
      tool_input: { cmd: 'git push', workdir: '/elsewhere' },
    },
    { workspace: '/web', cwd: '/elsewhere', asks: { kind: 'command', text: 'git push' } },
  ],
  [
    'Copilot CLI, typing into a shell that runs',
    'copilot',
    { sessionId: 's1', cwd: '/web', toolName: 'write_bash', toolArgs: { sessionId: '1', input: 'git push' } },
    { asks: { kind: 'command', text: 'git push' } },
  ],
  [
    'two commands, of which one is hidden',
    'codex',
    {
      turn_id: 't',
      model: 'm',
      hook_event_name: 'PreToolUse',
      tool_name: 'exec_command',
      tool_input: { command: 'ls', cmd: 'git push' },
    },
    { asks: { kind: 'command', text: 'ls\ngit push' } },
  ],
  [
    'what is typed into a program that runs',
    'codex',
    {
      turn_id: 't',
      model: 'm',
      hook_event_name: 'PreToolUse',
      tool_name: 'write_stdin',
      tool_input: { chars: 'git push\n' },
    },
    { asks: { kind: 'command', text: 'git push\n' } },
  ],
  [
    'a task',
    'vscode',
    {
      sessionId: 's',
      hookEventName: 'PreToolUse',
      tool_name: 'create_and_run_task',
      tool_input: { task: { command: 'git', args: ['push'] } },
    },
    { asks: { kind: 'command', text: "git 'push'" } },
  ],
  [
    'a tool that nobody knows and that has a command',
    'claude-code',
    { session_id: 's1', hook_event_name: 'PreToolUse', tool_name: 'RemoteShell', tool_input: push },
    { asks: { kind: 'command', text: 'git push' } },
  ],
];

describe('payloads', () => {
  test.each(PAYLOADS)('%s', (_, agent, payload, expected) =>
    expect(readPayload(JSON.stringify(payload), agent)).toMatchObject(expected),
  );

  test.each([
    ['nothing', ''],
    ['no JSON', 'git push'],
    ['no object', '["git push"]'],
    ['no tool', '{"hook_event_name":"PreToolUse"}'],
    ['no command', '{"hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":{}}'],
    ['a command that is none', '{"hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":{"command":7}}'],
    ['a NUL', '{"hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":{"command":"g\\u0000it push"}}'],
    ['no input', '{"hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":"git push"}'],
    ['no command of Cursor', '{"cursor_version":"3","hook_event_name":"beforeShellExecution"}'],
  ])('%s is an error with a sentence', (_, text) =>
    expect(() => readPayload(text, 'claude-code')).toThrow(/^(its payload|the tool's input)/),
  );

  test('whatever comes, it is read or refused', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(...(Object.keys(HOOK_AGENTS) as HookAgent[])), (text, agent) => {
        try {
          expect(Object.keys(HOOK_AGENTS)).toContain(readPayload(text, agent).form);
        } catch (error) {
          expect((error as Error).message).toMatch(/^(its payload|the tool's input)/);
        }
      }),
    );
  });
});

describe('answers', () => {
  const claudes = {
    hookSpecificOutput: { hookEventName: 'PreToolUse', permissionDecision: 'deny', permissionDecisionReason: 'No.' },
  };

  test.each([
    ['claude-code', '', 'PreToolUse', claudes],
    ['codex', '', 'PreToolUse', claudes],
    ['vscode', '', 'PreToolUse', claudes],
    ['copilot', '', 'preToolUse', { permissionDecision: 'deny', permissionDecisionReason: 'No.' }],
    [
      'cursor',
      '{"permission":"allow"}\n',
      'beforeShellExecution',
      { permission: 'deny', user_message: 'No.', agent_message: 'No.' },
    ],
    ['gemini', '{}\n', 'BeforeTool', { decision: 'deny', reason: 'No.' }],
  ] as const)('%s', (form, silence, event, denial) => {
    expect(noDecision(form)).toEqual({ stdout: silence, stderr: '', exitCode: 0 });
    const refused = deny({ form, event }, 'No.');
    expect(refused).toMatchObject({ stderr: 'No.\n', exitCode: 2 });
    expect(JSON.parse(refused.stdout)).toEqual(denial);
    // An empty reason is leave to some.
    expect(deny({ form, event }, ' ').stderr.trim()).not.toBe('');
  });

  test('Codex, when it asks for leave', () =>
    expect(JSON.parse(deny({ form: 'codex', event: 'PermissionRequest' }, 'No.').stdout)).toEqual({
      hookSpecificOutput: { hookEventName: 'PermissionRequest', decision: { behavior: 'deny', message: 'No.' } },
    }));
});

describe('registrations', () => {
  test.each(Object.keys(HOOK_AGENTS) as HookAgent[])('%s', (agent) => {
    const { file, config } = registrationOf(agent, ['/n o/node', '/opt/toolgate.js', 'hook', agent]);
    expect(file).toMatch(/^~\//);
    const text = JSON.stringify(config);
    // Absolute, without what would change how Node starts, and as closed as the agent can be told to be.
    expect(text).toContain('/usr/bin/env');
    expect(text).toContain('NODE_OPTIONS');
    expect(text).toMatch(/"onFailure":"block"|"failClosed":true|\|\| exit 2|"exec":|\|\| echo '.*cancel/);
    expect(text).toContain('/n o/node');
  });
});
