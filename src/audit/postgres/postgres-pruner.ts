import type { ClientBase, Pool } from 'pg';
import { openPool } from '../../store/postgres/open-pool.ts';
import type { PostgresSettings } from '../../store/postgres/postgres-settings.ts';
import { runOf } from '../chain.ts';
import { escapedName } from '../escaped-name.ts';
import { recordUnreadable } from '../record-page.ts';
import type { Going, PruneAsked, PrunePlan, RecordPruner } from '../retention/record-pruner.ts';
import { chainSql, idSql } from './event-id.ts';
import { beginOfWeek, partitionWeeks, weekOf } from './partitions.ts';
import { planPrune, TEAM_WITH_BYTES } from './prune-plan.ts';
import { recordBytes } from './weeks-to-drop.ts';

/** A statement may go through weeks of events. */
const STATEMENT_MS_MAX = 1_800_000;
/** Who drops a partition locks out everybody: it must not stand in line for that behind a long question. */
const LOCK_MS_MAX = 2_000;

/** Takes the oldest out of a record in PostgreSQL: whole weeks by dropping their partitions, the rest row by row. */
export class PostgresPruner implements RecordPruner {
  readonly #settings: PostgresSettings;

  constructor(settings: PostgresSettings) {
    this.#settings = settings;
  }

  async plan(asked: PruneAsked): Promise<PrunePlan> {
    return await this.#ask((client) => planPrune(client, asked));
  }

  async carryOut({ now, teams }: PruneAsked, going: readonly Going[]): Promise<number> {
    return await this.#ask(async (client) => {
      const events = going.filter(({ taken }) => taken === 'events');
      const touched = new Set<string>();
      if (events.length > 0) for (const table of await takeEvents(client, now, events)) touched.add(table);
      for (const table of touched) await client.query(`VACUUM (ANALYZE) ${table}`);
      for (const { team, before } of teams.filter((one) => going.some((each) => each.team === one.team))) {
        const chains = going.filter((one) => one.team === team);
        for (const table of await takeBytes(client, team, before, chains))
          await client.query(`VACUUM (FULL, ANALYZE) ${table}`);
      }
      return await recordBytes(client);
    });
  }

  /** A connection for the job: it comes once an hour. */
  async #ask<T>(question: (client: ClientBase) => Promise<T>): Promise<T> {
    const pool: Pool = await openPool(this.#settings, {
      connectionsMax: 1,
      waitMs: 10_000,
      statementMs: STATEMENT_MS_MAX,
    });
    try {
      const client = await pool.connect();
      try {
        await client.query(`SET lock_timeout = ${LOCK_MS_MAX}`);
        return await question(client);
      } finally {
        client.release(true);
      }
    } catch (error) {
      throw recordUnreadable(error);
    } finally {
      await pool.end();
    }
  }
}

/** Batches, events and checkpoints, all at once: nobody sees a chain without its beginning. Answers what is left to be cleared. */
async function takeEvents(client: ClientBase, now: number, going: readonly Going[]): Promise<string[]> {
  await client.query('BEGIN');
  for (const { chain, lastSeq } of going) {
    const values = [runOf(chain), lastSeq];
    const own = 'chain = (SELECT id FROM record_chain WHERE run = $1)';
    await client.query(
      `UPDATE record_chain c SET first_seq = b.last_seq + 1, previous_link = b.link FROM record_batch b
       WHERE c.run = $1 AND b.chain = c.id AND b.last_seq = $2`,
      values,
    );
    await client.query(`DELETE FROM record_batch WHERE ${own} AND last_seq <= $2`, values);
    await client.query(`DELETE FROM record_checkpoint WHERE ${own} AND seq <= $2`, values);
  }
  const touched: string[] = ['record_batch', 'record_checkpoint'];
  const dropped: string[] = [];
  for (const week of await partitionWeeks(client)) {
    const tables = [`record_target_w${week}`, `record_event_w${week}`];
    const kept = await client.query('SELECT FROM record_batch WHERE low_at < $1 LIMIT 1', [beginOfWeek(week + 1)]);
    if (kept.rowCount === 0 && week < weekOf(now)) dropped.push(...tables);
    else if (await takeRows(client, tables, going)) touched.push(...tables);
  }
  for (const table of dropped) await client.query(`DROP TABLE ${table}`);
  // A chain of which nothing is left, and that nobody writes, is none any more.
  await client.query('DELETE FROM record_chain WHERE NOT is_open AND seq > 0 AND first_seq > seq');
  await client.query('COMMIT');
  return touched;
}

/** Whether there were any. */
async function takeRows(client: ClientBase, tables: readonly string[], going: readonly Going[]): Promise<boolean> {
  let count = 0;
  for (const table of tables) {
    for (const { chain, firstSeq, lastSeq } of going) {
      const { rowCount } = await client.query(
        `DELETE FROM ${table} t USING record_chain c
         WHERE c.run = $1 AND t.id BETWEEN ${idSql('c.id', '$2')} AND ${idSql('c.id', '$3')}`,
        [runOf(chain), firstSeq, lastSeq],
      );
      count += rowCount ?? 0;
    }
  }
  return count > 0;
}

/** Answers the partitions that are to be rewritten, without what is gone. */
async function takeBytes(client: ClientBase, team: string, before: number, going: readonly Going[]): Promise<string[]> {
  const touched: string[] = [];
  for (const week of await partitionWeeks(client)) {
    if (beginOfWeek(week) >= before) break;
    const [event, target] = [`record_event_w${week}`, `record_target_w${week}`];
    const values = [escapedName(team), before, going.map(({ chain }) => runOf(chain))];
    const which = `${TEAM_WITH_BYTES} AND ${chainSql('e.id')} IN (SELECT id FROM record_chain WHERE run = ANY($3))`;
    await client.query('BEGIN');
    await client.query(`DELETE FROM ${target} WHERE id IN (SELECT e.id FROM ${event} e WHERE ${which})`, values);
    const { rowCount } = await client.query(
      `UPDATE ${event} e SET line = NULL, caller = 0, owner = 0, operation = 0, class = 0, request = '' WHERE ${which}`,
      values,
    );
    await client.query('COMMIT');
    if ((rowCount ?? 0) > 0) touched.push(event, target);
  }
  return touched;
}
