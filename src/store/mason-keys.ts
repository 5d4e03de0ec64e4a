import { GatewayError } from '../domain/errors.ts';
import type { MasonKey, MasonKeys } from '../domain/mason-key.ts';
import { change, read, write } from './access.ts';
import type { Change, Database, MasonKeyRow } from './schema.ts';
import { fromList, toList } from './text-list.ts';

export function storedMasonKeys(database: Database): MasonKeys {
  return {
    async add(key) {
      await change(
        database,
        async (tx) => {
          await refuseSecondBudget(tx, key);
          await tx.insertInto('mason_keys').values(toRow(key)).execute();
          return true;
        },
        `the team has a key ${key.name} already`,
      );
    },

    async listByTeam(teamId) {
      const rows = await read(database, (db) =>
        db.selectFrom('mason_keys').selectAll().where('team_id', '=', teamId).orderBy('name').execute(),
      );
      return rows.map(toKey);
    },

    async list() {
      const rows = await read(database, (db) =>
        db.selectFrom('mason_keys').selectAll().orderBy('team_id').orderBy('name').execute(),
      );
      return rows.map(toKey);
    },

    async findByName(teamId, name) {
      const row = await read(database, (db) =>
        db
          .selectFrom('mason_keys')
          .selectAll()
          .where('team_id', '=', teamId)
          .where('name', '=', name)
          .executeTakeFirst(),
      );
      return row && toKey(row);
    },

    async findByFingerprint(fingerprint) {
      const row = await read(database, (db) =>
        db
          .selectFrom('mason_keys')
          .selectAll()
          .where('fingerprint', '=', fingerprint)
          .orderBy('created_at')
          .orderBy('id')
          .executeTakeFirst(),
      );
      return row && toKey(row);
    },

    async setScopes(id, scopes) {
      return await change(database, async (tx) => {
        const result = await tx
          .updateTable('mason_keys')
          .set({ scopes: fromList(scopes) })
          .where('id', '=', id)
          .executeTakeFirst();
        return result.numUpdatedRows > 0n;
      });
    },

    async setBudget(id, budgetId) {
      return await change(database, async (tx) => {
        const key = await tx.selectFrom('mason_keys').select('fingerprint').where('id', '=', id).executeTakeFirst();
        if (key === undefined) return false;
        await tx
          .updateTable('mason_keys')
          .set({ budget_id: budgetId })
          .where('fingerprint', '=', key.fingerprint)
          .execute();
        return true;
      });
    },

    async touch(usedAtById) {
      if (usedAtById.size === 0) return;
      await write(database, async (tx) => {
        for (const [id, usedAt] of usedAtById) {
          await tx
            .updateTable('mason_keys')
            .set({ last_used_at: usedAt })
            .where('id', '=', id)
            // Gateways report in any order: the newest use stays.
            .where(({ or, eb }) => or([eb('last_used_at', 'is', null), eb('last_used_at', '<', usedAt)]))
            .execute();
        }
      });
    },

    async remove(id) {
      return await change(database, async (tx) => {
        const result = await tx.deleteFrom('mason_keys').where('id', '=', id).executeTakeFirst();
        return result.numDeletedRows > 0n;
      });
    },
  };
}

/** Two gateways may be given the same key at once; with a budget each, they would send twice what Mason takes. */
async function refuseSecondBudget(tx: Change, key: MasonKey): Promise<void> {
  const other = await tx
    .selectFrom('mason_keys')
    .innerJoin('budgets', 'budgets.id', 'mason_keys.budget_id')
    .select('budgets.name')
    .where('mason_keys.fingerprint', '=', key.fingerprint)
    .where('mason_keys.budget_id', '<>', key.budgetId)
    .executeTakeFirst();
  if (other === undefined) return;
  throw new GatewayError(
    'conflict',
    `the key ${key.name} is in use already, under the budget ${other.name}: one key has one budget`,
  );
}

function toRow(key: MasonKey): MasonKeyRow {
  return {
    id: key.id,
    team_id: key.teamId,
    name: key.name,
    origin: key.origin,
    scopes: fromList(key.scopes),
    budget_id: key.budgetId,
    fingerprint: key.fingerprint,
    last4: key.last4,
    sealed: key.sealed,
    created_at: key.createdAt,
    last_used_at: key.lastUsedAt ?? null,
  };
}

function toKey(row: MasonKeyRow): MasonKey {
  return {
    id: row.id,
    teamId: row.team_id,
    name: row.name,
    origin: row.origin,
    scopes: toList(row.scopes),
    budgetId: row.budget_id,
    fingerprint: row.fingerprint,
    last4: row.last4,
    sealed: row.sealed,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at ?? undefined,
  };
}
