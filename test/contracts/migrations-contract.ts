import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { MIGRATIONS, type Migration } from '../../src/store/migrations.ts';
import type { Store } from '../../src/store/open-store.ts';

/** An empty database of its own; `close` throws it away. */
export interface EmptyDatabase {
  /** Opens a store on it, as the release that knows these migrations would. */
  open(migrations: readonly Migration[]): Promise<Store>;
  /** All that is in it, tables and rows, to compare. */
  kept(): Promise<unknown>;
  close(): Promise<void>;
}

const NEXT = MIGRATIONS.length + 1;

/** What every database promises when releases follow each other. */
export function migrationsContract(name: string, make: () => Promise<EmptyDatabase>): void {
  describe(`${name} follows the releases`, () => {
    let database: EmptyDatabase;

    const openAndClose = async (migrations: readonly Migration[]): Promise<void> =>
      (await database.open(migrations)).close();

    beforeEach(async () => {
      database = await make();
    });

    afterEach(async () => {
      await database.close();
    });

    test('a schema that only a newer release understands is refused in one clear line, and left alone', async () => {
      const newer = [...MIGRATIONS, { version: NEXT, oldestReader: NEXT, statements: () => ['drop table settings'] }];
      await openAndClose(newer);
      const before = await database.kept();
      await expect(database.open(MIGRATIONS)).rejects.toMatchObject({
        name: 'GatewayError',
        code: 'store_unavailable',
        message: expect.stringMatching(
          new RegExp(
            `cannot be opened: its schema is version ${NEXT}, .* knows up to ${MIGRATIONS.length}: start the newer`,
          ),
        ),
      });
      expect(await database.kept()).toEqual(before);
    });

    test('a release runs on the next one’s schema: while gateways are replaced one by one, both serve', async () => {
      const motto: Migration = {
        version: NEXT,
        oldestReader: 1,
        statements: ({ text }) => [`alter table teams add column motto ${text}`],
      };
      await using old = await database.open(MIGRATIONS);
      const team = { id: 't', slug: 'acme', name: 'Acme', createdAt: 1, sealedDataKey: new Uint8Array([1]) };
      await old.teams.add(team);
      await using next = await database.open([...MIGRATIONS, motto]);
      await old.teams.add({ ...team, id: 'u', slug: 'beta' });
      await using restarted = await database.open(MIGRATIONS);
      await restarted.teams.setName('t', 'Acme Holding');
      for (const store of [old, next, restarted]) {
        expect((await store.teams.list()).map(({ name }) => name)).toEqual(['Acme Holding', 'Acme']);
      }
    });

    test('a migration that fails half way leaves everything as it was', async () => {
      await openAndClose(MIGRATIONS);
      const before = await database.kept();
      const half = ['create table half (id text)', 'create nonsense'];
      const broken = [...MIGRATIONS, { version: NEXT, oldestReader: 1, statements: () => half }];
      await expect(database.open(broken)).rejects.toMatchObject({ code: 'store_unavailable' });
      expect(await database.kept()).toEqual(before);
      await openAndClose(MIGRATIONS);
    });

    test('of four gateways that start at once on an empty database one migrates, and all start', async () => {
      const stores = await Promise.all(Array.from({ length: 4 }, () => database.open(MIGRATIONS)));
      const seen = await Promise.all(stores.map(({ settings }, n) => settings.setIfAbsent('instance', String(n))));
      expect(new Set(seen).size).toBe(1);
      await Promise.all(stores.map((store) => store.close()));
    });
  });
}
