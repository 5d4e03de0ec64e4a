import { GatewayError } from '../domain/errors.ts';
import type { MasonKey, MasonKeys, PreviousKey } from '../domain/mason-key.ts';
import { change, read, write } from './access.ts';
import type { Change, Database, MasonKeyRow } from './schema.ts';
import { fromList, toList } from './text-list.ts';

export function storedMasonKeys(database: Database): MasonKeys {
  return {
    async add(key) {
      await change(
        database,
        async (tx) => {
          await refuseSecondBudget(tx, key.name, key.fingerprint, key.budgetId);
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

    async rotate(id, fresh, at) {
      return await change(database, async (tx) => {
        const key = await tx
          .selectFrom('mason_keys')
          .select(['name', 'budget_id'])
          .where('id', '=', id)
          .executeTakeFirst();
        if (key === undefined) return false;
        await refuseSecondBudget(tx, key.name, fresh.fingerprint, key.budget_id);
        await tx
          .updateTable('mason_keys')
          // Every reference is to the row as it was before this statement.
          .set(({ ref }) => ({
            fingerprint: fresh.fingerprint,
            last4: fresh.last4,
            sealed: fresh.sealed,
            previous_fingerprint: ref('fingerprint'),
            previous_last4: ref('last4'),
            previous_sealed: ref('sealed'),
            previous_replaced_at: at,
          }))
          .where('id', '=', id)
          .execute();
        return true;
      });
    },

    async forgetPrevious(id) {
      return await change(database, async (tx) => {
        const result = await tx
          .updateTable('mason_keys')
          .set(NO_PREVIOUS)
          .where('id', '=', id)
          .where('previous_fingerprint', 'is not', null)
          .executeTakeFirst();
        return result.numUpdatedRows > 0n;
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

const NO_PREVIOUS = {
  previous_fingerprint: null,
  previous_last4: null,
  previous_sealed: null,
  previous_replaced_at: null,
} as const;

/** Two gateways may be given the same key at once; with a budget each, they would send twice what Mason takes. */
async function refuseSecondBudget(tx: Change, name: string, fingerprint: string, budgetId: string): Promise<void> {
  const other = await tx
    .selectFrom('mason_keys')
    .innerJoin('budgets', 'budgets.id', 'mason_keys.budget_id')
    .select('budgets.name')
    .where('mason_keys.fingerprint', '=', fingerprint)
    .where('mason_keys.budget_id', '<>', budgetId)
    .executeTakeFirst();
  if (other === undefined) return;
  throw new GatewayError(
    'conflict',
    `the key ${name} is in use already, under the budget ${other.name}: one key has one budget`,
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
    ...fromPrevious(key.previous),
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
    previous: toPrevious(row),
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at ?? undefined,
  };
}

function fromPrevious(previous: PreviousKey | undefined): Pick<MasonKeyRow, keyof typeof NO_PREVIOUS> {
  if (previous === undefined) return NO_PREVIOUS;
  return {
    previous_fingerprint: previous.fingerprint,
    previous_last4: previous.last4,
    previous_sealed: previous.sealed,
    previous_replaced_at: previous.replacedAt,
  };
}

function toPrevious(row: MasonKeyRow): PreviousKey | undefined {
  const { previous_fingerprint, previous_last4, previous_sealed, previous_replaced_at } = row;
  if (previous_fingerprint === null || previous_last4 === null) return undefined;
  if (previous_sealed === null || previous_replaced_at === null) return undefined;
  return {
    fingerprint: previous_fingerprint,
    last4: previous_last4,
    sealed: previous_sealed,
    replacedAt: previous_replaced_at,
  };
}
