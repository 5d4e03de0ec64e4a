import { type KeptLearning, LEARNING_CHARACTERS_MAX, type LearnedLimits } from '../domain/learning.ts';
import { moveRevision, read, write } from './access.ts';
import type { Database } from './schema.ts';

export function storedLearnedLimits(database: Database): LearnedLimits {
  return {
    async find(budgetId) {
      const row = await read(database, (db) =>
        db.selectFrom('learned_limits').selectAll().where('budget_id', '=', budgetId).executeTakeFirst(),
      );
      return row && { state: row.state, generation: row.generation, writer: row.writer, writtenAt: row.written_at };
    },

    async keep(budgetId, learning, tellOthers) {
      if (learning.state.length > LEARNING_CHARACTERS_MAX) {
        throw new RangeError(
          `what is learnt of a limit is at most ${LEARNING_CHARACTERS_MAX} characters, got ${learning.state.length}`,
        );
      }
      return await write(database, async (tx) => {
        const there = await tx.selectFrom('budgets').select('id').where('id', '=', budgetId).executeTakeFirst();
        if (there === undefined) return false;
        const result = await tx
          .insertInto('learned_limits')
          .values({ budget_id: budgetId, ...columnsOf(learning) })
          .onConflict((conflict) =>
            conflict
              .column('budget_id')
              .doUpdateSet(columnsOf(learning))
              .where('learned_limits.generation', '<=', learning.generation),
          )
          .executeTakeFirst();
        const isKept = (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
        if (isKept && tellOthers) await moveRevision(tx);
        return isKept;
      });
    },

    async forget(budgetId, nowEpochMs) {
      const nothing = { state: '', writer: '', written_at: nowEpochMs };
      await write(database, async (tx) => {
        await tx
          .insertInto('learned_limits')
          .values({ budget_id: budgetId, generation: 1, ...nothing })
          .onConflict((conflict) =>
            conflict
              .column('budget_id')
              .doUpdateSet((row) => ({ ...nothing, generation: row('learned_limits.generation', '+', 1) })),
          )
          .execute();
        await moveRevision(tx);
      });
    },
  };
}

function columnsOf({ state, generation, writer, writtenAt }: KeptLearning) {
  return { state, generation, writer, written_at: writtenAt };
}
