import { POSITION_CHARACTERS_MAX, type Positions } from '../domain/positions.ts';
import { read, write } from './access.ts';
import type { Database } from './schema.ts';

export function storedPositions(database: Database): Positions {
  return {
    async get(name) {
      const row = await read(database, (db) =>
        db.selectFrom('positions').select('value').where('name', '=', name).executeTakeFirst(),
      );
      return row?.value;
    },

    async set(name, value) {
      if (value.length > POSITION_CHARACTERS_MAX) {
        throw new RangeError(`a position is at most ${POSITION_CHARACTERS_MAX} characters, got ${value.length}`);
      }
      await write(database, (tx) =>
        tx
          .insertInto('positions')
          .values({ name, value })
          .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
          .execute(),
      );
    },
  };
}
