/** What stands before every request: only this machine's own pages get in, and nothing of theirs can be framed, cached or scripted. */
import type { MiddlewareHandler } from 'hono';
import { type Access, TOKEN_HEADER } from './access.ts';

const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
} as const;

const READING = new Set(['GET', 'HEAD', 'OPTIONS']);

/** `port` is known once the desk listens. */
export function guard(port: () => number): MiddlewareHandler {
  return async (context, next) => {
    for (const [name, value] of Object.entries(HEADERS)) context.header(name, value);
    const hosts = [`127.0.0.1:${port()}`, `localhost:${port()}`];
    // A page of another site may have its name point here (DNS rebinding): the host it asks for is still its own.
    if (!hosts.includes(context.req.header('host') ?? '')) return refusal('this is not the console of that host');
    const site = context.req.header('sec-fetch-site');
    const origin = context.req.header('origin');
    const ours = origin === undefined ? null : hosts.some((host) => origin === `http://${host}`);
    if (READING.has(context.req.method)) {
      if (ours === false) return refusal('another site may not read the console');
    } else if (ours !== true || (site !== undefined && site !== 'same-origin'))
      return refusal('only the console itself may send this');
    return next();
  };
}

/** For everything that shows or changes something. */
export function signedIn(access: Access): MiddlewareHandler {
  return async (context, next) => {
    if (access.isValid(context.req.header(TOKEN_HEADER))) return next();
    return context.json({ error: 'not signed in: run "toolgate console"' }, 401);
  };
}

function refusal(why: string): Response {
  return new Response(JSON.stringify({ error: why }), {
    status: 403,
    headers: { 'content-type': 'application/json', ...HEADERS },
  });
}
