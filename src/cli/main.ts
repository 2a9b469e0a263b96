/** `toolgate`: names, flags and help. Each command is loaded when it is asked for. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { EVENT_CODES } from '../audit/events.ts';
import { DOORS, OPERATIONS, REVIEW_STATUSES } from '../call.ts';
import { readDuration } from '../duration.ts';
import { messageOf } from '../errors.ts';
import { VERSION } from './house.ts';
import { atExit, complain, finish } from './output.ts';

// The reader of our output has gone (`| head`): that is its right. Anything else is a fault that must not look like success.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') complain(`toolgate: the output could not be written: ${error.message}`);
  for (const cleanUp of atExit) cleanUp();
  process.exit(error.code === 'EPIPE' ? 0 : 3);
});

const program = new Command('toolgate')
  .description(
    'An MCP gateway with policies: one MCP server in place of many, that judges every tool call an agent makes.',
  )
  .version(VERSION)
  .option('--config <folder>', 'folder of servers.json, policies.yaml and catalog/ (also TOOLGATE_CONFIG)')
  .option('--state <folder>', 'folder of the store (also TOOLGATE_STATE)')
  .showHelpAfterError('(toolgate --help lists the commands)')
  .exitOverride();

program
  .command('serve')
  .description("run the gate: an MCP server over stdio, for an agent's client to start")
  .option('--agent <name>', 'the agent that starts it; with its key in TOOLGATE_AGENT_KEY the name is sure')
  .addOption(
    new Option('--log-level <level>', 'what is said on stderr')
      .choices(['error', 'warn', 'info', 'debug'])
      .default('warn'),
  )
  .addOption(holdOption('how long a call may wait for a person before the agent is told to call again'))
  .addHelpText(
    'after',
    '\nExample, in a client\'s mcpServers:\n  "toolgate": { "command": "node", "args": ["/path/to/toolgate/bin/toolgate.cjs", "serve"] }',
  )
  .action(async (flags) => {
    const { serve } = await import('./serve.ts');
    finish(await serve({ ...program.opts(), ...flags }));
  });

program
  .command('demo')
  .description(
    'see it work: real servers in a scratch folder, calls allowed, blocked, held and alerted before your eyes',
  )
  .option('--keep', 'leave the scratch folder behind')
  .action(async (flags) => {
    const { demo } = await import('./demo.ts');
    finish(await demo(flags));
  });

const policy = program.command('policy').description('check and explain policies.yaml');
policy
  .command('check')
  .description('find every mistake in policies.yaml, servers.json and your catalog; exit 1 if there is an error')
  .option('--strict', 'exit 1 for warnings too')
  .option('--json', 'the problems as JSON')
  .action(async (flags) => finish(await (await import('./policy.ts')).policyCheck({ ...program.opts(), ...flags })));
policy
  .command('test [files...]')
  .description('judge the calls that your tests describe; exit 1 if one is judged otherwise than expected')
  .option('--only <text>', 'only tests with this text in their policy, name, call or command')
  .option('--at <time>', 'the clock where a test has none, such as 2026-12-31T18:00:00Z; else a Monday at noon')
  .option('--junit <file>', 'write a JUnit report there')
  .option('--json', 'the outcomes as JSON')
  .addHelpText(
    'after',
    `
Without files: the tests beside each policy, and tests/*.yaml in the config folder.

Examples:
  policies:
    - name: Block all writes and deletions on GitHub
      if: { integration: GitHub, operation: Write or Delete }
      action: block
      tests:
        - { call: github/create_issue, expect: block }
        - { call: github/list_issues, expect: allow }

  toolgate policy test
  toolgate policy test --only github --junit report.xml`,
  )
  .action(async (files, flags) =>
    finish(await (await import('./policy-test.ts')).policyTest(files, { ...program.opts(), ...flags })),
  );
policy
  .command('replay')
  .description('judge the recorded calls anew, and show which would be judged otherwise; exit 1 if any would')
  .option('--since <when>', 'how far back: 30m, 2h, 7d, or a time', '7d')
  .option('--against <file>', 'another policy file; else policies.yaml as it is now')
  .option('--json', 'the differences as JSON')
  .addHelpText(
    'after',
    '\nExamples:\n  toolgate policy replay --since 30d\n  toolgate policy replay --against stricter.yaml --since 24h',
  )
  .action(async (flags) =>
    finish(await (await import('./policy-replay.ts')).policyReplay({ ...program.opts(), ...flags })),
  );
policy
  .command('show')
  .description('the policies in force, where each is written, and how many tools of the catalog each covers')
  .option('--json', 'the policies as JSON')
  .action(async (flags) =>
    finish(await (await import('./policy-show.ts')).policyShow({ ...program.opts(), ...flags })),
  );
policy
  .command('suggest')
  .description('from the log, a policies.yaml that allows what was normal and asks about the rest')
  .option('--since <when>', 'how far back: 30m, 2h, 7d, or a time', '30d')
  .option('--least <calls>', 'a change that was made less often is asked about', '3')
  .addHelpText('after', '\nExample:\n  toolgate policy suggest --since 14d > suggested.yaml')
  .action(async (flags) =>
    finish(await (await import('./policy-suggest.ts')).policySuggest({ ...program.opts(), ...flags })),
  );
policy
  .command('accept')
  .description('let a change of the rules come into force, where policies.yaml says "defaults: { changes: reviewed }"')
  .option('--show', 'only show what has changed')
  .option('--reviewer-key <file>', 'accept as the reviewer whose key this is, without being asked')
  .option('--json', 'the change as JSON')
  .addHelpText('after', '\nExamples:\n  toolgate policy accept --show\n  toolgate policy accept')
  .action(async (flags) =>
    finish(await (await import('./policy-accept.ts')).policyAccept({ ...program.opts(), ...flags })),
  );
policy
  .command('explain <call>')
  .description('show how a call would be judged, condition by condition; exit 1 if it would not run')
  .option('--agent <name>', 'who calls', 'Unknown agent')
  .addOption(
    new Option('--identity <strength>', 'how surely the agent is known')
      .choices(['claimed', 'registered', 'token'])
      .default('claimed'),
  )
  .addOption(
    new Option('--agent-status <status>', 'as if the agent had this review status').choices([...REVIEW_STATUSES]),
  )
  .addOption(
    new Option('--tool-status <status>', 'as if the tool had this review status').choices([...REVIEW_STATUSES]),
  )
  .option('--args <json>', 'the arguments of the call')
  .option('--command', 'it is a shell line: each of its commands')
  .option('--at <time>', 'as if it were called then, such as 2026-12-31T18:00:00Z')
  .option('--user <name>', 'as if this user ran the agent')
  .option('--workspace <folder>', 'as if the agent worked there; else here')
  .option('--before <call...>', 'as if the session had made these calls before')
  .option('--json', 'the explanation as JSON')
  .addHelpText(
    'after',
    '\nExamples:\n  toolgate policy explain github/create_issue --agent Cursor\n  toolgate policy explain git/push --args \'{"branch":"main","force":true}\'\n  toolgate policy explain --command \'git push --force origin main\'\n  toolgate policy explain slack/post_message --before gmail/get_message',
  )
  .action(async (call, flags) =>
    finish(await (await import('./policy-explain.ts')).policyExplain(call, { ...program.opts(), ...flags })),
  );

const log = program.command('log').description('look back: who called what, and which policy decided');
for (const [name, description] of [
  ['list', 'the newest events, oldest first'],
  ['tail', 'events as they are recorded, until Ctrl-C'],
] as const) {
  log
    .command(name, { isDefault: name === 'list' })
    .description(description)
    .addOption(new Option('--type <type>', 'one kind of event').choices(Object.keys(EVENT_CODES)))
    .option('--agent <name>')
    .option('--integration <name>')
    .addOption(new Option('--operation <operation>').choices([...OPERATIONS]))
    .addOption(new Option('--decision <decision>').choices(['allow', 'block', 'require approval']))
    .option('--policy <name>', 'the policy that decided')
    .option('--server <key>')
    .addOption(new Option('--via <door>').choices([...DOORS]))
    .option('--since <when>', 'a duration (30m, 2h, 7d) or a time')
    .option('--text <text>', 'any text in the event')
    .option('--limit <n>', 'how many', '50')
    .option('--json', 'one JSON object a line')
    .addHelpText(
      'after',
      '\nExamples:\n  toolgate log --decision block --since 24h\n  toolgate log tail --agent Cursor',
    )
    .action(async (flags) => {
      const { logList, logTail } = await import('./log.ts');
      finish(await (name === 'list' ? logList : logTail)({ ...program.opts(), ...flags }));
    });
}
log
  .command('why <call-id>')
  .description('everything that is recorded of one call; the code of an approval will do too')
  .option('--json')
  .action(async (id, flags) => finish(await (await import('./log.ts')).logWhy(id, { ...program.opts(), ...flags })));
log
  .command('verify')
  .description('recompute the hash chain; exit 1 if an event was changed, taken out or cut off')
  .option('--json')
  .action(async (flags) => finish(await (await import('./log.ts')).logVerify({ ...program.opts(), ...flags })));

/** The command that sets each review status, of agents and of tools. */
const REVIEWS = [
  ['allow', 'Allowed'],
  ['disallow', 'Disallowed'],
  ['unreview', 'Unreviewed'],
] as const;

const agents = program.command('agents').description('the agents that were seen, and what you say of them');
agents
  .command('list', { isDefault: true })
  .description('every agent: review status, identity, first and last seen')
  .option('--json')
  .action(async (flags) => finish(await (await import('./agents.ts')).agentsList({ ...program.opts(), ...flags })));
for (const [name, status] of REVIEWS) {
  agents
    .command(`${name} <name>`)
    .description(`set an agent's review status to ${status}`)
    .action(async (agent) => finish(await (await import('./agents.ts')).agentsSet(agent, status, program.opts())));
}
agents
  .command('register <name>')
  .description('mint a key by which an agent is surely known, and print the lines to paste')
  .option('--json')
  .addHelpText('after', '\nExample:\n  toolgate agents register "Claude Code"')
  .action(async (name, flags) =>
    finish(await (await import('./agents.ts')).agentsRegister(name, { ...program.opts(), ...flags })),
  );

const tools = program.command('tools').description('the tools that servers have shown, and what you say of them');
tools
  .command('list', { isDefault: true })
  .description('every tool: integration, operation and where it is from, review status; unclassified ones on top')
  .option('--json')
  .action(async (flags) => finish(await (await import('./tools.ts')).toolsList({ ...program.opts(), ...flags })));
for (const [name, status] of REVIEWS) {
  tools
    .command(`${name} <server> <tool>`)
    .description(`set a tool's review status to ${status}, and accept its definition as it is now`)
    .action(async (server, tool) =>
      finish(await (await import('./tools.ts')).toolsSet(server, tool, status, program.opts())),
    );
}

const catalog = program.command('catalog').description('what is known of integrations and their tools');
catalog
  .command('list', { isDefault: true })
  .description('every integration')
  .option('--json')
  .action(async (flags) => finish(await (await import('./catalog.ts')).catalogList({ ...program.opts(), ...flags })));
catalog
  .command('show <integration>')
  .description('the tools of an integration, and whether each reads, writes or deletes')
  .option('--json')
  .action(async (name, flags) =>
    finish(await (await import('./catalog.ts')).catalogShow(name, { ...program.opts(), ...flags })),
  );

catalog
  .command('coverage')
  .description('what each tool of your servers is taken for; exit 1 if a catalog lacks some, with the lines to add')
  .option('--json')
  .action(async (flags) =>
    finish(await (await import('./catalog-coverage.ts')).catalogCoverage({ ...program.opts(), ...flags })),
  );
catalog
  .command('classify [tool]')
  .description('what a tool, or one call of it, is taken for, and why')
  .option('--args <json>', 'the arguments of a call; without them the tool as such is asked about')
  .option('--stdin', 'answer a line of JSON for each line of JSON on stdin')
  .option('--json')
  .addHelpText(
    'after',
    '\nExamples:\n  toolgate catalog classify github/label_write\n  toolgate catalog classify github/label_write --args \'{"method":"delete"}\'\n  echo \'{"launch":{"command":"npx","args":["-y","linear-mcp"]},"tool":"delete_issue"}\' | toolgate catalog classify --stdin\n\nKeys of a line: tool, and any of server, launch {command, args, url}, integration, description, annotations, inputSchema, arguments.',
  )
  .action(async (tool, flags) =>
    finish(await (await import('./catalog-classify.ts')).catalogClassify(tool, { ...program.opts(), ...flags })),
  );

program
  .command('hook <agent>')
  .description(
    'what an agent asks before it runs a command: one JSON payload on stdin, one answer; exit 2 if it must not run',
  )
  .option('--print', "show what to paste into the agent's configuration")
  .addOption(holdOption('how long a command may wait for a person before the agent is told to run it again'))
  .addHelpText(
    'after',
    '\nAgents: claude-code, cursor, codex, gemini, copilot, vscode.\n\nExamples:\n  toolgate hook --print claude-code\n  echo \'{"hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":{"command":"git push"}}\' | toolgate hook claude-code',
  )
  .action(async (agent, flags) =>
    finish(await (await import('./hook.ts')).hook(agent, { ...program.opts(), ...flags })),
  );

program
  .command('command')
  .description('the commands that agents run by themselves')
  .command('explain [line]')
  .description('what a shell line does, call by call, and what would come of it; exit 1 if it would not run')
  .option('--agent <name>', 'who runs it', 'Unknown agent')
  .option('--cwd <folder>', 'as if it ran there; else here')
  .option('--shell <name>', 'bash, zsh, fish, powershell …; else one like bash and zsh')
  .option('--stdin', 'answer a line of JSON for each line of JSON on stdin')
  .option('--json')
  .addHelpText(
    'after',
    '\nExamples:\n  toolgate command explain \'git push --force origin main\'\n  toolgate command explain "cd web && npm test && git push" --agent Cursor\n  echo \'{"command":"git stash drop","cwd":"/home/ann/web"}\' | toolgate command explain --stdin',
  )
  .action(async (line, flags) =>
    finish(await (await import('./command-explain.ts')).commandExplain(line, { ...program.opts(), ...flags })),
  );

const approvals = program
  .command('approvals')
  .description('the calls that wait for a person, and how earlier ones ended');
approvals
  .command('list', { isDefault: true })
  .description('what waits for a person; with --all what has ended too')
  .option('--all', 'those that have ended too')
  .option('--json')
  .action(async (flags) =>
    finish(await (await import('./approvals.ts')).approvalsList({ ...program.opts(), ...flags })),
  );
approvals
  .command('show <code>')
  .description('one request whole: who wants to do what, which policy asks whom, every argument')
  .option('--json', 'as JSON, secrets masked')
  .action(async (code, flags) =>
    finish(await (await import('./approvals.ts')).approvalsShow(code, { ...program.opts(), ...flags })),
  );
approvals
  .command('remembered')
  .description('the approvals that count for more than one call')
  .option('--json')
  .action(async (flags) =>
    finish(await (await import('./approvals.ts')).approvalsRemembered({ ...program.opts(), ...flags })),
  );
approvals
  .command('revoke <id>')
  .description('take a remembered approval back: the next such call is asked again')
  .action(async (id) => finish(await (await import('./approvals.ts')).approvalsRevoke(id, program.opts())));
for (const [verdict, description] of [
  ['approve', 'let a call run, once: shows the request and asks'],
  ['deny', 'keep a call from running: shows the request and asks'],
] as const) {
  const command = program
    .command(`${verdict} <code>`)
    .description(description)
    .option('--reason <text>', 'why; some policies want one')
    .option('--reviewer-key <file>', 'answer as the reviewer whose key this is, without being asked')
    .option('--json', 'how the approval stands, as JSON');
  if (verdict === 'approve')
    command.option('--remember', 'let it count for more calls like it, as far as the policy offers that');
  command
    .addHelpText(
      'after',
      `\nExamples:\n  toolgate ${verdict} A7K2\n  toolgate ${verdict} A7K2 --reason "as agreed with Bob"`,
    )
    .action(async (code, flags) =>
      finish(await (await import('./approvals.ts')).answer(code, verdict, { ...program.opts(), ...flags })),
    );
}

const reviewers = program.command('reviewers').description('the people who answer, and their keys');
reviewers
  .command('list', { isDefault: true })
  .description('everybody whom policies.yaml names, and who of them can answer here')
  .option('--json')
  .action(async (flags) =>
    finish(await (await import('./approvals.ts')).reviewersList({ ...program.opts(), ...flags })),
  );
reviewers
  .command('register <id>')
  .description('mint a key by which a reviewer of policies.yaml answers where there is no terminal')
  .option('--out <file>', 'write it there, for your eyes only, instead of printing it')
  .addHelpText('after', '\nExample:\n  toolgate reviewers register bob --out bob.key')
  .action(async (id, flags) =>
    finish(await (await import('./approvals.ts')).reviewersRegister(id, { ...program.opts(), ...flags })),
  );
reviewers
  .command('forget <id>')
  .description("take a reviewer's key back")
  .action(async (id) => finish(await (await import('./approvals.ts')).reviewersForget(id, program.opts())));

program
  .command('alerts')
  .description('the newest alerts, and how far each delivery is')
  .option('--limit <n>', 'how many', '50')
  .option('--json')
  .action(async (flags) => finish(await (await import('./alerts.ts')).alertsList({ ...program.opts(), ...flags })));

program
  .command('desk')
  .description('run the desk: it delivers alerts, and is where people answer; gates start it when they need it')
  .option('--stop', 'stop the one that runs')
  .addOption(new Option('--started', 'started by a gate').hideHelp())
  .addOption(
    new Option('--port <n>', 'of the console, on loopback; another is taken while it is not free').argParser((text) => {
      const port = Number(text);
      if (!Number.isInteger(port) || port < 0 || port > 65_535)
        throw new InvalidArgumentError('write a number from 0 to 65535');
      return port;
    }),
  )
  .action(async (flags) => finish(await (await import('./desk.ts')).desk({ ...program.opts(), ...flags })));

program
  .command('console')
  .description('open the console in your browser, signed in; starts the desk if none runs')
  .option('--no-browser', 'only print the address')
  .option('--page <path>', 'the page to open', '/approvals')
  .action(async (flags) => finish(await (await import('./console.ts')).console({ ...program.opts(), ...flags })));

program
  .command('doctor')
  .description('what works here, in words: desktop, browser, Slack, desk, reviewers; exit 1 if something is broken')
  .option('--notify', 'show a notification, to see whether it arrives')
  .option('--json')
  .action(async (flags) => finish(await (await import('./doctor.ts')).doctor({ ...program.opts(), ...flags })));

program
  .command('status')
  .description('whether the rules are good, and what happened in the last day; exit 1 if they are not')
  .option('--json')
  .action(async (flags) => finish(await (await import('./status.ts')).status({ ...program.opts(), ...flags })));

/** To an agent every end but this one is leave. */
const isHook = process.argv.includes('hook');

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) finish(error.exitCode === 0 ? 0 : 2);
  else {
    complain(`toolgate: ${messageOf(error)}`);
    finish(isHook ? 2 : 3);
  }
}

function holdOption(description: string): Option {
  return new Option('--hold <duration>', description).argParser((text) => {
    const ms = readDuration(text);
    if (ms === null) throw new InvalidArgumentError('write a number and a unit, such as 45s or 4m');
    return ms;
  });
}
