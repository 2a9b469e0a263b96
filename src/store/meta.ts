/** The few single values of a store, each under its name. */
import type { Transaction } from './store.ts';

export function getMeta(tx: Transaction, key: string): string | null {
  return tx.get<{ value: string }>('SELECT value FROM meta WHERE key = ?', key)?.value ?? null;
}

export function setMeta(tx: Transaction, key: string, value: string): void {
  tx.run(
    'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
    key,
    value,
  );
}

export function deleteMeta(tx: Transaction, key: string): void {
  tx.run('DELETE FROM meta WHERE key = ?', key);
}
