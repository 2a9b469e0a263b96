import { randomBytes } from 'node:crypto';

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** A short code for people, of that many letters; random, and no credential. */
export function newCode(letters: number): string {
  return [...pooled(letters)].map((byte) => CROCKFORD[byte % 32]).join('');
}

/** A ULID: 26 characters that sort by time (48 bits of milliseconds, 80 random bits). */
export function newId(now: number = Date.now()): string {
  if (now !== lastTime) {
    lastTime = now;
    lastPrefix = '';
    for (let i = 0, rest = now; i < 10; i++, rest = Math.floor(rest / 32))
      lastPrefix = CROCKFORD[rest % 32] + lastPrefix;
  }
  const random = pooled(16);
  let tail = '';
  for (let i = 0; i < 16; i++) tail += CROCKFORD[random[i]! % 32];
  return lastPrefix + tail;
}

let lastTime = -1;
let lastPrefix = '';

// One system call gives random bytes for 1024 ids: a call through the gate makes one each.
let pool = Buffer.alloc(0);
let used = 0;
function pooled(count: number): Buffer {
  if (used + count > pool.length) {
    pool = randomBytes(16_384);
    used = 0;
  }
  used += count;
  return pool.subarray(used - count, used);
}
