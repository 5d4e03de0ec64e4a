import { Kysely } from 'kysely';
import { migrate } from '../../store/migrate.ts';
import { openPool } from '../../store/postgres/open-pool.ts';
import { POSTGRES } from '../../store/postgres/open-postgres.ts';
import { postgresDialect } from '../../store/postgres/postgres-dialect.ts';
import type { PostgresSettings } from '../../store/postgres/postgres-settings.ts';
import { RECORD_MIGRATIONS } from './record-migrations.ts';

/** Indexes over years of events may have to be made. */
const MIGRATION_MS_MAX = 3_600_000;

/**
 * Brings the schema of the record up to date, which has a version of its own beside the store's.
 *
 * @throws GatewayError `store_unavailable` when it is of a newer release; pg's error when the database does not answer
 */
export async function bringUpToDate(settings: PostgresSettings): Promise<void> {
  const bounds = { statementMs: MIGRATION_MS_MAX, waitMs: settings.connectMs, connectionsMax: 1 };
  const alone = new Kysely<unknown>({ dialect: postgresDialect(await openPool(settings, bounds)) });
  try {
    await migrate(alone, { kind: POSTGRES, migrations: RECORD_MIGRATIONS, versionTable: 'record_schema_version' });
  } finally {
    await alone.destroy();
  }
}
