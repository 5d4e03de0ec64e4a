import type { ClientBase } from 'pg';
import type { PruneAsked } from '../retention/record-pruner.ts';
import { beginOfWeek, partitionWeeks } from './partitions.ts';

/** A batch may straddle the end of a week: what begins in a week that goes, and ends so soon after it, goes with it. */
const STRADDLE_MS = 3_600_000;

export interface WeeksToDrop {
  /** Milliseconds since 1970 at which the first week begins that stays; undefined: none goes. */
  readonly until: number | undefined;
  /** Batches whose events are all older go. */
  readonly before: number;
  /** What the record takes on disk. */
  readonly bytes: number;
}

/**
 * Which weeks go: those that are wholly of an age, and of the rest the oldest, until what is left takes no more than it may. The
 * week that goes on stays, and so does one whose end is not an hour ago.
 *
 * @throws pg's error
 */
export async function weeksToDrop(client: ClientBase, { now, before, bytesMax }: PruneAsked): Promise<WeeksToDrop> {
  const bytes = await recordBytes(client);
  let left = bytes;
  let until: number | undefined;
  for (const week of await partitionWeeks(client)) {
    const end = beginOfWeek(week + 1);
    const isOld = before !== undefined && end + STRADDLE_MS <= before;
    if (end + STRADDLE_MS > now || !(isOld || (bytesMax !== undefined && left > bytesMax))) break;
    until = end;
    left -= await sizeOf(client, [`record_event_w${week}`, `record_target_w${week}`]);
  }
  return { until, before: until === undefined ? 0 : until + STRADDLE_MS, bytes };
}

/**
 * What all of the record takes on disk, with its indexes.
 *
 * @throws pg's error
 */
export async function recordBytes(client: ClientBase): Promise<number> {
  const weeks = await partitionWeeks(client);
  const partitions = weeks.flatMap((week) => [`record_event_w${week}`, `record_target_w${week}`]);
  return await sizeOf(client, [...partitions, 'record_batch', 'record_checkpoint', 'record_chain']);
}

async function sizeOf(client: ClientBase, tables: readonly string[]): Promise<number> {
  const { rows } = await client.query<{ bytes: number }>(
    'SELECT coalesce(sum(pg_total_relation_size(to_regclass(name))), 0)::bigint AS bytes FROM unnest($1::text[]) AS name',
    [tables],
  );
  return rows[0]?.bytes ?? 0;
}
