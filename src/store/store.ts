/**
 * The one place where processes meet: an SQLite file in WAL mode. No statement keeps the event loop waiting for
 * another process: SQLite gives up after a few milliseconds and the write is tried again, asynchronously.
 */
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { GatewayError, messageOf } from '../errors.ts';
import { makeFolder } from '../files.ts';
import { newSecret } from '../ids.ts';
import { createLine, WAIT_MS } from './line.ts';
import { MIGRATIONS, SCHEMA_VERSION } from './migrations.ts';

const FILE_NAME = 'toolgate.db';
/** How long SQLite itself may wait for a lock: the loop stands still meanwhile. */
const BUSY_MS = 5;
const BRIEF_LOG_PAGES = 100;

export interface Store {
  readonly folder: string;
  /** Runs `work` in one `BEGIN IMMEDIATE`; all of it is committed, or none. Throws `store_unavailable`. */
  readonly write: <T>(work: (tx: Transaction) => T) => Promise<T>;
  /** The same, and on the disk when it resolves: it survives a power cut. */
  readonly writeDurably: <T>(work: (tx: Transaction) => T) => Promise<T>;
  /** Runs `work` on a consistent view. Throws `store_unavailable`. */
  readonly read: <T>(work: (tx: Transaction) => T) => Promise<T>;
  /**
   * Empties the write-ahead log, in which what was erased still stands. False while another process reads or writes:
   * try again later. It syncs to the disk: not for a process that answers agents.
   */
  readonly emptyLog: () => boolean;
  /** Changes when another process has committed; own writes don't count. */
  readonly dataVersion: () => number;
  readonly close: () => void;
}

export type SqlValue = null | number | string;

/** Prepared once per connection, by text. */
export interface Transaction {
  readonly run: (sql: string, ...values: SqlValue[]) => number;
  readonly get: <Row>(sql: string, ...values: SqlValue[]) => Row | undefined;
  readonly all: <Row>(sql: string, ...values: SqlValue[]) => Row[];
}

/**
 * Opens the store of a state folder; if that fails, each use tries again, so that a mended disk needs no restart. `brief`: for
 * a process that ends right after it has closed. It leaves the write-ahead log as it is, for whoever comes next: folding it in
 * would cost each of them more than all that it writes.
 */
export function openStore(folder: string, brief = false): Store {
  let connection: Connection | null = null;
  let closed = false;
  const connected = (): Connection => {
    // What comes late must not make a folder anew that was taken away.
    if (closed) throw new GatewayError('store_unavailable', 'the store is closed');
    connection ??= connect(folder, brief);
    return connection;
  };
  const explained = (error: unknown): never => {
    throw error instanceof GatewayError ? error : unavailable(folder, error);
  };
  const line = createLine(isBusy);
  const write = <T>(work: (db: Connection) => T): Promise<T> => line(() => work(connected())).catch(explained);
  return {
    folder,
    write: (work) => write((db) => db.transaction('BEGIN IMMEDIATE', work)),
    writeDurably: (work) => write((db) => db.durably(() => db.transaction('BEGIN IMMEDIATE', work))),
    // It needs no lock of writers, and must not stand behind them.
    read: (work) => createLine(isBusy)(() => connected().transaction('BEGIN', work)).catch(explained),
    emptyLog: () => {
      try {
        return connected().get<{ busy: number }>('PRAGMA wal_checkpoint(TRUNCATE)')?.busy === 0;
      } catch (error) {
        if (isBusy(error)) return false;
        throw unavailable(folder, error);
      }
    },
    dataVersion: () => Number(connected().get<{ data_version: number }>('PRAGMA data_version')!.data_version),
    close: () => {
      closed = true;
      if (!brief) connection?.database.close();
      connection = null;
    },
  };
}

class Connection implements Transaction {
  readonly database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.database = database;
  }

  run(sql: string, ...values: SqlValue[]): number {
    return Number(this.#prepare(sql).run(...values).changes);
  }

  get<Row>(sql: string, ...values: SqlValue[]): Row | undefined {
    return this.#prepare(sql).get(...values) as Row | undefined;
  }

  all<Row>(sql: string, ...values: SqlValue[]): Row[] {
    return this.#prepare(sql).all(...values) as Row[];
  }

  transaction<T>(begin: 'BEGIN' | 'BEGIN IMMEDIATE', work: (tx: Transaction) => T): T {
    this.run(begin);
    try {
      this.#checkVersion();
      const result = work(this);
      this.run('COMMIT');
      return result;
    } catch (error) {
      if (this.database.isTransaction) this.database.exec('ROLLBACK');
      throw error;
    }
  }

  /** In WAL mode only FULL waits for the disk at each commit. */
  durably<T>(work: () => T): T {
    this.database.exec('PRAGMA synchronous = FULL');
    try {
      return work();
    } finally {
      this.database.exec('PRAGMA synchronous = NORMAL');
    }
  }

  /** A store that a newer program has migrated must not be written without its new columns. */
  #checkVersion(): void {
    const version = this.get<{ user_version: number }>('PRAGMA user_version')!.user_version;
    if (version > SCHEMA_VERSION) throw newerStore();
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

function connect(folder: string, brief: boolean): Connection {
  makeFolder(folder);
  const path = join(folder, FILE_NAME);
  const database = new DatabaseSync(path, { timeout: BUSY_MS, enableForeignKeyConstraints: true });
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON;');
    // What is left is read by the next one: a short log is read at once.
    if (brief) database.exec(`PRAGMA wal_autocheckpoint = ${BRIEF_LOG_PAGES}`);
    for (const suffix of ['', '-wal', '-shm']) chmodIfThere(path + suffix);
    migrate(database);
    return new Connection(database);
  } catch (error) {
    database.close();
    throw error;
  }
}

function migrate(database: DatabaseSync): void {
  const version = () =>
    Number((database.prepare('PRAGMA user_version').get() as { user_version: number }).user_version);
  if (version() === SCHEMA_VERSION) return;
  database.exec('BEGIN IMMEDIATE');
  try {
    const from = version();
    if (from > SCHEMA_VERSION) throw newerStore();
    for (const step of MIGRATIONS.slice(from)) database.exec(step);
    if (from === 0) {
      const insert = database.prepare('INSERT INTO meta (key, value) VALUES (?, ?)');
      insert.run('genesis', newSecret(32, 'hex'));
      insert.run('digest_key', newSecret(32, 'hex'));
    }
    database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`);
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function newerStore(): GatewayError {
  return new GatewayError(
    'store_unavailable',
    'the store was written by a newer toolgate: restart your agent, so that it starts that one',
  );
}

function chmodIfThere(path: string): void {
  try {
    chmodSync(path, 0o600);
  } catch {
    // Not there yet, or not ours; SQLite says so itself if it matters.
  }
}

/** SQLITE_BUSY (5) and SQLITE_LOCKED (6), with their extended codes. */
function isBusy(error: unknown): boolean {
  const code = (error as { errcode?: number }).errcode;
  return code !== undefined && (code & 0xff) >= 5 && (code & 0xff) <= 6;
}

function unavailable(folder: string, error: unknown): GatewayError {
  const reason = isBusy(error)
    ? `it stayed locked by another process for ${WAIT_MS / 1000} s`
    : `${messageOf(error)}; free space, or check who may write there`;
  return new GatewayError('store_unavailable', `the store in ${folder} can't be used: ${reason}`, { cause: error });
}
