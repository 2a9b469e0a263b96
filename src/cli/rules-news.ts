/** Tells of a change of the rules: an event, and an alert on the channels that they name. */
import { writeEvents } from '../audit/chain.ts';
import { type LoadedRules, rulesFault, setMeta } from '../config/rules.ts';
import { sha256 } from '../digest.ts';
import { insertAlerts, type NewAlert } from '../notify/alerts.ts';
import { channelsOf, type House } from './house.ts';

/** Of several gates on one store exactly one tells. True if an alert is waiting to be delivered. */
export async function tellOfRules(house: House, loaded: LoadedRules): Promise<boolean> {
  const now = Date.now();
  const channels = channelsOf(house);
  if (loaded.stale) {
    const fault = rulesFault(loaded);
    return house.store.write((tx) => {
      const sign = sha256(fault);
      if (tx.get<{ value: string }>("SELECT value FROM meta WHERE key = 'rules_fault'")?.value === sign) return false;
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
  if (loaded.rules === null || (loaded.replaced === null && !loaded.first)) return false;
  const { hash, policies } = loaded.rules;
  return house.store.write((tx) => {
    tx.run("DELETE FROM meta WHERE key = 'rules_fault'");
    writeEvents(tx, [
      {
        type: loaded.replaced === null ? 'rules.loaded' : 'rules.changed',
        ts: now,
        'toolgate.rules': hash,
        ...(loaded.replaced !== null && { 'toolgate.rules.before': loaded.replaced }),
        'toolgate.policies': policies.file.policies.map(({ name }) => name),
      },
    ]);
    if (loaded.replaced === null) return false;
    insertAlerts(
      tx,
      [
        alert('medium', 'The rules have changed', {
          Rules: `${hash.slice(0, 12)}, before: ${loaded.replaced.slice(0, 12)}`,
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
