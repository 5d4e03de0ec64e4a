import type { App, Apps } from '../domain/app.ts';
import { change, read } from './access.ts';
import type { AppRow, Database } from './schema.ts';

export function storedApps(database: Database): Apps {
  return {
    async add(app) {
      const row: AppRow = {
        id: app.id,
        team_id: app.teamId,
        name: app.name,
        weight: app.weight,
        created_at: app.createdAt,
      };
      await change(
        database,
        async (tx) => {
          await tx.insertInto('apps').values(row).execute();
          return true;
        },
        `the team has an app ${app.name} already`,
      );
    },

    async listByTeam(teamId) {
      const rows = await read(database, (db) =>
        db.selectFrom('apps').selectAll().where('team_id', '=', teamId).orderBy('name').execute(),
      );
      return rows.map(toApp);
    },

    async findByName(teamId, name) {
      const row = await read(database, (db) =>
        db.selectFrom('apps').selectAll().where('team_id', '=', teamId).where('name', '=', name).executeTakeFirst(),
      );
      return row && toApp(row);
    },

    async findById(id) {
      const row = await read(database, (db) =>
        db.selectFrom('apps').selectAll().where('id', '=', id).executeTakeFirst(),
      );
      return row && toApp(row);
    },

    async setWeight(id, weight) {
      return await change(database, async (tx) => {
        const result = await tx.updateTable('apps').set({ weight }).where('id', '=', id).executeTakeFirst();
        return result.numUpdatedRows > 0n;
      });
    },

    async remove(id) {
      return await change(database, async (tx) => {
        const result = await tx.deleteFrom('apps').where('id', '=', id).executeTakeFirst();
        return result.numDeletedRows > 0n;
      });
    },
  };
}

function toApp(row: AppRow): App {
  return { id: row.id, teamId: row.team_id, name: row.name, weight: row.weight, createdAt: row.created_at };
}
