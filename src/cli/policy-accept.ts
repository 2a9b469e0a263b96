/** `toolgate policy accept`: a person lets a change of the rules come into force, where the file wants that. */
import { voterName } from '../approvals/reviewers.ts';
import { writeEvents } from '../audit/chain.ts';
import { acceptRules, readRuleFiles, rulesFault } from '../config/rules.ts';
import { visibleLine } from '../problem.ts';
import { type House, type HouseFlags, openHouse } from './house.ts';
import { complain, print, printJson } from './output.ts';
import { confirm, whoSpeaks } from './person.ts';
import { tellOfRules } from './rules-news.ts';

/** Where rules are shown while a change of them waits. */
export const WAITS =
  'a change of the rules waits to be accepted (toolgate policy accept); what is shown are the rules before';

export interface AcceptFlags extends HouseFlags {
  readonly reviewerKey?: string;
  /** only shows what waits */
  readonly show?: boolean;
  readonly json?: boolean;
}

/** Exit 0: accepted, or nothing waits; 1: not accepted; 3: the files have mistakes. */
export async function policyAccept(flags: AcceptFlags): Promise<number> {
  const house = await openHouse(flags);
  try {
    const loaded = await house.rules.load();
    if (loaded.stale) {
      complain(`${rulesFault(loaded)}\nthere is nothing to accept until this is mended`);
      return 3;
    }
    const { proposed } = loaded;
    if (flags.json) printJson({ proposed });
    if (proposed === null) {
      if (!flags.json) complain('no change of the rules waits to be accepted');
      return 0;
    }
    if (!flags.json) print(proposed.changes.map((change) => `- ${visibleLine(change)}`).join('\n'));
    if (flags.show) return 0;
    const person = await whoSpeaks(house, flags.reviewerKey);
    if (person.kind === 'nobody') {
      complain(person.why);
      return person.exitCode;
    }
    if (!person.byKey && !(await confirm('Accept this change of the rules?'))) {
      complain('nothing was accepted');
      return 1;
    }
    const outcome = await accept(house, proposed.hash, person.voter, 'command line');
    if (outcome !== null) complain(outcome);
    return outcome === null ? 0 : 1;
  } finally {
    await house.close();
  }
}

/** Null: these very rules are in force now. Else why not: the files have changed since they were shown. */
export async function accept(
  house: House,
  hash: string,
  voter: string,
  channel: 'command line' | 'console',
): Promise<string | null> {
  const { proposed } = await house.rules.again();
  if (proposed?.hash !== hash) return 'the files have changed since this was shown: look again';
  await house.store.write((tx) => {
    acceptRules(tx, readRuleFiles(house.folders.config), hash);
    writeEvents(tx, [
      {
        type: 'rules.accepted',
        ts: Date.now(),
        'toolgate.rules': hash,
        'toolgate.by': voterName(voter),
        'toolgate.channel': channel,
      },
    ]);
  });
  await tellOfRules(house, await house.rules.again());
  return null;
}
