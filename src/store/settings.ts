import { read, write } from './access.ts';
import type { Database } from './schema.ts';

/** What the gateway keeps for itself, by name. Not part of the revision: nothing here decides about calls. */
export interface Settings {
  get(name: string): Promise<string | undefined>;
  set(name: string, value: string): Promise<void>;
  /** Sets it unless it is there, and gives what is there: of several gateways starting at once, all get one value. */
  setIfAbsent(name: string, value: string): Promise<string>;
}

export function storedSettings(database: Database): Settings {
  return {
    async get(name) {
      const row = await read(database, (db) =>
        db.selectFrom('settings').select('value').where('name', '=', name).executeTakeFirst(),
      );
      return row?.value;
    },

    async set(name, value) {
      await write(database, (tx) =>
        tx
          .insertInto('settings')
          .values({ name, value })
          .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
          .execute(),
      );
    },

    async setIfAbsent(name, value) {
      return await write(database, async (tx) => {
        await tx
          .insertInto('settings')
          .values({ name, value })
          .onConflict((conflict) => conflict.column('name').doNothing())
          .execute();
        const row = await tx.selectFrom('settings').select('value').where('name', '=', name).executeTakeFirstOrThrow();
        return row.value;
      });
    },
  };
}
