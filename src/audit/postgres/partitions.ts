import type { ClientBase } from 'pg';
import { LOCK_PARTITIONS } from './advisory-locks.ts';

/**
 * A partition holds a week: retention, which drops whole ones, then keeps at most a week too much. A day would be finer, but a
 * question that goes through a year would lock thousands of tables and indexes, of the some 6,400 that all connections of a
 * server may lock as it comes.
 */
const PARTITION_MS = 604_800_000;

/**
 * SQL for an instant in steps of four seconds, a number of four bytes: what indexes are ordered by, instead of the eight bytes
 * of `at`. That saves a third of each, and where events come in numbers PostgreSQL keeps equal entries once (6 bytes each).
 * Who reads sorts the events of four seconds. After the year 2248 it stands still, and only gets slow.
 *
 * It also is nothing that the index by `at` is in order of: so no planner goes through a week of events by time for those of a
 * team that had none for hours, because it takes them for evenly spread.
 */
export function spanSql(at: string): string {
  return `(least(${at} >> 12, 2147483647)::integer)`;
}

/**
 * SQL for what requests are indexed by: four bytes, which in a UUIDv7 (RFC 9562) are those of its time that grow, for weeks on end,
 * so that the index is filled from one end.
 */
export function requestSql(request: string): string {
  return `(substring(${request} FROM 3 FOR 4))`;
}

/** The week that an instant is of, counted from 1970 (UTC), Thursday to Wednesday. */
export function weekOf(at: number): number {
  return Math.floor(at / PARTITION_MS);
}

/** Milliseconds since 1970 at which a week begins. */
export function beginOfWeek(week: number): number {
  return week * PARTITION_MS;
}

/**
 * Weeks that have a partition, oldest first.
 *
 * @throws pg's error
 */
export async function partitionWeeks(client: ClientBase): Promise<number[]> {
  const { rows } = await client.query<{ week: string }>(
    `SELECT substring(c.relname FROM 15) AS week FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = 'record_event'::regclass`,
  );
  return rows.map(({ week }) => Number(week)).sort((a, b) => a - b);
}

/**
 * Makes the partition of a week, unless it is there. Made apart and then attached: that locks out neither readers nor
 * writers of the others.
 *
 * @throws pg's error
 */
export async function makePartition(client: ClientBase, week: number): Promise<void> {
  const event = `record_event_w${week}`;
  const target = `record_target_w${week}`;
  const range = `FOR VALUES FROM (${beginOfWeek(week)}) TO (${beginOfWeek(week + 1)})`;
  const span = spanSql('at');
  const index = (table: string, columns: string): string => `CREATE INDEX ON ${table} (${columns});`;
  // Asked of the table itself: what `to_regclass` remembers, another's commit does not change in time.
  const isMissing = `NOT EXISTS (SELECT FROM pg_tables WHERE schemaname = current_schema() AND tablename = '${event}')`;
  await client.query(`DO $$ BEGIN
    IF ${isMissing} THEN
      PERFORM pg_advisory_xact_lock(${LOCK_PARTITIONS}, 0);
      IF ${isMissing} THEN
        CREATE TABLE ${event} (LIKE record_event, PRIMARY KEY (id));
        ${index(event, 'at')}
        ${index(event, `caller, ${span}`)}
        ${index(event, `owner, ${span}`)}
        ${index(event, `operation, ${span}`)}
        ${index(event, `class, ${span}`)}
        ${index(event, requestSql('request'))}
        CREATE TABLE ${target} (LIKE record_target, PRIMARY KEY (id, n));
        ${index(target, `name, ${span}`)}
        ALTER TABLE record_target ATTACH PARTITION ${target} ${range};
        ALTER TABLE record_event ATTACH PARTITION ${event} ${range};
      END IF;
    END IF;
  END $$`);
}
