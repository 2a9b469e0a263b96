/** What a hook costs a command, as its whole process, against a Node that does nothing, in turn: `npm run bench:hook`. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../dist/toolgate.js', import.meta.url));
const ROUNDS = 40;
const POLICIES = 50;

const folder = mkdtempSync(join(tmpdir(), 'toolgate-bench-'));
const [config, state] = [join(folder, 'config'), join(folder, 'state')];
mkdirSync(config);
writeFileSync(join(config, 'servers.json'), '{"mcpServers":{}}');
const policy = (index: number) =>
  `  - { name: "No ${index}", if: { integration: Git, tool: push, args: { branch: "release-${index}/*" } }, action: block }`;
writeFileSync(
  join(config, 'policies.yaml'),
  `policies:\n${Array.from({ length: POLICIES }, (_, index) => policy(index)).join('\n')}\n`,
);

const LINES: readonly [string, string | null][] = [
  ['node -e 0', null],
  ['a command of no integration: ls', 'ls -la'],
  ['a read: git status', 'git status'],
  ['a write: git commit', 'git commit -m x'],
];

const times = new Map<string, number[]>(LINES.map(([name]) => [name, []]));
try {
  for (let round = -3; round < ROUNDS; round++)
    for (const [name, command] of LINES) {
      const ms = timed(command);
      if (round >= 0) times.get(name)!.push(ms);
    }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

const bare = median(times.get(LINES[0]![0])!);
for (const [name, each] of times)
  console.log(
    `${name.padEnd(36)} ${median(each).toFixed(1).padStart(7)} ms  ${(median(each) / bare).toFixed(2)} times`,
  );
console.log(`${ROUNDS} rounds, ${POLICIES} policies, Node ${process.version}`);

function timed(command: string | null): number {
  const args = command === null ? ['-e', '0'] : [PROGRAM, '--config', config, '--state', state, 'hook', 'claude-code'];
  const input = JSON.stringify({
    session_id: 's',
    cwd: folder,
    hook_event_name: 'PreToolUse',
    tool_name: 'Bash',
    tool_input: { command: command ?? '' },
  });
  const started = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { input, encoding: 'utf8' });
  const ms = performance.now() - started;
  if (status !== 0) throw new Error(`the hook objects: ${stderr}`);
  return ms;
}

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}
