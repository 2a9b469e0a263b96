/** How long `toolgate policy replay` takes over a million recorded calls. `npm run bench:replay`. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openStore } from '../src/store/store.ts';

const CALLS = Number(process.env['CALLS'] ?? 1_000_000);
const DIST = fileURLToPath(new URL('../dist/toolgate.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'toolgate-bench-'));
const [config, state] = [join(folder, 'config'), join(folder, 'state')];
mkdirSync(config);
writeFileSync(join(config, 'servers.json'), '{"mcpServers":{}}');
const policies = Array.from(
  { length: 50 },
  (_, n) =>
    `  - { name: Policy ${n}, if: { integration: ${['GitHub', 'Linear', 'Notion', 'Gmail', 'Git'][n % 5]}, operation: [Write, Delete], args: { repository: "team-${n}/*" } }, action: ${['block', 'alert', 'require approval'][n % 3]} }\n`,
);
writeFileSync(join(config, 'policies.yaml'), `policies:\n${policies.join('')}`);

const TOOLS = [
  ['github', 'GitHub', 'create_issue', 'Write'],
  ['github', 'GitHub', 'list_issues', 'Read'],
  ['linear', 'Linear', 'create_issue', 'Write'],
  ['notion', 'Notion', 'API-post-search', 'Read'],
];
const store = openStore(state);
const start = Date.now() - 3_600_000;
for (let done = 0; done < CALLS; done += 10_000)
  await store.write((tx) => {
    for (let index = done; index < Math.min(CALLS, done + 10_000); index++) {
      const [server, integration, tool, operation] = TOOLS[index % TOOLS.length]!;
      const body = {
        v: 1,
        type: 'call.decided',
        ts: start + index,
        call_id: `c${index}`,
        'gen_ai.agent.id': `agent-${index % 7}`,
        'gen_ai.agent.name': `Agent ${index % 7}`,
        'toolgate.agent.strength': 'claimed',
        'toolgate.agent.status': 'Allowed',
        'mcp.session.id': `s${index % 50}`,
        'toolgate.user': 'ann',
        'toolgate.workspaces': [{ spellings: ['/work'], sure: true }],
        'mcp.method.name': 'tools/call',
        'gen_ai.tool.name': tool,
        'toolgate.via': 'mcp',
        'toolgate.server': server,
        'toolgate.integration': integration,
        'toolgate.tool': tool,
        'toolgate.tool.title': tool,
        'toolgate.tool.status': 'Allowed',
        'toolgate.operation': operation,
        'gen_ai.tool.call.arguments': { owner: `team-${index % 60}`, repo: 'web', title: `Issue ${index}` },
        'toolgate.policy.decision': 'allow',
        'toolgate.policy.name': '(default: action)',
        'toolgate.policy.reasons': [],
        'toolgate.rules': 'x',
      };
      tx.run(
        "INSERT INTO events (ts, type, call_id, body, hash) VALUES (?, 'call.decided', ?, ?, '')",
        body.ts,
        body.call_id,
        JSON.stringify(body),
      );
    }
  });
store.close();
const started = performance.now();
const ran = spawnSync(
  process.execPath,
  [DIST, '--config', config, '--state', state, 'policy', 'replay', '--since', '1d'],
  {
    encoding: 'utf8',
  },
);
console.log(ran.stdout.split('\n').slice(0, 8).join('\n'), ran.stderr);
console.log(`${CALLS.toLocaleString('en')} calls in ${((performance.now() - started) / 1000).toFixed(1)} s`);
rmSync(folder, { recursive: true });
