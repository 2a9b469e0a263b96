/** Names of things, and secrets. Node's own crypto is loaded where one is made: a hook mostly ends without. */

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** A short code for people, of that many letters; random, and no credential. */
export function newCode(letters: number): string {
  return [...randomBytes(letters)].map((byte) => CROCKFORD[byte % 32]).join('');
}

/** Random, for what opens something: `bytes` of it as text. */
export function newSecret(bytes: number, encoding: 'hex' | 'base64url'): string {
  return randomBytes(bytes).toString(encoding);
}

function randomBytes(count: number): Buffer {
  return process.getBuiltinModule('node:crypto').randomBytes(count);
}

/** A ULID: 26 characters that sort by time (48 bits of milliseconds, 80 random bits); unique, and no secret. */
export function newId(now: number = Date.now()): string {
  if (now !== lastTime) {
    lastTime = now;
    lastPrefix = '';
    for (let i = 0, rest = now; i < 10; i++, rest = Math.floor(rest / 32))
      lastPrefix = CROCKFORD[rest % 32] + lastPrefix;
  }
  let tail = '';
  for (let i = 0; i < 16; i++) tail += CROCKFORD[Math.floor(Math.random() * 32)];
  return lastPrefix + tail;
}

let lastTime = -1;
let lastPrefix = '';
