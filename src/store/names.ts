import { NAMES_MAX, type Names } from '../domain/names.ts';
import { read, write } from './access.ts';
import type { Database } from './schema.ts';

export function storedNames(database: Database): Names {
  return {
    async set(id, name) {
      await write(database, (tx) =>
        tx
          .insertInto('names')
          .values({ id, name })
          .onConflict((conflict) => conflict.column('id').doUpdateSet({ name }))
          .execute(),
      );
    },

    async get(ids) {
      if (ids.length === 0) return new Map();
      if (ids.length > NAMES_MAX) throw new RangeError(`at most ${NAMES_MAX} names at once, got ${ids.length}`);
      const rows = await read(database, (db) => db.selectFrom('names').selectAll().where('id', 'in', ids).execute());
      return new Map(rows.map(({ id, name }) => [id, name]));
    },

    async erase(id) {
      return await write(database, async (tx) => {
        const result = await tx.deleteFrom('names').where('id', '=', id).executeTakeFirst();
        return result.numDeletedRows > 0n;
      });
    },
  };
}
