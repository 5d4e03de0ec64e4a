import { type Kysely, sql } from 'kysely';
import { GatewayError } from '../domain/errors.ts';
import type { ColumnTypes, Migration } from './migrations.ts';
import type { Tables } from './schema.ts';

/** Where a schema stands: 0 when there is none yet. */
export interface SchemaVersion {
  readonly version: number;
  readonly oldestReader: number;
}

/**
 * Brings the schema to the newest version known here: all pending migrations in one transaction, under the write lock, so
 * that of several gateways starting at once one migrates and the others find it done.
 *
 * @param hasTable whether the database has a table of that name, asked inside the transaction
 * @throws GatewayError `store_unavailable` when the schema is one that this release cannot run on.
 */
export async function migrate(
  writes: Kysely<Tables>,
  types: ColumnTypes,
  migrations: readonly Migration[],
  hasTable: (db: Kysely<Tables>, name: string) => Promise<boolean>,
): Promise<SchemaVersion> {
  const known = migrations.length;
  const found = await readVersion(writes, hasTable);
  refuseNewer(found, known);
  if (found.version >= known) return found;

  return await writes.transaction().execute(async (change) => {
    // Asked again under the lock: another gateway may have migrated meanwhile.
    let at = await readVersion(change, hasTable);
    refuseNewer(at, known);
    if (at.version === 0) {
      await run(
        change,
        `create table schema_version (
          only ${types.integer} not null primary key check (only = 1),
          version ${types.integer} not null,
          oldest_reader ${types.integer} not null
        ) ${types.tableEnd}`,
      );
      await change.insertInto('schema_version').values({ only: 1, version: 0, oldest_reader: 0 }).execute();
    }
    for (const migration of migrations.slice(at.version)) {
      for (const statement of migration.statements(types)) await run(change, statement);
      at = { version: migration.version, oldestReader: migration.oldestReader };
    }
    await change.updateTable('schema_version').set({ version: at.version, oldest_reader: at.oldestReader }).execute();
    return at;
  });
}

async function readVersion(
  db: Kysely<Tables>,
  hasTable: (db: Kysely<Tables>, name: string) => Promise<boolean>,
): Promise<SchemaVersion> {
  if (!(await hasTable(db, 'schema_version'))) return { version: 0, oldestReader: 0 };
  const row = await db.selectFrom('schema_version').selectAll().executeTakeFirst();
  return { version: row?.version ?? 0, oldestReader: row?.oldest_reader ?? 0 };
}

function refuseNewer(found: SchemaVersion, known: number): void {
  if (found.oldestReader <= known) return;
  throw new GatewayError(
    'store_unavailable',
    `its schema is version ${found.version}, which needs a release that knows version ${found.oldestReader}; this one knows ` +
      `up to ${known}: start the newer release, or go back to the copy of the store made before the upgrade`,
  );
}

async function run(db: Kysely<Tables>, statement: string): Promise<void> {
  await sql.raw(statement).execute(db);
}
