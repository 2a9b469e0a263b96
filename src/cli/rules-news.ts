/** Tells of a change of the rules: an event, and an alert on the channels that they name. */
import { writeEvents } from '../audit/chain.ts';
import { rulesChanges } from '../config/changes.ts';
import { inForceMeanwhile, type LoadedRules, rulesFault, storedArtefact } from '../config/rules.ts';
import { sha256 } from '../digest.ts';
import { insertAlerts, type NewAlert } from '../notify/alerts.ts';
import { deleteMeta, getMeta, setMeta } from '../store/meta.ts';
import { channelsOf, type House } from './house.ts';

/**
 * Whichever process has loaded them, exactly one of the gates and the desk of a store tells. True if an alert is
 * waiting to be delivered.
 */
export async function tellOfRules(house: House, loaded: LoadedRules): Promise<boolean> {
  const now = Date.now();
  const channels = channelsOf(house);
  if (loaded.stale) {
    const fault = rulesFault(loaded);
    return house.store.write((tx) => {
      const sign = sha256(fault);
      if (getMeta(tx, 'rules_fault') === sign) return false;
      setMeta(tx, 'rules_fault', sign);
      writeEvents(tx, [{ type: 'rules.reload_failed', ts: now, 'toolgate.error': fault }]);
      const kept = inForceMeanwhile(loaded);
      insertAlerts(
        tx,
        [
          alert('high', 'The rules have a mistake', {
            Fault: fault.split('\n')[0] ?? '',
            What: `${kept.charAt(0).toUpperCase()}${kept.slice(1)}.`,
          }),
        ],
        channels,
        now,
      );
      return channels.length > 0;
    });
  }
  const folder = sha256(house.folders.config);
  if (loaded.proposed !== null) {
    const { proposed } = loaded;
    return house.store.write((tx) => {
      if (getMeta(tx, `rules proposed ${folder}`) === proposed.hash) return false;
      setMeta(tx, `rules proposed ${folder}`, proposed.hash);
      const told = toldChanges(proposed.changes);
      writeEvents(tx, [
        {
          type: 'rules.proposed',
          ts: now,
          'toolgate.rules': proposed.hash,
          'toolgate.rules.before': loaded.rules?.hash ?? null,
          'toolgate.rules.changes': told,
        },
      ]);
      insertAlerts(
        tx,
        [
          alert('high', 'A change of the rules waits to be accepted', {
            Changes: told.join('\n'),
            What: 'The rules before stay in force until it is accepted: toolgate policy accept, or in the console.',
          }),
        ],
        channels,
        now,
      );
      return channels.length > 0;
    });
  }
  if (loaded.rules === null) return false;
  const { hash, policies } = loaded.rules;
  const key = `rules told ${folder}`;
  return house.store.write((tx) => {
    const before = getMeta(tx, key);
    deleteMeta(tx, 'rules_fault');
    deleteMeta(tx, `rules proposed ${folder}`);
    if (before === hash) return false;
    setMeta(tx, key, hash);
    const earlier = before === null ? null : storedArtefact(tx, before);
    const changes = earlier === null ? null : toldChanges(rulesChanges(earlier.artefact, loaded.rules!.source));
    writeEvents(tx, [
      {
        type: before === null ? 'rules.loaded' : 'rules.changed',
        ts: now,
        'toolgate.rules': hash,
        ...(before !== null && { 'toolgate.rules.before': before }),
        ...(changes !== null && { 'toolgate.rules.changes': changes }),
        'toolgate.policies': policies.file.policies.map(({ name }) => name),
      },
    ]);
    // Comments, tests and the order of the file change nothing that anybody must hear of.
    if (before === null || changes?.length === 0) return false;
    insertAlerts(
      tx,
      [
        alert('medium', 'The rules have changed', {
          Changes: changes === null ? 'the rules before are not known any more' : changes.join('\n'),
          Rules: `${hash.slice(0, 12)}, before: ${before.slice(0, 12)}`,
        }),
      ],
      channels,
      now,
    );
    return channels.length > 0;
  });
}

const MAX_CHANGES = 40;

/** So many lines are enough to be told; the rest are counted. */
function toldChanges(changes: readonly string[]): string[] {
  if (changes.length <= MAX_CHANGES) return [...changes];
  return [...changes.slice(0, MAX_CHANGES), `… and ${changes.length - MAX_CHANGES} more`];
}

function alert(severity: NewAlert['severity'], title: string, detail: Record<string, string>): NewAlert {
  return { severity, kind: 'rules', policy: null, agent: null, title, detail, callId: null };
}
