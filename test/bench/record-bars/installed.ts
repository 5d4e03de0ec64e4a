import { appendFileSync, existsSync, readFileSync, truncateSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PostgresServer } from '../../support/postgres-server.ts';
import { RedisServer } from '../../support/redis-server.ts';
import { type SimulatorProcess, spawnSimulator } from '../../support/simulator.ts';
import { MASON_KEY } from '../contestants/contestant.ts';
import { type GatewayProcess, type Installation, install } from '../contestants/gateway.ts';

export type StoreName = 'sqlite' | 'postgres';
export const APP = 'app';
/** The most that can be said: no call waits for its turn. */
export const BOUNDLESS = '1000000/1s';

/** So many of the newest requests the simulator remembers: more than come between two looks. */
export const REQUESTS_KEPT = 50_000;

/** Gateways that keep one record, before a simulated Mason. */
export interface Installed extends AsyncDisposable {
  readonly simulator: SimulatorProcess;
  readonly postgres: PostgresServer | undefined;
  readonly installation: Installation;
  /** All that the gateways said, those that are gone too: it holds their checkpoints. */
  readonly witness: string;
  /** Starts a gateway, again if it was there before. */
  start(id: string): Promise<GatewayProcess>;
  /** Moves what was said so far to the witness. */
  gatherLogs(): void;
}

/**
 * @param ids of the gateways that there will be; several are joined by a Redis.
 * @param memory settings of PostgreSQL's, beside which each commit reaches the disk
 */
export async function installOn(
  store: StoreName,
  ids: readonly string[],
  memory: readonly string[] = [],
): Promise<Installed> {
  await using stack = new AsyncDisposableStack();
  const postgres =
    store === 'postgres' ? stack.use(await PostgresServer.start({ isDurable: true, settings: memory })) : undefined;
  const redis = ids.length > 1 ? stack.use(await RedisServer.start()) : undefined;
  const simulator = stack.use(
    await spawnSimulator(['--key', `${MASON_KEY}=account:owner`, '--keep-requests', String(REQUESTS_KEPT)]),
  );
  const url = await postgres?.freshDatabase();
  const installation = await install({
    masonUrl: simulator.url,
    key: MASON_KEY,
    limit: BOUNDLESS,
    apps: [APP],
    scopes: ['fleet:read', 'notify:all'],
    settings: url === undefined ? {} : { database: { url } },
  });
  const witness = join(dirname(installation.logFile('')), 'witness.log');
  const gatherLogs = (): void => {
    for (const file of ids.map((id) => installation.logFile(id)).filter((log) => existsSync(log))) {
      // What was being written at a kill ends in the middle of a line.
      appendFileSync(witness, `${readFileSync(file, 'latin1')}\n`);
      truncateSync(file);
    }
  };
  const rest = stack.move();
  return {
    simulator,
    postgres,
    installation,
    witness,
    gatherLogs,
    start: (id) => installation.start({ id, ...(redis === undefined ? {} : { redisUrl: redis.url }) }),
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  };
}
