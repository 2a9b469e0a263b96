/** The store's schema, as steps. A step that has been released is never changed: add another. */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

  -- One hash chain: hash = sha256(prev || body). The columns beside the body repeat it, and are verified with it.
  CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    ts INTEGER NOT NULL,
    type TEXT NOT NULL,
    call_id TEXT,
    body TEXT NOT NULL,
    hash TEXT NOT NULL
  ) STRICT;
  CREATE INDEX events_call ON events (call_id) WHERE call_id IS NOT NULL;

  CREATE TABLE agents (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    strength TEXT NOT NULL,
    known_by TEXT NOT NULL,
    first_seen INTEGER,
    last_seen INTEGER,
    status TEXT,
    disallowed_raised INTEGER NOT NULL DEFAULT 0,
    key_hash TEXT
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE tools (
    server TEXT NOT NULL,
    name TEXT NOT NULL,
    definition_hash TEXT NOT NULL,
    definition TEXT NOT NULL,
    accepted_hash TEXT NOT NULL,
    status TEXT,
    integration TEXT NOT NULL,
    tool TEXT NOT NULL,
    operation TEXT,
    source TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    PRIMARY KEY (server, name)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE processes (
    pid INTEGER PRIMARY KEY,
    started_at TEXT NOT NULL,
    gate_pid INTEGER NOT NULL,
    gate_started_at TEXT NOT NULL
  ) STRICT;

  CREATE TABLE rules (
    hash TEXT PRIMARY KEY,
    artefact TEXT NOT NULL,
    artefact_hash TEXT NOT NULL,
    loaded_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE alerts (
    id TEXT PRIMARY KEY,
    created_at INTEGER NOT NULL,
    severity TEXT NOT NULL,
    kind TEXT NOT NULL,
    policy TEXT,
    agent TEXT,
    title TEXT NOT NULL,
    detail TEXT NOT NULL,
    call_id TEXT
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE deliveries (
    alert_id TEXT NOT NULL REFERENCES alerts (id),
    channel TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL,
    claimed_by TEXT,
    done_at INTEGER,
    error TEXT,
    PRIMARY KEY (alert_id, channel)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX deliveries_open ON deliveries (next_at) WHERE state IN ('pending', 'sending');
  `,
  `
  CREATE TABLE approvals (
    id TEXT PRIMARY KEY,
    code TEXT NOT NULL,
    digest TEXT NOT NULL,
    state TEXT NOT NULL,
    session TEXT NOT NULL,
    call_id TEXT NOT NULL,
    -- what people are shown of it, secrets masked; kept when it has ended
    subject TEXT NOT NULL,
    -- the exact request; erased when it has ended
    request TEXT,
    requirements TEXT NOT NULL,
    rules TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    decide_by INTEGER NOT NULL,
    decided_at INTEGER,
    run_by INTEGER,
    ended_at INTEGER,
    ended_why TEXT,
    -- the process that serves its connection: with it ends whatever could use an approval
    gate TEXT NOT NULL,
    -- the call that waits for it, and its process
    waiter TEXT,
    -- which config folder asked, and who its reviewers were
    config TEXT NOT NULL,
    reviewers TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX approvals_code ON approvals (code) WHERE state IN ('open', 'approved');
  CREATE INDEX approvals_ended ON approvals (ended_at) WHERE ended_at IS NOT NULL;
  CREATE INDEX approvals_live ON approvals (digest) WHERE state IN ('open', 'approved');

  CREATE TABLE votes (
    approval_id TEXT NOT NULL REFERENCES approvals (id),
    -- os:<user> or key:<reviewer>: one human speaks once, whatever the channel
    voter TEXT NOT NULL,
    verdict TEXT NOT NULL,
    channel TEXT NOT NULL,
    reason TEXT,
    at INTEGER NOT NULL,
    PRIMARY KEY (approval_id, voter)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE reviewer_keys (
    reviewer TEXT PRIMARY KEY,
    key_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- One-time sign-ins of the console.
  CREATE TABLE logins (
    secret_hash TEXT PRIMARY KEY,
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  ALTER TABLE alerts ADD COLUMN approval_id TEXT;
  `,
  `
  -- What policies with a rate count: one row for each call that was allowed to run, until its window has passed.
  CREATE TABLE counted (
    counter TEXT NOT NULL,
    at INTEGER NOT NULL,
    call_id TEXT NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (counter, at, call_id)
  ) STRICT, WITHOUT ROWID;

  -- Approvals that count for more than one call.
  CREATE TABLE grants (
    id TEXT PRIMARY KEY,
    policy TEXT NOT NULL,
    kind TEXT NOT NULL,
    approval_id TEXT NOT NULL REFERENCES approvals (id),
    covers TEXT NOT NULL,
    granted_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    until INTEGER,
    ended_at INTEGER,
    agent_id TEXT NOT NULL,
    agent_strength TEXT NOT NULL,
    agent_status TEXT NOT NULL,
    method TEXT,
    server TEXT,
    called_name TEXT NOT NULL,
    tool_status TEXT NOT NULL,
    definition_hash TEXT,
    launch TEXT NOT NULL,
    session TEXT NOT NULL,
    digest TEXT NOT NULL,
    rules TEXT NOT NULL,
    config TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX grants_live ON grants (policy, agent_id, called_name) WHERE ended_at IS NULL;

  -- JSON of what was offered to be remembered, by policy, and wanted; null: nothing
  ALTER TABLE votes ADD COLUMN remember TEXT;
  `,
];

/** What this program writes; a store with a higher number was written by a newer one. */
export const SCHEMA_VERSION = MIGRATIONS.length;
