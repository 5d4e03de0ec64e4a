import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely';
import { isBusy } from './store-failure.ts';

/** SQLite waits for a lock with the whole thread stopped: only so long, the rest is waited for without blocking. */
const BLOCKING_WAIT_MS_MAX = 10;
const RETRY_MS = 15;
const CACHED_STATEMENTS_MAX = 256;

/** One connection to a SQLite file, as Kysely wants to see it. */
export class SqliteConnection implements DatabaseConnection {
  readonly #database: DatabaseSync;
  readonly #busyMsMax: number;
  readonly #statements = new Map<string, StatementSync>();

  /** @param busyMsMax milliseconds to wait for a lock that another process holds */
  constructor(file: string, options: { readOnly: boolean; busyMsMax: number }) {
    this.#database = new DatabaseSync(file, {
      readOnly: options.readOnly,
      timeout: BLOCKING_WAIT_MS_MAX,
      enableForeignKeyConstraints: true,
      enableDoubleQuotedStringLiterals: false,
    });
    this.#busyMsMax = options.busyMsMax;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    // Inside a transaction the write lock is held already: waiting there could only hide a mistake.
    if (this.#database.isTransaction) return this.#execute(query.sql, query.parameters);
    return await this.#patiently(() => this.#execute<R>(query.sql, query.parameters));
  }

  // biome-ignore lint/correctness/useYield: it refuses, in the form that Kysely's contract wants
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('the SQLite store streams nothing: page instead');
  }

  /** Takes the write lock at once: a transaction that reads first and then writes can fail in the middle (SQLITE_BUSY_SNAPSHOT). */
  async begin(): Promise<void> {
    await this.#patiently(() => this.#database.exec('begin immediate'));
  }

  commit(): void {
    this.#database.exec('commit');
  }

  /** Does nothing where SQLite rolled back by itself, as it does on a full disk. */
  rollback(): void {
    if (this.#database.isTransaction) this.#database.exec('rollback');
  }

  /** Runs statements without parameters, waiting for locks. */
  async run(statements: string): Promise<void> {
    await this.#patiently(() => this.#database.exec(statements));
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #execute<R>(text: string, parameters: readonly unknown[]): QueryResult<R> {
    const statement = this.#prepare(text);
    const values = parameters as SQLInputValue[];
    // Whether it gives rows, the statement itself tells: node:sqlite has no `reader` as better-sqlite3 has.
    if (statement.columns().length > 0) return { rows: statement.all(...values) as R[] };
    return { rows: [], numAffectedRows: BigInt(statement.run(...values).changes) };
  }

  #prepare(text: string): StatementSync {
    const held = this.#statements.get(text);
    if (held !== undefined) return held;
    const statement = this.#database.prepare(text);
    if (this.#statements.size < CACHED_STATEMENTS_MAX) this.#statements.set(text, statement);
    return statement;
  }

  async #patiently<T>(act: () => T): Promise<T> {
    const until = performance.now() + this.#busyMsMax;
    for (;;) {
      try {
        return act();
      } catch (error) {
        if (!isBusy(error) || performance.now() >= until) throw error;
      }
      await sleep(RETRY_MS);
    }
  }
}
