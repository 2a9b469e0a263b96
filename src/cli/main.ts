/** `toolgate`: names, flags and help. Each command is loaded when it is asked for. */
import { Command, CommanderError } from 'commander';
import { messageOf } from '../errors.ts';
import { VERSION } from './house.ts';
import { complain } from './output.ts';

// The launcher on an older Node holds our channel: when it goes, however it went, so do we.
if (process.channel !== undefined) {
  process.channel?.unref();
  process.once('disconnect', () => setTimeout(() => process.exit(0), 5000).unref());
}

const program = new Command('toolgate')
  .description('An MCP gateway with policies: one MCP server in place of many, that judges every tool call an agent makes.')
  .version(VERSION)
  .option('--config <folder>', 'folder of servers.json, policies.yaml and catalog/ (also TOOLGATE_CONFIG)')
  .option('--state <folder>', 'folder of the store (also TOOLGATE_STATE)')
  .showHelpAfterError('(toolgate --help lists the commands)')
  .exitOverride();

program
  .command('serve')
  .description('run the gate: an MCP server over stdio, for an agent\'s client to start')
  .option('--agent <name>', 'the agent that starts it; with its key in TOOLGATE_AGENT_KEY the name is sure')
  .option('--log-level <level>', 'what is said on stderr: error, warn, info, debug', 'warn')
  .addHelpText('after', '\nExample, in a client\'s mcpServers:\n  "toolgate": { "command": "node", "args": ["/path/to/toolgate/bin/toolgate.cjs", "serve"] }')
  .action(async (flags) => {
    const { serve } = await import('./serve.ts');
    finish(await serve({ ...program.opts(), ...flags }));
  });

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) finish(error.exitCode === 0 ? 0 : 2);
  else {
    complain(`toolgate: ${messageOf(error)}`);
    finish(3);
  }
}

/** Lets what was written leave first; whatever still runs must not keep us. */
function finish(code: number): void {
  process.exitCode = code;
  const leave = () => process.exit(code);
  process.stdout.write('', () => process.stderr.write('', leave));
}
