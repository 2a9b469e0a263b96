/** The console: pages and their data, on loopback, for the person whose desk this is. GET never decides. */
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { userInfo } from 'node:os';
import { type HttpBindings, serve } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { streamSSE } from 'hono/streaming';
import type { Approval, Verdict, Waiter } from '../approvals/approval.ts';
import { type Answered, endedApprovals, findApproval, findByCode, liveApprovals } from '../approvals/book.ts';
import type { Grant } from '../approvals/grants.ts';
import { spendLogin } from '../approvals/keys.ts';
import { eventsOfCall, type LogFilter, listEvents, outcomesOf } from '../audit/query.ts';
import { messageOf } from '../errors.ts';
import { UNSEEN } from '../problem.ts';
import type { Store, Transaction } from '../store/store.ts';
import { createAccess } from './access.ts';
import { guard, signedIn } from './guard.ts';
import { ownerOfPeer } from './peer.ts';
import { Shell } from './shell.tsx';
import { activityDetail, activityLine, approvalDetail, approvalLine } from './views.ts';

const MAX_BODY_BYTES = 64 * 1024;
const PAGE = 100;
const ENDED_SHOWN = 50;
const HEARTBEAT_MS = 10_000;
/** Changes of one moment are one message. */
const GATHER_MS = 100;

export interface ConsolePorts {
  readonly store: Store;
  readonly version: string;
  /** names this desk: a page knows when it speaks to another */
  readonly instance: string;
  readonly port: number;
  /** whose desk it is: `os:<user>` */
  readonly voter: string;
  readonly assets: URL;
  readonly isWaiting: (waiter: Waiter) => boolean;
  readonly answer: (id: string, verdict: Verdict, reason: string | null, remember: boolean) => Promise<Answered | null>;
  /** the remembered approvals that count */
  readonly grants: (tx: Transaction) => readonly Grant[];
  readonly revoke: (id: string) => Promise<Grant | null>;
  /** the change of the rules that waits to be accepted, a line of words each */
  readonly proposed: () => { readonly hash: string; readonly changes: readonly string[] } | null;
  /** null: it is in force; else why not */
  readonly acceptRules: (hash: string) => Promise<string | null>;
  readonly log: (message: string) => void;
}

export interface Console {
  readonly port: number;
  /** the store has changed: open pages are told */
  readonly changed: () => void;
  /** how many pages are open */
  readonly pages: () => number;
  readonly close: () => Promise<void>;
}

export async function openConsole(ports: ConsolePorts): Promise<Console> {
  const listeners = new Set<() => void>();
  let port = 0;
  const app = consoleApp(ports, () => port, listeners);
  const server = await listen(app, ports.port).catch(() => listen(app, 0));
  port = (server.address() as AddressInfo).port;
  return {
    port,
    changed: () => {
      for (const tell of listeners) tell();
    },
    pages: () => listeners.size,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(app: Hono, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port }, () => resolve(server)) as Server;
    server.once('error', reject);
  });
}

function consoleApp(ports: ConsolePorts, port: () => number, listeners: Set<() => void>): Hono {
  const { store } = ports;
  const access = createAccess((secret) => store.write((tx) => spendLogin(tx, secret, Date.now())));
  const app = new Hono();
  const asset = (name: string) => readFileSync(new URL(name, ports.assets), 'utf8');
  const script = asset('console.js');
  const style = asset('console.css');
  const icon = asset('icon.svg');

  app.onError((error, context) => {
    ports.log(messageOf(error));
    return context.json({ error: messageOf(error) }, 500);
  });
  app.use(guard(port));
  app.use(bodyLimit({ maxSize: MAX_BODY_BYTES }));

  for (const path of ['/', '/approvals', '/approvals/:id', '/activity'])
    app.get(path, (context) => context.html(`<!doctype html>${Shell({ version: ports.version })}`));
  app.get('/console.js', (context) => context.body(script, 200, { 'content-type': 'text/javascript; charset=utf-8' }));
  const unseen = `export const UNSEEN = ${JSON.stringify(UNSEEN)};`;
  app.get('/unseen.js', (context) => context.body(unseen, 200, { 'content-type': 'text/javascript; charset=utf-8' }));
  app.get('/console.css', (context) => context.body(style, 200, { 'content-type': 'text/css; charset=utf-8' }));
  app.get('/icon.svg', (context) => context.body(icon, 200, { 'content-type': 'image/svg+xml' }));
  app.get('/favicon.ico', (context) => context.body(null, 204));

  app.get('/api/hello', (context) =>
    context.json({
      instance: ports.instance,
      proof: access.prove(context.req.query('token') ?? '', (context.req.query('nonce') ?? '').slice(0, 200)),
    }),
  );
  app.post('/api/login', async (context) => {
    // The secret stood in the arguments of a process, which other users of this machine can read.
    const peer = ownerOfPeer((context.env as HttpBindings).incoming.socket);
    if (peer !== null && peer !== userInfo().uid) return context.json({ error: "this console is another user's" }, 403);
    const { secret } = await bodyOf(context);
    const token = typeof secret === 'string' ? await access.signIn(secret) : null;
    return token === null
      ? context.json({ error: 'this sign-in is spent or too old: run "toolgate console" again' }, 401)
      : context.json({ token });
  });

  const api = new Hono();
  api.use(signedIn(access));
  api.get('/live', (context) =>
    streamSSE(context, async (stream) => {
      const changes = createSignal();
      listeners.add(changes.raise);
      stream.onAbort(() => {
        listeners.delete(changes.raise);
        changes.raise();
      });
      try {
        while (!stream.aborted && !stream.closed) {
          const now = await store.read(standing);
          const proposed = ports.proposed()?.hash ?? '';
          await stream.writeSSE({ data: JSON.stringify({ ...now, approvals: now.approvals + proposed }) });
          await changes.next(HEARTBEAT_MS);
          await new Promise((resolve) => setTimeout(resolve, GATHER_MS));
        }
      } finally {
        listeners.delete(changes.raise);
      }
    }),
  );
  const line = (approval: Approval) => approvalLine(approval, isWaitedFor(approval, ports));
  api.get('/approvals', async (context) => {
    const { live, ended, grants } = await store.read((tx) => ({
      live: liveApprovals(tx),
      ended: endedApprovals(tx, ENDED_SHOWN),
      grants: ports.grants(tx),
    }));
    return context.json({
      now: Date.now(),
      open: live.map(line),
      ended: ended.map(line),
      grants,
      proposed: ports.proposed(),
    });
  });
  const detail = (approval: Approval) => approvalDetail(approval, isWaitedFor(approval, ports), ports.voter);
  api.get('/approvals/:id', async (context) => {
    const id = context.req.param('id');
    const approval = await store.read((tx) => findByCode(tx, id));
    return approval === null
      ? context.json({ error: 'there is no such approval' }, 404)
      : context.json({ now: Date.now(), approval: detail(approval) });
  });
  api.post('/approvals/:id/:verdict{approve|deny}', async (context) => {
    const { reason, remember } = await bodyOf(context);
    const verdict = context.req.param('verdict') as Verdict;
    const said = typeof reason === 'string' && reason.trim() !== '' ? reason.trim().slice(0, 2000) : null;
    const id = context.req.param('id');
    const answered = await ports.answer(id, verdict, said, remember === true);
    for (const tell of listeners) tell();
    if (answered === null) return context.json({ error: 'there is no such approval' }, 404);
    const now = (await store.read((tx) => findApproval(tx, id))) ?? answered.approval;
    if (answered.kind === 'answered') return context.json({ now: Date.now(), approval: detail(now) });
    const why = answered.kind === 'refused' ? answered.why : 'it has already been decided';
    return context.json({ error: why, now: Date.now(), approval: detail(now) }, 409);
  });
  api.post('/grants/:id/revoke', async (context) => {
    const revoked = await ports.revoke(context.req.param('id'));
    for (const tell of listeners) tell();
    return revoked === null
      ? context.json({ error: 'it is no longer remembered' }, 404)
      : context.json({ now: Date.now() });
  });
  api.post('/rules/accept', async (context) => {
    const { hash } = await bodyOf(context);
    const why = await ports.acceptRules(String(hash));
    for (const tell of listeners) tell();
    return why === null ? context.json({ now: Date.now() }) : context.json({ error: why }, 409);
  });
  api.get('/activity', async (context) => {
    const query = context.req.query();
    const before = Number(query['before']);
    const filter: LogFilter = {
      type: 'call.decided',
      limit: PAGE,
      ...Object.fromEntries(
        ['agent', 'integration', 'operation', 'decision', 'policy', 'server', 'via', 'text'].flatMap((key) =>
          query[key] ? [[key, query[key]]] : [],
        ),
      ),
      ...(Number.isSafeInteger(before) && before > 0 && { beforeSeq: before }),
    };
    const calls = await store.read((tx) => {
      const decided = listEvents(tx, filter);
      const outcomes = outcomesOf(
        tx,
        decided.flatMap(({ body }) => body.call_id ?? []),
      );
      return decided.map((event) => activityLine(event, outcomes.get(event.body.call_id ?? '')));
    });
    return context.json({ now: Date.now(), calls, more: calls.length === PAGE });
  });
  api.get('/activity/:id', async (context) => {
    const found = activityDetail(await store.read((tx) => eventsOfCall(tx, context.req.param('id'))));
    return found === null ? context.json({ error: 'there is no such call' }, 404) : context.json({ call: found });
  });
  app.route('/api', api);
  return app;
}

function isWaitedFor({ waiter }: Approval, ports: ConsolePorts): boolean {
  return waiter !== null && ports.isWaiting(waiter);
}

/** What a page needs to know in order to see whether it is up to date. */
function standing(tx: Transaction) {
  const open = tx.get<{ n: number }>("SELECT count(*) AS n FROM approvals WHERE state = 'open'")!.n;
  const live = tx.all<object>(
    "SELECT id, state, waiter, rules, requirements, decide_by, (SELECT count(*) FROM votes WHERE approval_id = id) AS votes FROM approvals WHERE state IN ('open', 'approved') ORDER BY id",
  );
  const ended = tx.get<{ last: number | null }>(
    'SELECT max(ended_at) AS last FROM approvals WHERE ended_at IS NOT NULL',
  )!.last;
  const granted = tx.get<{ n: number }>('SELECT count(*) AS n FROM grants WHERE ended_at IS NULL')!.n;
  const seq = tx.get<{ seq: number | null }>('SELECT max(seq) AS seq FROM events')!.seq ?? 0;
  return { now: Date.now(), open, approvals: JSON.stringify([live, ended, granted]), seq };
}

async function bodyOf(context: Context): Promise<Record<string, unknown>> {
  const body: unknown = await context.req.json().catch(() => null);
  return body !== null && typeof body === 'object' ? (body as Record<string, unknown>) : {};
}

/** Waits for the next raise, one that came meanwhile included, or for the time. */
function createSignal() {
  let raised = false;
  let wake: (() => void) | null = null;
  return {
    raise: () => {
      raised = true;
      wake?.();
    },
    next: async (ms: number) => {
      if (!raised)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      raised = false;
      wake = null;
    },
  };
}
