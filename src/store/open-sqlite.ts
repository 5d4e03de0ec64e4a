import { closeSync, openSync } from 'node:fs';
import { basename } from 'node:path';
import { Kysely, sql } from 'kysely';
import { GatewayError } from '../domain/errors.ts';
import { migrate } from './migrate.ts';
import type { DatabaseKind, Migration } from './migrations.ts';
import type { OpenDatabase } from './open-database.ts';
import { ANSWER_MS_MAX } from './promptly.ts';
import type { Tables } from './schema.ts';
import { SqliteConnection } from './sqlite-connection.ts';
import { sqliteDialect } from './sqlite-dialect.ts';

const SQLITE: DatabaseKind = {
  types: { text: 'text', blob: 'blob', integer: 'integer', tableEnd: 'strict' },
  hasTable: async (db, name) => {
    const found = await sql`select 1 from sqlite_master where type = 'table' and name = ${name}`.execute(db);
    return found.rows.length > 0;
  },
};

/**
 * Opens a SQLite file, made with mode 0600 when absent, and brings its schema up to date.
 *
 * @param busyMsMax milliseconds that a change waits for another process' change
 * @throws GatewayError `store_unavailable` with a message for the operator: it names the file.
 */
export async function openSqlite(
  file: string,
  busyMsMax: number,
  migrations: readonly Migration[],
): Promise<OpenDatabase> {
  const opened: SqliteConnection[] = [];
  try {
    // SQLite would make it world-readable; its -wal and -shm take the mode of the file itself.
    closeSync(openSync(file, 'a', 0o600));
    const writer = new SqliteConnection(file, { readOnly: false, busyMsMax });
    opened.push(writer);
    // FULL: a revocation that was confirmed must survive a loss of power, and changes are rare.
    await writer.run('pragma journal_mode = wal; pragma synchronous = full');
    const writes = new Kysely<Tables>({ dialect: sqliteDialect(writer) });
    await migrate(writes, { kind: SQLITE, migrations });
    const reader = new SqliteConnection(file, { readOnly: true, busyMsMax: Math.min(busyMsMax, ANSWER_MS_MAX) });
    opened.push(reader);
    const reads = new Kysely<Tables>({ dialect: sqliteDialect(reader) });
    return {
      name: basename(file),
      reads,
      writes,
      close: async () => {
        await reads.destroy();
        await writes.destroy();
        // Kysely leaves a connection alone that was never used.
        for (const connection of opened) connection.close();
      },
    };
  } catch (error) {
    for (const connection of opened) connection.close();
    throw cannotOpen(file, error);
  }
}

function cannotOpen(file: string, error: unknown): GatewayError {
  const why = Error.isError(error) ? error.message : String(error);
  return new GatewayError('store_unavailable', `the store ${file} cannot be opened: ${why}`, { cause: error });
}
