import { Kysely, sql } from 'kysely';
import { GatewayError } from '../../domain/errors.ts';
import { migrate } from '../migrate.ts';
import type { DatabaseKind, Migration } from '../migrations.ts';
import type { OpenDatabase } from '../open-database.ts';
import { openPool } from './open-pool.ts';
import { postgresDialect } from './postgres-dialect.ts';
import type { PostgresSettings } from './postgres-settings.ts';
import { refuseLentConnections } from './refuse-lent-connections.ts';

/** They go one by one: a second one is on its way while the first commits. */
const WRITE_CONNECTIONS = 2;
/** A migration may rewrite a table, and who waits for another gateway's migration waits as long. */
const MIGRATION_MS_MAX = 600_000;

export const POSTGRES: DatabaseKind = {
  // By bytes, as SQLite sorts and compares, whatever language the operator's database speaks.
  types: { text: 'text collate "C"', blob: 'bytea', integer: 'bigint', tableEnd: '' },
  hasTable: async (db, name) => {
    const found =
      await sql`select 1 from pg_tables where schemaname = current_schema() and tablename = ${name}`.execute(db);
    return found.rows.length > 0;
  },
};

/**
 * Opens a database of a PostgreSQL, and brings its schema up to date.
 *
 * @param busyMsMax milliseconds that a change waits for others' changes, or for a connection
 * @throws GatewayError `store_unavailable` with a message for the operator: it names the server and the database, never the
 * password.
 */
export async function openPostgres(
  settings: PostgresSettings,
  busyMsMax: number,
  migrations: readonly Migration[],
): Promise<OpenDatabase> {
  try {
    await refuseLentConnections(settings);
    await migrateOnce(settings, migrations);
  } catch (error) {
    throw cannotOpen(settings, error);
  }
  const { connectMs, connectionsMax } = settings;
  const bounds = { statementMs: busyMsMax };
  // Apart, so that identifying a caller never waits behind changes that wait.
  const reading = await openPool(settings, {
    ...bounds,
    waitMs: connectMs,
    connectionsMax: connectionsMax - WRITE_CONNECTIONS,
  });
  const writing = await openPool(settings, { ...bounds, waitMs: busyMsMax, connectionsMax: WRITE_CONNECTIONS });
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await Promise.all([reading.end(), writing.end()]);
  };
  return {
    name: nameOf(settings),
    reads: new Kysely({ dialect: postgresDialect(reading) }),
    writes: new Kysely({ dialect: postgresDialect(writing) }),
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

async function migrateOnce(settings: PostgresSettings, migrations: readonly Migration[]): Promise<void> {
  const bounds = { statementMs: MIGRATION_MS_MAX, waitMs: settings.connectMs, connectionsMax: 1 };
  const alone = new Kysely<never>({ dialect: postgresDialect(await openPool(settings, bounds)) });
  try {
    await migrate(alone, { kind: POSTGRES, migrations });
  } finally {
    await alone.destroy();
  }
}

/** For operators: without a password. */
export function nameOf({ host, port, database }: PostgresSettings): string {
  return `database ${database} of ${host}:${port}`;
}

/** What an operator is told when it cannot be reached or used. */
export function cannotOpen(settings: PostgresSettings, error: unknown): GatewayError {
  const why = Error.isError(error) ? error.message : String(error);
  return new GatewayError('store_unavailable', `the ${nameOf(settings)} cannot be opened: ${why}`, { cause: error });
}
