import type { ClientBase, Pool } from 'pg';
import type { KeptBatch, KeptChain, RecordArchive } from '../../domain/archive.ts';
import type { SignedCheckpoint } from '../../domain/checkpoint.ts';
import { openPool } from '../../store/postgres/open-pool.ts';
import type { PostgresSettings } from '../../store/postgres/postgres-settings.ts';
import { chainName, runOf } from '../chain.ts';
import { bringUpToDate } from './bring-up-to-date.ts';
import type { ChainRow } from './chain-row.ts';
import { keptBatches } from './kept-batches.ts';
import { orphansOf } from './orphans.ts';
import { readRecord } from './record-reads.ts';

/** A piece is some hundred events, but the search for what belongs to no batch goes through a chain's indexes. */
const PIECE_MS_MAX = 60_000;
const PIECES_AT_ONCE_MAX = 2;
const CHECKPOINTS_AT_ONCE = 500;

/**
 * The record in PostgreSQL as it stands. Each piece is read within a snapshot of its own: a reader that is slow keeps nobody
 * from clearing away what is gone.
 *
 * @throws as `bringUpToDate`
 */
export async function openPostgresArchive(settings: PostgresSettings): Promise<RecordArchive> {
  await bringUpToDate(settings);
  const pool = await openPool(settings, {
    connectionsMax: PIECES_AT_ONCE_MAX,
    waitMs: PIECE_MS_MAX,
    statementMs: PIECE_MS_MAX,
  });
  return new PostgresArchive(pool);
}

class PostgresArchive implements RecordArchive {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  chains(): Promise<readonly KeptChain[]> {
    return readRecord(this.#pool, async (client) => (await chainRows(client)).map(keptChain));
  }

  async *batches(chain: string, afterSeq: number): AsyncIterable<KeptBatch> {
    let after = afterSeq;
    for (;;) {
      const piece = await readRecord(this.#pool, async (client) => {
        const [row] = await chainRows(client, runOf(chain));
        if (row === undefined) return undefined;
        const batches = await keptBatches(client, row, after);
        return { row, batches, faults: batches.length === 0 ? await orphansOf(client, row) : [] };
      });
      if (piece === undefined) return;
      yield* piece.batches;
      const last = piece.batches.at(-1);
      if (last === undefined) {
        const { seq, batch, link } = piece.row;
        if (piece.faults.length === 0) return;
        yield { n: batch, firstSeq: seq + 1, lastSeq: seq, link, events: [], faults: piece.faults };
        return;
      }
      after = last.firstSeq;
    }
  }

  async *checkpoints(chain: string): AsyncIterable<SignedCheckpoint> {
    let after = -1;
    for (;;) {
      const rows = await readRecord(this.#pool, async (client) => {
        const found = await client.query<CheckpointRow>(
          `SELECT p.* FROM record_checkpoint p JOIN record_chain c ON c.id = p.chain
           WHERE c.run = $1 AND p.seq > $2 ORDER BY p.seq LIMIT $3`,
          [runOf(chain), after, CHECKPOINTS_AT_ONCE],
        );
        return found.rows;
      });
      yield* rows.map(signedCheckpoint);
      const last = rows.at(-1);
      if (last === undefined) return;
      after = last.seq;
    }
  }

  newest(): Promise<readonly SignedCheckpoint[]> {
    return readRecord(this.#pool, async (client) => {
      const { rows } = await client.query<CheckpointRow>(
        `SELECT p.* FROM record_chain c CROSS JOIN LATERAL (
           SELECT * FROM record_checkpoint p WHERE p.chain = c.id ORDER BY p.seq DESC LIMIT 1
         ) p WHERE c.is_open`,
      );
      return rows.map(signedCheckpoint);
    });
  }

  async close(): Promise<void> {
    if (!this.#pool.ending) await this.#pool.end();
  }
}

async function chainRows(client: ClientBase, run?: string): Promise<ChainRow[]> {
  const { rows } = await client.query<ChainRow>(
    'SELECT * FROM record_chain WHERE seq > 0 AND ($1::text IS NULL OR run = $1) ORDER BY run',
    [run ?? null],
  );
  return rows;
}

interface CheckpointRow {
  readonly seq: number;
  readonly text: string;
  readonly key_id: string;
  readonly signature: string;
}

function signedCheckpoint({ text, key_id: keyId, signature }: CheckpointRow): SignedCheckpoint {
  return { text, keyId, signature };
}

function keptChain(row: ChainRow): KeptChain {
  const { gateway_id: gatewayId, run, seq, batch, link } = row;
  return {
    chain: chainName(gatewayId, run),
    gatewayId,
    run,
    firstSeq: row.first_seq,
    previousLink: row.previous_link,
    head: { seq, batch, link },
  };
}
