import type { Socket } from 'node:net';
import type { Client, ClientBase, Pool } from 'pg';
import { openPool } from '../../store/postgres/open-pool.ts';
import type { PostgresSettings } from '../../store/postgres/postgres-settings.ts';

/** The one connection of a writer, which it keeps. */
export interface WritingConnection {
  readonly client: ClientBase;
  /** Whether it broke since; what is asked then fails. */
  readonly isBroken: boolean;
  /** Asks, and gives the connection up when nothing comes back. */
  ask<T>(question: (client: ClientBase) => Promise<T>): Promise<T>;
  /** Ends it at once, whatever is under way. */
  destroy(): void;
}

/**
 * Connects, for as long as it lasts.
 *
 * @param askMsMax milliseconds for connecting, for a statement, and, twice, for the silence after which it is given up
 * @throws pg's error
 */
export async function openWritingConnection(settings: PostgresSettings, askMsMax: number): Promise<WritingConnection> {
  const pool = await openPool(settings, { connectionsMax: 1, waitMs: askMsMax, statementMs: askMsMax });
  try {
    const client = await pool.connect();
    // Whoever turned this off gave away what a gateway promises; every stricter choice stays as it is.
    await client.query(
      `SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`,
    );
    return kept(pool, client, askMsMax * 2);
  } catch (error) {
    end(pool);
    throw error;
  }
}

function kept(
  pool: Pool,
  client: ClientBase & { release(destroy: boolean): void },
  silenceMs: number,
): WritingConnection {
  const stream = (client as unknown as Client).connection.stream as Socket;
  let isBroken = false;
  client.on('error', () => {
    isBroken = true;
  });
  // Between two questions it may be silent: nobody waits then.
  stream.setTimeout(0);
  return {
    client,
    get isBroken() {
      return isBroken;
    },
    async ask(question) {
      stream.setTimeout(silenceMs);
      try {
        return await question(client);
      } finally {
        stream.setTimeout(0);
      }
    },
    destroy() {
      isBroken = true;
      stream.destroy();
      client.release(true);
      end(pool);
    },
  };
}

function end(pool: Pool): void {
  // What could still fail in it is nobody's any more.
  pool.end().catch(() => undefined);
}
