/** Tells of a change of the rules: an event, and an alert on the channels that they name. */
import { writeEvents } from '../audit/chain.ts';
import { type LoadedRules, rulesFault } from '../config/rules.ts';
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
      const kept =
        loaded.rules === null ? 'There are none yet: every call is refused.' : 'The last good rules stay in force.';
      insertAlerts(
        tx,
        [alert('high', 'The rules have a mistake', { Fault: fault.split('\n')[0] ?? '', What: kept })],
        channels,
        now,
      );
      return channels.length > 0;
    });
  }
  if (loaded.rules === null) return false;
  const { hash, policies } = loaded.rules;
  const key = `rules told ${sha256(house.folders.config)}`;
  return house.store.write((tx) => {
    const before = getMeta(tx, key);
    deleteMeta(tx, 'rules_fault');
    if (before === hash) return false;
    setMeta(tx, key, hash);
    writeEvents(tx, [
      {
        type: before === null ? 'rules.loaded' : 'rules.changed',
        ts: now,
        'toolgate.rules': hash,
        ...(before !== null && { 'toolgate.rules.before': before }),
        'toolgate.policies': policies.file.policies.map(({ name }) => name),
      },
    ]);
    if (before === null) return false;
    insertAlerts(
      tx,
      [
        alert('medium', 'The rules have changed', {
          Rules: `${hash.slice(0, 12)}, before: ${before.slice(0, 12)}`,
          Policies: String(policies.file.policies.length),
        }),
      ],
      channels,
      now,
    );
    return channels.length > 0;
  });
}

function alert(severity: NewAlert['severity'], title: string, detail: Record<string, string>): NewAlert {
  return { severity, kind: 'rules', policy: null, agent: null, title, detail, callId: null };
}
