import { closeSync, openSync } from 'node:fs';
import { Kysely, sql } from 'kysely';
import type { Apps } from '../domain/app.ts';
import type { Budgets } from '../domain/budget.ts';
import { GatewayError } from '../domain/errors.ts';
import type { LearnedLimits } from '../domain/learning.ts';
import type { MasonKeys } from '../domain/mason-key.ts';
import type { People, SignInLinks } from '../domain/person.ts';
import type { SessionStore } from '../domain/session.ts';
import type { Teams } from '../domain/team.ts';
import type { Tokens } from '../domain/token.ts';
import { read } from './access.ts';
import { storedApps } from './apps.ts';
import { storedBudgets } from './budgets.ts';
import { storedLearnedLimits } from './learned-limits.ts';
import { storedMasonKeys } from './mason-keys.ts';
import { migrate } from './migrate.ts';
import { type ColumnTypes, MIGRATIONS, type Migration } from './migrations.ts';
import { storedPeople } from './people.ts';
import { ANSWER_MS_MAX } from './promptly.ts';
import type { Database, Tables } from './schema.ts';
import { storedSessions } from './sessions.ts';
import { type Settings, storedSettings } from './settings.ts';
import { storedSignInLinks } from './sign-in-links.ts';
import { SqliteConnection } from './sqlite-connection.ts';
import { sqliteDialect } from './sqlite-dialect.ts';
import { storedTeams } from './teams.ts';
import { storedTokens } from './tokens.ts';

/** What outlives the process. Every method may throw GatewayError `store_unavailable`. */
export interface Store extends AsyncDisposable {
  readonly teams: Teams;
  readonly apps: Apps;
  readonly budgets: Budgets;
  readonly learnedLimits: LearnedLimits;
  readonly keys: MasonKeys;
  readonly tokens: Tokens;
  readonly people: People;
  readonly links: SignInLinks;
  readonly sessions: SessionStore;
  readonly settings: Settings;
  /**
   * Grows with each change to teams, apps, budgets, keys, tokens and people (uses and sign-ins are none), by whichever
   * process. Sessions do not move it: there are many, and who holds them looks at each one anyway.
   */
  revision(): Promise<number>;
  /** Idempotent. What is asked afterwards fails with `store_unavailable`. */
  close(): Promise<void>;
}

export interface StoreOptions {
  /** The SQLite file; made with mode 0600 when absent. Several processes may share it. */
  readonly file: string;
  /** Milliseconds that a change waits for another process' change, default 5,000; what a browser waits for gives up sooner. */
  readonly busyMsMax?: number;
  /** Replaced in tests of upgrades. */
  readonly migrations?: readonly Migration[];
}

const SQLITE_TYPES: ColumnTypes = { blob: 'blob', integer: 'integer', tableEnd: 'strict' };

/**
 * Opens the store and brings its schema up to date.
 *
 * @throws GatewayError `store_unavailable` with a message for the operator: it names the file.
 */
export async function openStore({ file, busyMsMax = 5_000, migrations = MIGRATIONS }: StoreOptions): Promise<Store> {
  const opened: SqliteConnection[] = [];
  try {
    // SQLite would make it world-readable; its -wal and -shm take the mode of the file itself.
    closeSync(openSync(file, 'a', 0o600));
    const writer = new SqliteConnection(file, { readOnly: false, busyMsMax });
    opened.push(writer);
    // FULL: a revocation that was confirmed must survive a loss of power, and changes are rare.
    await writer.run('pragma journal_mode = wal; pragma synchronous = full');
    const writes = new Kysely<Tables>({ dialect: sqliteDialect(writer) });
    await migrate(writes, SQLITE_TYPES, migrations, hasTable);
    const reader = new SqliteConnection(file, { readOnly: true, busyMsMax: Math.min(busyMsMax, ANSWER_MS_MAX) });
    opened.push(reader);
    return storeOver({ reads: new Kysely<Tables>({ dialect: sqliteDialect(reader) }), writes }, opened);
  } catch (error) {
    for (const connection of opened) connection.close();
    throw cannotOpen(file, error);
  }
}

function storeOver(database: Database, connections: readonly SqliteConnection[]): Store {
  const close = async (): Promise<void> => {
    await database.reads.destroy();
    await database.writes.destroy();
    // Kysely leaves a connection alone that was never used.
    for (const connection of connections) connection.close();
  };
  return {
    teams: storedTeams(database),
    apps: storedApps(database),
    budgets: storedBudgets(database),
    learnedLimits: storedLearnedLimits(database),
    keys: storedMasonKeys(database),
    tokens: storedTokens(database),
    people: storedPeople(database),
    links: storedSignInLinks(database),
    sessions: storedSessions(database),
    settings: storedSettings(database),
    revision: () =>
      read(database, async (db) => (await db.selectFrom('revision').select('value').executeTakeFirstOrThrow()).value),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function hasTable(db: Kysely<Tables>, name: string): Promise<boolean> {
  const found = await sql`select 1 from sqlite_master where type = 'table' and name = ${name}`.execute(db);
  return found.rows.length > 0;
}

function cannotOpen(file: string, error: unknown): GatewayError {
  const why = Error.isError(error) ? error.message : String(error);
  return new GatewayError('store_unavailable', `the store ${file} cannot be opened: ${why}`, { cause: error });
}
