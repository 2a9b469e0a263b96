/** What a hook costs a command, as its whole process, against a Node that does nothing, in turn: `npm run bench:hook`. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../dist/toolgate.js', import.meta.url));
const ROUNDS = 60;
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

// A real repository with a remote, as agents work in.
const repository = join(folder, 'repository');
const git = (...args: string[]) => {
  const { status, stderr } = spawnSync('git', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
};
git('init', '-q', '--bare', join(folder, 'remote.git'));
git('init', '-q', repository);
git('-C', repository, 'remote', 'add', 'origin', join(folder, 'remote.git'));
git('-C', repository, '-c', 'user.name=A', '-c', 'user.email=a@b.c', 'commit', '-q', '--allow-empty', '-m', 'x');
git('-C', repository, 'push', '-q', '-u', 'origin', 'HEAD');

const LINES: readonly [string, string | null][] = [
  ['node -e 0', null],
  ['a command of no integration: ls', 'ls -la'],
  ['a read: git status', 'git status'],
  ['a write: git commit', 'git commit -m x'],
  ['a push: git push origin main', 'git push origin main'],
];

const times = new Map<string, number[]>(LINES.map(([name]) => [name, []]));
try {
  // What a hook keeps between runs it keeps of files that nobody has changed for two seconds.
  for (const until = Date.now() + 3000; Date.now() < until; ) for (const [, command] of LINES) timed(command);
  for (let round = 0; round < ROUNDS; round++)
    for (const [name, command] of LINES) times.get(name)!.push(timed(command));
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
    cwd: repository,
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
