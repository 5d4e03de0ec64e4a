import type { Budget, Budgets } from '../domain/budget.ts';
import { change, read } from './access.ts';
import type { BudgetRow, Database } from './schema.ts';

export function storedBudgets(database: Database): Budgets {
  return {
    async add(budget) {
      const row: BudgetRow = {
        id: budget.id,
        name: budget.name,
        limit_calls: budget.limit?.calls ?? null,
        limit_window_ms: budget.limit?.windowMs ?? null,
        burst: budget.burst ?? null,
        spread_ms: budget.spreadMs ?? null,
        created_at: budget.createdAt,
      };
      await change(
        database,
        async (tx) => {
          await tx.insertInto('budgets').values(row).execute();
          return true;
        },
        `there is a budget ${budget.name} already`,
      );
    },

    async list() {
      const rows = await read(database, (db) => db.selectFrom('budgets').selectAll().orderBy('name').execute());
      return rows.map(toBudget);
    },

    async findById(id) {
      const row = await read(database, (db) =>
        db.selectFrom('budgets').selectAll().where('id', '=', id).executeTakeFirst(),
      );
      return row && toBudget(row);
    },

    async findByName(name) {
      const row = await read(database, (db) =>
        db.selectFrom('budgets').selectAll().where('name', '=', name).executeTakeFirst(),
      );
      return row && toBudget(row);
    },

    async tune(id, { limit, burst, spreadMs }) {
      return await change(database, async (tx) => {
        const result = await tx
          .updateTable('budgets')
          .set({
            limit_calls: limit?.calls ?? null,
            limit_window_ms: limit?.windowMs ?? null,
            burst: burst ?? null,
            spread_ms: spreadMs ?? null,
          })
          .where('id', '=', id)
          .executeTakeFirst();
        return result.numUpdatedRows > 0n;
      });
    },

    async removeUnused(id) {
      return await change(database, async (tx) => {
        const result = await tx
          .deleteFrom('budgets')
          .where('id', '=', id)
          .where(({ not, exists, selectFrom }) =>
            not(exists(selectFrom('mason_keys').select('mason_keys.id').where('mason_keys.budget_id', '=', id))),
          )
          .executeTakeFirst();
        return result.numDeletedRows > 0n;
      });
    },
  };
}

function toBudget(row: BudgetRow): Budget {
  return {
    id: row.id,
    name: row.name,
    limit:
      row.limit_calls === null || row.limit_window_ms === null
        ? undefined
        : { calls: row.limit_calls, windowMs: row.limit_window_ms },
    burst: row.burst ?? undefined,
    spreadMs: row.spread_ms ?? undefined,
    createdAt: row.created_at,
  };
}
