import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisServer } from '../../support/redis-server.ts';
import type { SimulatorProcess } from '../../support/simulator.ts';
import { MASON_KEY } from '../contestants/contestant.ts';
import { type GatewayProcess, install, type Placement } from '../contestants/gateway.ts';
import { type Cell, startJudge } from './cell.ts';

const SAMPLE_MS = 500;

/** Whole gateways on one data directory, in processes of their own, before a simulated Mason that judges. */
export interface GatewayFleet extends AsyncDisposable {
  readonly simulator: SimulatorProcess;
  readonly gateways: readonly GatewayProcess[];
  /** By app. */
  readonly tokens: ReadonlyMap<string, string>;
}

/** @param placements one a gateway; without a name, they are numbered. */
export async function startFleet(
  cell: Cell,
  apps: readonly string[],
  placements: readonly Placement[],
  calls: Readonly<Record<string, number>> = {},
): Promise<GatewayFleet> {
  await using stack = new AsyncDisposableStack();
  const simulator = stack.use(await startJudge(cell));
  const { calls: perWindow, windowMs } = cell.limit;
  const { tokens, start } = await install(
    { masonUrl: simulator.url, key: MASON_KEY, limit: `${perWindow}/${windowMs}ms`, apps },
    calls,
  );
  const gateways: GatewayProcess[] = [];
  for (const [i, placement] of placements.entries()) {
    gateways.push(stack.use(await start({ id: `gateway-${i}`, ...placement })));
  }
  const rest = stack.move();
  return { simulator, gateways, tokens, [Symbol.asyncDispose]: () => rest.disposeAsync() };
}

/** Lets time pass. @returns the spread of the way to Mason by which the gateways paced meanwhile, milliseconds, on average. */
export async function spreadDuring({ gateways }: GatewayFleet, forMs: number): Promise<number> {
  const spreads: number[] = [];
  const end = performance.now() + forMs;
  while (performance.now() < end) {
    await sleep(Math.min(SAMPLE_MS, end - performance.now()));
    spreads.push(...(await Promise.all(gateways.map((gateway) => gateway.spreadMs()))));
  }
  return spreads.reduce((sum, one) => sum + one, 0) / spreads.length;
}

/** So many questions a Redis has been asked, by gateways or anybody. */
export async function scriptsRun(redis: RedisServer): Promise<number> {
  const stats = String(await redis.command('INFO', 'commandstats'));
  return [...stats.matchAll(/^cmdstat_eval(?:sha)?:calls=(\d+)/gm)].reduce((sum, [, calls]) => sum + Number(calls), 0);
}
