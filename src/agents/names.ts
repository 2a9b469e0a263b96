/** The agents that are known by what they call themselves. A name that isn't here stands for itself. */
import { foldName } from '../call.ts';

/** id, display name, and the `clientInfo.name` values seen in the field. */
const KNOWN: readonly (readonly [id: string, name: string, ...clientNames: string[]])[] = [
  ['claude-code', 'Claude Code', 'claude-code'],
  ['claude-desktop', 'Claude Desktop', 'claude-ai', 'Anthropic/ClaudeAI', 'claude-desktop'],
  ['cursor', 'Cursor', 'cursor-vscode', 'cursor'],
  ['codex', 'OpenAI Codex', 'codex-mcp-client', 'Codex'],
  ['gemini-cli', 'Gemini CLI', 'gemini-cli-mcp-client', 'gemini-cli'],
  ['vscode', 'VS Code (Copilot)', 'Visual Studio Code', 'Visual-Studio-Code'],
  ['copilot-cli', 'GitHub Copilot CLI', 'github-copilot-developer', 'copilot-cli'],
  ['windsurf', 'Windsurf', 'windsurf-client', 'Windsurf'],
  ['cline', 'Cline', 'Cline'],
  ['roo-code', 'Roo Code', 'Roo-Code'],
  ['kilo-code', 'Kilo Code', 'Kilo-Code'],
  ['zed', 'Zed', 'Zed'],
  ['goose', 'Goose', 'goose'],
  ['opencode', 'OpenCode', 'opencode'],
  ['amp', 'Amp', 'amp-mcp-client'],
  ['droid', 'Factory Droid', 'factory-cli'],
  ['antigravity', 'Google Antigravity', 'antigravity-client'],
  ['amazon-q', 'Amazon Q Developer CLI', 'Q-DEV-CLI'],
  ['continue', 'Continue', 'continue-cli-client'],
  ['crush', 'Crush', 'crush'],
  ['chatgpt', 'ChatGPT', 'ChatGPT'],
  ['mcp-inspector', 'MCP Inspector', 'mcp-inspector', 'inspector-client', 'inspector-cli'],
];

/** Their display names. */
export const AGENT_NAMES: readonly string[] = KNOWN.map(([, name]) => name);

const BY_NAME = new Map(
  KNOWN.flatMap(([id, name, ...clients]) =>
    [id, name, ...clients].map((each) => [foldName(each), { id, name }] as const),
  ),
);

/** Most names are: what others need costs a hook more than a millisecond. */
const PLAIN = /^[\x21-\x7e]+( [\x21-\x7e]+)*$/;

/** A name as an agent's id and display name; never longer than 100 characters. */
export function agentNamed(raw: string): { id: string; name: string } {
  const plain = PLAIN.test(raw) ? raw : raw.normalize('NFKC').replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ');
  const name = plain.trim().slice(0, 100);
  // "X (via mcp-remote 0.1)" and "X 1.2.3" are X.
  const bare = name.replace(/\s*\(via [^)]*\)$/, '').replace(/[\s/@]v?\d+(\.\d+)+\S*$/, '');
  const known = BY_NAME.get(foldName(bare)) ?? BY_NAME.get(foldName(name));
  if (known !== undefined) return known;
  return {
    id: foldName(name) === '' ? 'unknown-agent' : name.toLowerCase().replace(/\s+/g, '-'),
    name: name === '' ? 'Unknown agent' : name,
  };
}

/** Whether a name mixes alphabets, as look-alikes do. */
export function mixesScripts(name: string): boolean {
  if (PLAIN.test(name)) return false;
  return (
    ['Latin', 'Cyrillic', 'Greek'].filter((script) => new RegExp(`\\p{Script=${script}}`, 'u').test(name)).length > 1
  );
}
