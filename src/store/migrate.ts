import { type Kysely, sql, type Transaction } from 'kysely';
import { GatewayError } from '../domain/errors.ts';
import type { DatabaseKind, Migration } from './migrations.ts';

/** Where a schema stands: 0 when there is none yet. */
export interface SchemaVersion {
  readonly version: number;
  readonly oldestReader: number;
}

export interface MigrateOptions {
  readonly kind: DatabaseKind;
  readonly migrations: readonly Migration[];
  /**
   * The table that keeps how far the list was followed, default `schema_version`. Whoever has tables of their own in the same
   * database has a list of their own, numbered from 1, and a table of their own for it: the two move apart from each other.
   */
  readonly versionTable?: string;
}

/** What migrations see of a database, whatever is in it. */
type Versions = Record<string, { only: number; version: number; oldest_reader: number }>;

/**
 * Brings the schema to the newest version known here: all pending migrations in one transaction, under the write lock, so
 * that of several gateways starting at once one migrates and the others find it done.
 *
 * @param writes its transactions must exclude each other over all processes, as those of `sqliteDialect` and
 * `postgresDialect` do
 * @throws GatewayError `store_unavailable` when the schema is one that this release cannot run on.
 */
export async function migrate<T>(writes: Kysely<T>, options: MigrateOptions): Promise<SchemaVersion> {
  const { kind, migrations, versionTable = 'schema_version' } = options;
  const { types } = kind;
  const known = migrations.length;
  const database = writes as unknown as Kysely<Versions>;
  const found = await readVersion(database, kind, versionTable);
  refuseNewer(found, known);
  if (found.version >= known) return found;

  return await database.transaction().execute(async (change) => {
    // Asked again under the lock: another gateway may have migrated meanwhile.
    let at = await readVersion(change, kind, versionTable);
    refuseNewer(at, known);
    if (at.version === 0) {
      await run(
        change,
        `create table ${versionTable} (
          "only" ${types.integer} not null primary key check ("only" = 1),
          version ${types.integer} not null,
          oldest_reader ${types.integer} not null
        ) ${types.tableEnd}`,
      );
      await change.insertInto(versionTable).values({ only: 1, version: 0, oldest_reader: 0 }).execute();
    }
    for (const migration of migrations.slice(at.version)) {
      for (const statement of migration.statements(types)) await run(change, statement);
      at = { version: migration.version, oldestReader: migration.oldestReader };
    }
    await change.updateTable(versionTable).set({ version: at.version, oldest_reader: at.oldestReader }).execute();
    return at;
  });
}

async function readVersion(db: Kysely<Versions>, kind: DatabaseKind, table: string): Promise<SchemaVersion> {
  if (!(await kind.hasTable(db, table))) return { version: 0, oldestReader: 0 };
  const row = await db.selectFrom(table).select(['version', 'oldest_reader']).executeTakeFirst();
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

async function run(change: Transaction<Versions>, statement: string): Promise<void> {
  await sql.raw(statement).execute(change);
}
