import type { PoolClient } from 'pg';
import { openPool } from './open-pool.ts';
import type { PostgresSettings } from './postgres-settings.ts';

const COMPARED = 2;

/**
 * A pooler that lends a connection of the server's for one transaction takes its locks and settings elsewhere after it. It shows
 * when one of the server's answers on two of ours, which the one that was used last does where nobody else asks just then.
 *
 * @throws Error in one line for an operator; pg's error when the server does not answer
 */
export async function refuseLentConnections(settings: PostgresSettings): Promise<void> {
  const { connectMs } = settings;
  const pool = await openPool(settings, { connectionsMax: COMPARED, waitMs: connectMs, statementMs: connectMs });
  const open: PoolClient[] = [];
  const answering = new Set<number | undefined>();
  try {
    while (open.length < COMPARED) {
      const client = await pool.connect();
      open.push(client);
      const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
      answering.add(rows[0]?.pid);
    }
  } finally {
    for (const client of open) client.release();
    await pool.end();
  }
  if (answering.size === COMPARED) return;
  throw new Error('a pooler lends its connections by the transaction: give the address of PostgreSQL itself');
}
