import type { GatewayRun, GatewayRuns } from '../domain/run.ts';
import { read, write } from './access.ts';
import type { Database, RunRow } from './schema.ts';

export function storedRuns(database: Database): GatewayRuns {
  return {
    async beat({ chain, gatewayId }, at) {
      const row = { chain, gateway_id: gatewayId, started_at: at, seen_at: at };
      await write(database, (tx) =>
        tx
          .insertInto('runs')
          .values({ ...row, ended_at: null, closed_at: null, taken_by: null, taken_at: null })
          .onConflict((conflict) =>
            conflict
              .column('chain')
              .doUpdateSet({ seen_at: at })
              // Heard late, a beat does not make a run look older than it is.
              .where('runs.seen_at', '<', at),
          )
          .execute(),
      );
    },

    async end(chain, at) {
      await write(database, (tx) =>
        tx.updateTable('runs').set({ ended_at: at }).where('chain', '=', chain).where('ended_at', 'is', null).execute(),
      );
    },

    async list() {
      const rows = await read(database, (db) =>
        db.selectFrom('runs').selectAll().orderBy('started_at').orderBy('chain').execute(),
      );
      return rows.map(toRun);
    },

    async take(chain, by, { seenBefore, takenAfter, at }) {
      return await write(database, async (tx) => {
        const result = await tx
          .updateTable('runs')
          .set({ taken_by: by, taken_at: at })
          .where('chain', '=', chain)
          .where('seen_at', '<', seenBefore)
          .where('ended_at', 'is', null)
          .where('closed_at', 'is', null)
          .where(({ or, eb }) =>
            or([eb('taken_at', 'is', null), eb('taken_at', '<=', takenAfter), eb('taken_by', '=', by)]),
          )
          .executeTakeFirst();
        return result.numUpdatedRows > 0n;
      });
    },

    async close(chain, by, at) {
      await write(database, (tx) =>
        tx.updateTable('runs').set({ closed_at: at }).where('chain', '=', chain).where('taken_by', '=', by).execute(),
      );
    },

    async forget(chains) {
      await write(database, async (tx) => {
        for (const chain of chains) {
          await tx.deleteFrom('runs').where('chain', '=', chain).execute();
          await tx.deleteFrom('usage_counted').where('chain', '=', chain).execute();
        }
      });
    },
  };
}

function toRun({ chain, gateway_id: gatewayId, started_at: startedAt, seen_at: seenAt, ...ends }: RunRow): GatewayRun {
  return {
    chain,
    gatewayId,
    startedAt,
    seenAt,
    endedAt: ends.ended_at ?? undefined,
    closedAt: ends.closed_at ?? undefined,
  };
}
