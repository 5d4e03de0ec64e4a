import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Kysely, sql } from 'kysely';
import { migrate } from '../../src/store/migrate.ts';
import { MIGRATIONS, type Migration } from '../../src/store/migrations.ts';
import { openStore } from '../../src/store/open-store.ts';
import { openPool } from '../../src/store/postgres/open-pool.ts';
import { POSTGRES } from '../../src/store/postgres/open-postgres.ts';
import { postgresDialect } from '../../src/store/postgres/postgres-dialect.ts';
import { migrationsContract } from '../contracts/migrations-contract.ts';
import { type SomePostgres, somePostgres } from '../support/postgres-server.ts';
import { settingsOf } from './postgres-pairs.ts';

let postgres: SomePostgres;

beforeAll(async () => {
  postgres = await somePostgres();
});

afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
});

const BOUNDS = { connectionsMax: 2, waitMs: 5_000, statementMs: 5_000 };

/** As somebody else would who has tables in the same database. */
async function openNeighbour(url: string): Promise<Kysely<never>> {
  return new Kysely({ dialect: postgresDialect(await openPool(settingsOf(url), BOUNDS)) });
}

migrationsContract('PostgreSQL', async () => {
  const url = await postgres.freshDatabase();
  const neighbour = await openNeighbour(url);
  return {
    open: (migrations) => openStore({ kind: 'postgres', server: settingsOf(url), migrations }),
    async kept() {
      const columns = await sql`select table_name, column_name from information_schema.columns
        where table_schema = current_schema() order by 1, 2`.execute(neighbour);
      const version = await sql`select * from schema_version`.execute(neighbour);
      return [columns.rows, version.rows];
    },
    close: () => neighbour.destroy(),
  };
});

describe('Two lists of migrations in one database', () => {
  const record: readonly Migration[] = [
    { version: 1, oldestReader: 1, statements: ({ text }) => [`create table events (line ${text} not null)`] },
  ];

  test('move apart from each other: neither takes the other’s numbers for its own', async () => {
    const url = await postgres.freshDatabase();
    const neighbour = await openNeighbour(url);
    const options = { kind: POSTGRES, migrations: record, versionTable: 'record_version' };
    expect(await migrate(neighbour, options)).toEqual({ version: 1, oldestReader: 1 });
    const store = await openStore({ kind: 'postgres', server: settingsOf(url) });
    expect(await store.teams.list()).toEqual([]);
    await store.close();
    expect(await migrate(neighbour, options)).toEqual({ version: 1, oldestReader: 1 });
    const second = { version: 2, oldestReader: 2, statements: () => ['drop table events'] };
    await migrate(neighbour, { ...options, migrations: [...record, second] });
    await expect(migrate(neighbour, options)).rejects.toMatchObject({ code: 'store_unavailable' });
    const versions = await sql`select version from schema_version`.execute(neighbour);
    expect(versions.rows).toEqual([{ version: MIGRATIONS.length }]);
    await neighbour.destroy();
  });
});
