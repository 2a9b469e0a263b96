/** `toolgate hook --print <agent>`: what to paste into an agent's configuration. */
import { fileURLToPath } from 'node:url';
import { folders } from '../config/paths.ts';
import type { HookAgent } from '../shell/payload.ts';
import { registrationOf } from '../shell/registration.ts';
import type { HouseFlags } from './house.ts';
import { complain, print } from './output.ts';

export function printRegistration(agent: HookAgent, flags: HouseFlags): number {
  const { config, state } = folders(flags);
  const program = fileURLToPath(new URL('./toolgate.js', import.meta.url));
  const argv = [process.execPath, program, '--config', config, '--state', state, 'hook', agent];
  const { file, notes, config: registration } = registrationOf(agent, argv);
  complain(`Put this into ${file}, beside what is there already:`);
  print(typeof registration === 'string' ? registration : JSON.stringify(registration, null, 2));
  for (const note of notes) complain(note);
  complain(
    'It judges the commands that the agent runs in a shell, the MCP servers that it has beside toolgate, and what its file tools do to toolgate itself. Paste it anew when Node or toolgate moves.',
  );
  return 0;
}
