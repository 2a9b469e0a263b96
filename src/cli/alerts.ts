/** `toolgate alerts`: the newest alerts, and how far each delivery is. */
import { listAlerts } from '../notify/alerts.ts';
import { type HouseFlags, openHouse } from './house.ts';
import { complain, print, printJson, table, when } from './output.ts';

export async function alertsList(flags: HouseFlags & { json?: boolean; limit?: string }): Promise<number> {
  const limit = Number(flags.limit ?? 50);
  if (!Number.isInteger(limit) || limit < 1 || limit > 100_000) {
    complain('--limit must be a number from 1 to 100000');
    return 2;
  }
  const house = await openHouse(flags);
  const alerts = await house.store.read((tx) => listAlerts(tx, limit));
  await house.close();
  if (flags.json) printJson(alerts.map((alert) => ({ ...alert, detail: JSON.parse(alert.detail) })));
  else if (alerts.length === 0) complain('no alert so far');
  else {
    const rows = alerts.map((alert) => {
      const delivered = alert.deliveries
        .map(
          ({ channel, state, error }) =>
            `${channel} ${state}${error === null || state === 'sent' ? '' : ` (${error})`}`,
        )
        .join(', ');
      return [
        when(alert.created_at),
        alert.severity,
        alert.title,
        alert.policy ?? '',
        delivered === '' ? 'no channel' : delivered,
      ];
    });
    print(table(['TIME', 'SEVERITY', 'WHAT', 'POLICY', 'DELIVERY'], rows));
  }
  return 0;
}
