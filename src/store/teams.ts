import type { Team, Teams } from '../domain/team.ts';
import { change, read } from './access.ts';
import type { Database, TeamRow } from './schema.ts';

export function storedTeams(database: Database): Teams {
  return {
    async add(team) {
      const row: TeamRow = {
        id: team.id,
        slug: team.slug,
        name: team.name,
        created_at: team.createdAt,
        sealed_data_key: team.sealedDataKey,
      };
      await change(
        database,
        async (tx) => {
          await tx.insertInto('teams').values(row).execute();
          return true;
        },
        `there is a team ${team.slug} already`,
      );
    },

    async list() {
      const rows = await read(database, (db) => db.selectFrom('teams').selectAll().orderBy('slug').execute());
      return rows.map(toTeam);
    },

    async findBySlug(slug) {
      const row = await read(database, (db) =>
        db.selectFrom('teams').selectAll().where('slug', '=', slug).executeTakeFirst(),
      );
      return row && toTeam(row);
    },

    async findById(id) {
      const row = await read(database, (db) =>
        db.selectFrom('teams').selectAll().where('id', '=', id).executeTakeFirst(),
      );
      return row && toTeam(row);
    },

    async setName(id, name) {
      return await change(database, async (tx) => {
        const result = await tx.updateTable('teams').set({ name }).where('id', '=', id).executeTakeFirst();
        return result.numUpdatedRows > 0n;
      });
    },

    async remove(id) {
      return await change(database, async (tx) => {
        const result = await tx.deleteFrom('teams').where('id', '=', id).executeTakeFirst();
        return result.numDeletedRows > 0n;
      });
    },
  };
}

function toTeam(row: TeamRow): Team {
  return {
    id: row.id,
    slug: row.slug,
    name: row.name,
    createdAt: row.created_at,
    sealedDataKey: row.sealed_data_key,
  };
}
