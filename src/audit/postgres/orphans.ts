import type { ClientBase } from 'pg';
import type { ChainRow } from './chain-row.ts';
import { idSql } from './event-id.ts';
import { beginOfWeek, partitionWeeks } from './partitions.ts';

/**
 * Rows that no batch has, in words: nothing links them, and yet a query would show them. Counted week by week, each time over
 * one index, within the snapshot in which the chain stands at its head.
 *
 * @throws pg's error
 */
export async function orphansOf(client: ClientBase, { id, first_seq, seq }: ChainRow): Promise<string[]> {
  const counts = { event: 0, strayEvent: 0, strayTarget: 0 };
  for (const week of await partitionWeeks(client)) {
    const { rows } = await client.query<typeof counts>(COUNT, [
      id,
      first_seq,
      seq,
      beginOfWeek(week),
      beginOfWeek(week + 1),
    ]);
    for (const name of ['event', 'strayEvent', 'strayTarget'] as const) counts[name] += rows[0]?.[name] ?? 0;
  }
  const faults: string[] = [];
  const linked = seq - first_seq + 1;
  if (counts.strayEvent > 0) faults.push(`${counts.strayEvent} rows of "event" stand outside of every batch`);
  if (counts.strayTarget > 0) faults.push(`${counts.strayTarget} rows of "target" stand outside of every batch`);
  if (counts.event > linked) faults.push(`${counts.event - linked} rows of "event" stand there twice`);
  return faults;
}

const LINKED = `id BETWEEN ${idSql('$1', '$2')} AND ${idSql('$1', '$3')}`;
const STRAY = `id >= ${idSql('$1', '0')} AND id < ${idSql('$1::integer + 1', '0')} AND NOT (${LINKED})`;
const IN_WEEK = 'at >= $4 AND at < $5';

const COUNT = `SELECT (SELECT count(*) FROM record_event WHERE ${LINKED} AND ${IN_WEEK}) AS event,
  (SELECT count(*) FROM record_event WHERE ${STRAY} AND ${IN_WEEK}) AS "strayEvent",
  (SELECT count(*) FROM record_target WHERE ${STRAY} AND ${IN_WEEK}) AS "strayTarget"`;
