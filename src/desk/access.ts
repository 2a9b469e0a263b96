/**
 * Who may use the console: a one-time secret becomes a token, which lives as long as this desk. A cookie would reach
 * every port of 127.0.0.1, so the token travels in a header, from `sessionStorage`. Before a page sends it, the desk
 * proves that it knows it: whoever took over a port that became free gets none.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { sha256 } from '../digest.ts';
import { newSecret } from '../ids.ts';

export const TOKEN_HEADER = 'x-toolgate-token';

export interface Access {
  /** A fresh token for a secret that was not spent before; null otherwise. */
  readonly signIn: (secret: string) => Promise<string | null>;
  readonly isValid: (token: string | undefined) => boolean;
  /** HMAC of the page's nonce under the token that has this id; null if there is none. */
  readonly prove: (tokenId: string, nonce: string) => string | null;
}

const MAX_TOKENS = 100;

/** `spend` gives true once for each secret. */
export function createAccess(spend: (secret: string) => Promise<boolean>): Access {
  /** by id: the token's hash, which is all that a page says of it before it has the proof */
  const tokens = new Map<string, Buffer>();
  return {
    signIn: async (secret) => {
      if (!(await spend(secret))) return null;
      const token = newSecret(24, 'base64url');
      const [oldest] = tokens.keys();
      if (tokens.size >= MAX_TOKENS && oldest !== undefined) tokens.delete(oldest);
      tokens.set(tokenId(token), Buffer.from(token));
      return token;
    },
    isValid: (token) => {
      if (token === undefined) return false;
      const known = tokens.get(tokenId(token));
      const given = Buffer.from(token);
      return known !== undefined && known.length === given.length && timingSafeEqual(known, given);
    },
    prove: (id, nonce) => {
      const token = tokens.get(id);
      return token === undefined ? null : createHmac('sha256', token).update(`toolgate ${nonce}`).digest('hex');
    },
  };
}

/** What a page may say of its token to anybody. */
function tokenId(token: string): string {
  return sha256(`toolgate token ${token}`).slice(0, 32);
}
