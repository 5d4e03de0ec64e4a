import type { Socket } from 'node:net';
import type { Client, CustomTypesConfig, Pool } from 'pg';
import type { PostgresSettings } from './postgres-settings.ts';

/** Milliseconds that a transaction may stand open with nothing asked: a gateway that froze must not hold up the others. */
const IDLE_TRANSACTION_MS_MAX = 5_000;
/** What is longer in coming than the server itself allows was lost on the way. */
const SILENCE_MS_MORE = 1_000;
const IDLE_MS_MAX = 30_000;
const KEEPALIVE_MS = 10_000;

/** Object ids of PostgreSQL's types (pg_type.dat). */
const BYTEA = 17;
const INT8 = 20;

export interface PoolOptions {
  readonly connectionsMax: number;
  /** Milliseconds that a question may wait for a free connection, or for a new one to be made. */
  readonly waitMs: number;
  /** Milliseconds that a statement may take, waiting for locks included. */
  readonly statementMs: number;
}

/**
 * Connections to a PostgreSQL, made when they are needed: a `bigint` is read as a number (what is stored is far below 2^53),
 * a `bytea` as a Uint8Array. None waits for ever, whatever hangs: one on which nothing comes back is given up, and what was
 * asked on it fails. A failure outside of a question reaches nobody and ends nothing: the next question meets it.
 */
export async function openPool(settings: PostgresSettings, options: PoolOptions): Promise<Pool> {
  const { default: pg } = await import('pg');
  const { host, port, database, user, password, tls } = settings;
  const pool = new pg.Pool({
    host,
    port,
    database,
    user,
    ...(password === undefined ? {} : { password: () => password.reveal() }),
    ssl: tls === undefined ? false : { ...tls, key: tls.key?.reveal() },
    application_name: 'mason-gateway',
    max: options.connectionsMax,
    connectionTimeoutMillis: options.waitMs,
    idleTimeoutMillis: IDLE_MS_MAX,
    statement_timeout: options.statementMs,
    idle_in_transaction_session_timeout: IDLE_TRANSACTION_MS_MAX,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEPALIVE_MS,
    types: ownTypes(pg.types),
  });
  pool.on('connect', (client) => {
    // While it is in use nobody else listens, and an error that nobody hears ends the process.
    client.on('error', () => {});
    giveUpSilence(client as unknown as Client, options.statementMs + SILENCE_MS_MORE);
  });
  pool.on('error', () => {});
  return pool;
}

/** pg's own `query_timeout` would leave the connection in the pool, with an answer on its way that nobody asked for. */
function giveUpSilence({ connection }: Client, silenceMs: number): void {
  const stream = connection.stream as Socket;
  stream.setTimeout(silenceMs, () => stream.destroy(new Error(`PostgreSQL said nothing for ${silenceMs} ms`)));
}

function ownTypes(theirs: CustomTypesConfig): CustomTypesConfig {
  return {
    getTypeParser: (id: number, format?: 'text' | 'binary') => {
      if (format === 'binary') return theirs.getTypeParser(id, format);
      if (id === INT8) return Number;
      if (id === BYTEA) return fromHex;
      return theirs.getTypeParser(id, 'text');
    },
  } as CustomTypesConfig;
}

/** PostgreSQL writes `\x00ff`. */
function fromHex(text: string): Uint8Array {
  return Uint8Array.fromHex(text.slice(2));
}
