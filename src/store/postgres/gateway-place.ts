import { createHash } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import type { Clock } from '../../domain/clock.ts';
import { GatewayError } from '../../domain/errors.ts';
import { openPool } from './open-pool.ts';
import { cannotOpen, nameOf } from './open-postgres.ts';
import type { PostgresSettings } from './postgres-settings.ts';
import { refuseLentConnections } from './refuse-lent-connections.ts';

/** First numbers of two, as those of the record's locks are (`audit/postgres/advisory-locks.ts`). */
const LOCK_GATEWAYS = 0x6d_67_77_04;
const LOCK_GATEWAY_NAME = 0x6d_67_77_05;

/**
 * A process that ends, however it does, gives its place back at once: the kernel closes its connection. A machine that is gone
 * closes nothing; PostgreSQL then finds out within 6 s, by asking a connection that was silent for 3 s every second, three times.
 * Less would take the place from gateways that live, whenever the network has a hiccup.
 */
const FOUND_OUT = `SELECT set_config('tcp_keepalives_idle', '3', false), set_config('tcp_keepalives_interval', '1', false),
  set_config('tcp_keepalives_count', '3', false), set_config('tcp_user_timeout', '6000', false)`;
/** So long a start waits for the place of one that ends, or is gone without having said so. */
const WAIT_MS_MAX = 8_000;
const LOOK_MS = 250;
/** Well within the silence after which the connection is given up. */
const BEAT_MS = 2_000;
const STATEMENT_MS_MAX = 5_000;

export interface GatewayPlaceOptions {
  readonly gatewayId: string;
  /** Whether it knows of the calls of others, through Redis. */
  readonly sharesBudgets: boolean;
  readonly clock: Clock;
  /** Told, in one line for an operator, when the place is lost to another gateway. */
  readonly onProblem: (problem: string) => void;
}

/** The place of a gateway on a database: by a name of its own and, unless it shares its rate budgets with others, alone. */
export interface GatewayPlace extends AsyncDisposable {
  /** Another gateway took the place while the connection was away: calls may be sent to Mason twice as fast as it takes them. */
  readonly problem: string | undefined;
}

/**
 * Takes a gateway's place on a database, and holds it as long as the process lives: gateways that do not know of each other's
 * calls would send several times what Mason takes. After a loss of the connection it takes the place again as soon as it can.
 *
 * @throws GatewayError `conflict` in one clear line when another gateway holds it, and has for 8 s; `store_unavailable`
 */
export async function takeGatewayPlace(
  settings: PostgresSettings,
  options: GatewayPlaceOptions,
): Promise<GatewayPlace> {
  const { clock } = options;
  await using stack = new AsyncDisposableStack();
  const held = stack.use(new HeldPlace(settings, options));
  const end = clock.now() + WAIT_MS_MAX;
  const cannot = (error: unknown): never => {
    throw cannotOpen(settings, error);
  };
  // Or the lock would stay with a pooler.
  await refuseLentConnections(settings).catch(cannot);
  for (;;) {
    const conflict = await held.take().catch(cannot);
    if (conflict === undefined) break;
    if (clock.now() >= end) throw new GatewayError('conflict', conflict);
    await new Promise<void>((resolve) => clock.after(LOOK_MS, resolve));
  }
  held.keep();
  stack.move();
  return held;
}

class HeldPlace implements GatewayPlace {
  readonly #settings: PostgresSettings;
  readonly #options: GatewayPlaceOptions;
  #pool: Pool | undefined;
  #client: PoolClient | undefined;
  #isTaken = false;
  #problem: string | undefined;
  #cancel = (): void => undefined;
  #isEnded = false;
  #underWay: Promise<void> = Promise.resolve();

  constructor(settings: PostgresSettings, options: GatewayPlaceOptions) {
    this.#settings = settings;
    this.#options = options;
  }

  get problem(): string | undefined {
    return this.#problem;
  }

  /** Undefined when it is taken; else who is in the way, in words. */
  async take(): Promise<string | undefined> {
    const client = await this.#connected();
    const { gatewayId, sharesBudgets } = this.#options;
    const place = sharesBudgets ? 'pg_try_advisory_lock_shared' : 'pg_try_advisory_lock';
    // In this order, so that of several that start at once one gets both.
    const { rows } = await client.query<{ has_place: boolean; has_name: boolean | null }>(
      `SELECT has_place, CASE WHEN has_place THEN pg_try_advisory_lock($2, $3) END AS has_name
       FROM (SELECT ${place}($1, 0) AS has_place OFFSET 0) AS first`,
      [LOCK_GATEWAYS, LOCK_GATEWAY_NAME, numberOf(gatewayId)],
    );
    this.#isTaken = rows[0]?.has_name === true;
    return this.#isTaken ? undefined : this.#conflict(rows[0]?.has_place === true);
  }

  /** From now on: looks after the connection. */
  keep(): void {
    if (this.#isEnded) return;
    this.#cancel = this.#options.clock.after(this.#isTaken ? BEAT_MS : LOOK_MS, () => {
      this.#underWay = this.#beat().then(() => this.keep());
    });
  }

  /** Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnded = true;
    this.#cancel();
    // Whatever it waits for ends with the connection, and it may be about to make another one.
    this.#letGo();
    await this.#underWay;
    this.#letGo();
    const pool = this.#pool;
    this.#pool = undefined;
    await pool?.end();
  }

  async #beat(): Promise<void> {
    try {
      if (this.#isTaken) await this.#client?.query('SELECT 1');
      else this.#say(await this.take());
    } catch {
      // The store, which is the same database, says that it is away; whether the place is still free shows when it is back.
      this.#letGo();
    }
  }

  #say(problem: string | undefined): void {
    if (problem !== undefined && this.#problem === undefined) this.#options.onProblem(problem);
    this.#problem = problem;
  }

  async #connected(): Promise<PoolClient> {
    if (this.#client !== undefined) return this.#client;
    const { connectMs } = this.#settings;
    const bounds = { connectionsMax: 1, waitMs: connectMs, statementMs: STATEMENT_MS_MAX };
    this.#pool ??= await openPool(this.#settings, bounds);
    this.#client = await this.#pool.connect();
    await this.#client.query(FOUND_OUT);
    return this.#client;
  }

  #letGo(): void {
    this.#client?.release(true);
    this.#client = undefined;
    this.#isTaken = false;
  }

  #conflict(hasPlace: boolean): string {
    const { gatewayId, sharesBudgets } = this.#options;
    const where = `the ${nameOf(this.#settings)}`;
    const several = 'several may run on one database when each has its own GATEWAY_ID and all the same REDIS_URL';
    if (hasPlace) return `a gateway by the name ${gatewayId} runs on ${where} already: stop it first; ${several}`;
    const who = sharesBudgets ? 'a gateway without Redis' : 'a gateway';
    const why = sharesBudgets ? '' : ', and this one has no Redis';
    return `${who} runs on ${where} already${why}: stop it first; ${several}`;
  }
}

/** 32 bits, signed. */
function numberOf(gatewayId: string): number {
  return createHash('sha256').update(gatewayId).digest().readInt32BE();
}
