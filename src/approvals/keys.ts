/** What shows who a reviewer is where there is no terminal: a key, of which the store keeps the hash; and one-time sign-ins. */
import { sha256 } from '../digest.ts';
import { newSecret } from '../ids.ts';
import type { Transaction } from '../store/store.ts';
import { voterOfKey, voterOfUser } from './reviewers.ts';

/** Mints a reviewer's key; an earlier one stops working. It is shown once. */
export function mintReviewerKey(tx: Transaction, reviewer: string, now: number): string {
  const key = `tgr_${newSecret(24, 'base64url')}`;
  tx.run(
    'INSERT INTO reviewer_keys (reviewer, key_hash, created_at) VALUES (?, ?, ?) ON CONFLICT (reviewer) DO UPDATE SET key_hash = excluded.key_hash, created_at = excluded.created_at',
    reviewer,
    sha256(key),
    now,
  );
  return key;
}

/** Whose key it is; null if nobody's. */
export function reviewerOfKey(tx: Transaction, key: string): string | null {
  return (
    tx.get<{ reviewer: string }>('SELECT reviewer FROM reviewer_keys WHERE key_hash = ?', sha256(key.trim()))
      ?.reviewer ?? null
  );
}

/** False if there was none. */
export function forgetReviewerKey(tx: Transaction, reviewer: string): boolean {
  return tx.run('DELETE FROM reviewer_keys WHERE reviewer = ?', reviewer) === 1;
}

export function reviewersWithKey(tx: Transaction): string[] {
  return tx
    .all<{ reviewer: string }>('SELECT reviewer FROM reviewer_keys ORDER BY reviewer')
    .map(({ reviewer }) => reviewer);
}

/** Everybody who has a way to answer here: this user, and whoever holds a key. */
export function votersHere(tx: Transaction, user: string): string[] {
  return [voterOfUser(user), ...reviewersWithKey(tx).map(voterOfKey)];
}

const LOGIN_MS = 60_000;
const LONGEST_LOGIN_MS = 600_000;

/** A secret that signs one page of the console in, once, within a minute or as long as is said, ten at most. */
export function mintLogin(tx: Transaction, now: number, validMs = LOGIN_MS): string {
  const secret = newSecret(24, 'base64url');
  tx.run('DELETE FROM logins WHERE expires_at < ?', now);
  tx.run(
    'INSERT INTO logins (secret_hash, expires_at) VALUES (?, ?)',
    sha256(secret),
    now + Math.min(validMs, LONGEST_LOGIN_MS),
  );
  return secret;
}

/** True once for each secret, and not after its time; a clock that was set back ends it too. */
export function spendLogin(tx: Transaction, secret: string, now: number): boolean {
  return (
    tx.run(
      'DELETE FROM logins WHERE secret_hash = ? AND expires_at >= ? AND expires_at <= ?',
      sha256(secret),
      now,
      now + LONGEST_LOGIN_MS,
    ) === 1
  );
}
