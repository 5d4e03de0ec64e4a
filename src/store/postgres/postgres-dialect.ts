import {
  CompiledQuery,
  type Dialect,
  PostgresAdapter,
  PostgresDriver,
  PostgresIntrospector,
  PostgresQueryCompiler,
} from 'kysely';
import type { Pool } from 'pg';

/** Any number, the same in every release: PostgreSQL keeps such locks by number, apart for each database. */
export const WRITE_LOCK = 6_277_101_735;

/**
 * Kysely over a pool of connections, with one transaction at a time in the whole database, as SQLite has it: what a noun
 * reads in its transaction stays true until it has written, and nobody meets a deadlock. Transactions are few and short.
 */
export function postgresDialect(pool: Pool): Dialect {
  return {
    createDriver: () => new OneWriterDriver({ pool }),
    createQueryCompiler: () => new PostgresQueryCompiler(),
    createAdapter: () => new PostgresAdapter(),
    createIntrospector: (db) => new PostgresIntrospector(db),
  };
}

type Connection = Parameters<PostgresDriver['rollbackTransaction']>[0];

class OneWriterDriver extends PostgresDriver {
  override async beginTransaction(connection: Connection): Promise<void> {
    try {
      // In one message. What comes behind the lock sees what was committed before it was got.
      await connection.executeQuery(CompiledQuery.raw(`begin; select pg_advisory_xact_lock(${WRITE_LOCK})`));
    } catch (error) {
      // It may have begun and have waited in vain. Where that fails too, the connection is thrown away.
      await this.rollbackTransaction(connection).catch(() => {});
      throw error;
    }
  }
}
