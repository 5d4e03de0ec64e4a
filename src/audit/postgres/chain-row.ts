import type { ClientBase } from 'pg';
import { type ChainHead, chainBegin, chainName, type Head } from '../chain.ts';
import { ulid, ulidEpochMs } from '../ulid.ts';
import { LOCK_CHAIN, LOCK_RUNS } from './advisory-locks.ts';

/** A chain that is being written. */
export interface WrittenChain {
  /** The number that it has in this database. */
  readonly id: number;
  readonly run: string;
  readonly name: string;
}

/** How long a chain must have been left alone, by somebody who is not connected, before it is closed. */
const LEFT_MS = 3_600_000;

const NOW_MS = '(extract(epoch FROM clock_timestamp()) * 1000)::bigint';

/** A row of `record_chain`. */
export interface ChainRow {
  readonly id: number;
  readonly gateway_id: string;
  readonly run: string;
  readonly seq: number;
  readonly batch: number;
  readonly link: Uint8Array;
  readonly first_seq: number;
  readonly previous_link: Uint8Array;
  readonly is_open: boolean;
}

/**
 * Begins a chain. One at a time, and named later than all others by the database's clock: so the order of the names is the
 * order in which runs appear to readers. Closes what others left, which keeps page keys short; who comes back to such a chain
 * begins another.
 *
 * @throws pg's error
 */
export async function beginChain(client: ClientBase, gatewayId: string): Promise<WrittenChain> {
  await client.query('BEGIN');
  await client.query('SELECT pg_advisory_xact_lock($1, 0)', [LOCK_RUNS]);
  const { rows } = await client.query<{ now: number; newest: string | null }>(
    `SELECT ${NOW_MS} AS now, (SELECT max(run) FROM record_chain) AS newest`,
  );
  const { now = 0, newest = null } = rows[0] ?? {};
  const run = ulid(newest === null ? now : Math.max(now, ulidEpochMs(newest) + 1));
  const name = chainName(gatewayId, run);
  const link = Buffer.from(chainBegin(name).link);
  const made = await client.query<{ id: number }>(
    `INSERT INTO record_chain (gateway_id, run, seq, batch, link, first_seq, previous_link, is_open, written_at)
     VALUES ($1, $2, 0, -1, $3, 1, $3, true, $4) RETURNING id`,
    [gatewayId, run, link, now],
  );
  const id = made.rows[0]?.id ?? 0;
  await hold(client, id);
  await client.query(
    `UPDATE record_chain SET is_open = false
     WHERE is_open AND written_at < $1 AND id <> $2 AND pg_try_advisory_xact_lock($3, id)`,
    [now - LEFT_MS, id, LOCK_CHAIN],
  );
  await client.query('COMMIT');
  return { id, run, name };
}

/**
 * Where a chain stands, and whether it goes on there. Undefined when what stands there is not what was written: the database
 * was put back to an earlier state, or altered.
 *
 * @param head the last place that is known for sure
 * @throws pg's error
 */
export async function readBack(
  client: ClientBase,
  chain: WrittenChain,
  head: Head,
): Promise<{ head: Head; isOpen: boolean } | undefined> {
  // First: who closes it asks for this lock, and what is read after stays.
  await hold(client, chain.id);
  const { rows } = await client.query<ChainRow & { known: Uint8Array | null }>(
    `SELECT chain.*, batch.link AS known FROM record_chain chain
     LEFT JOIN record_batch batch ON batch.chain = chain.id AND batch.last_seq = $2 AND batch.n = $3
     WHERE chain.id = $1 AND chain.run = $4`,
    [chain.id, head.seq, head.batch, chain.run],
  );
  const row = rows[0];
  if (row === undefined) return undefined;
  const isKnown = head.seq === 0 || (row.known !== null && Buffer.compare(row.known, head.link) === 0);
  return isKnown ? { head: { seq: row.seq, batch: row.batch, link: row.link }, isOpen: row.is_open } : undefined;
}

/**
 * The head of the newest other chain of a gateway.
 *
 * @throws pg's error
 */
export async function findPreviousHead(
  client: ClientBase,
  gatewayId: string,
  run: string,
): Promise<ChainHead | undefined> {
  const { rows } = await client.query<ChainRow>(
    `SELECT * FROM record_chain WHERE gateway_id = $1 AND run < $2 AND seq > 0 ORDER BY run DESC LIMIT 1`,
    [gatewayId, run],
  );
  const row = rows[0];
  return row && { chain: chainName(row.gateway_id, row.run), seq: row.seq, batch: row.batch, link: row.link };
}

/** Nobody will write it any more. */
export async function closeChain(client: ClientBase, chain: WrittenChain): Promise<void> {
  await client.query('UPDATE record_chain SET is_open = false WHERE id = $1', [chain.id]);
}

/** As long as the connection lasts. */
async function hold(client: ClientBase, id: number): Promise<void> {
  await client.query('SELECT pg_advisory_lock_shared($1, $2)', [LOCK_CHAIN, id]);
}
