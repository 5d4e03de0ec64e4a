import { setTimeout as sleep } from 'node:timers/promises';
import { LIMITER_KINDS } from '../../../src/simulator/limit/make-limiter.ts';
import { RedisServer } from '../../support/redis-server.ts';
import { type Extent, judge, type Part } from './bar.ts';
import { type Cell, judgePace } from './cell.ts';
import { FleetLoad } from './fleet-load.ts';
import { scriptsRun, spreadDuring, startFleet } from './gateway-fleet.ts';

const GATEWAYS = 4;
const APP = 'app';
const WARM_UP_MS = 5_000;
const FOR_MS = 15_000;
const LONG_MS = 60_000;
/** More would only wait longer. */
const CALLERS_EACH_MAX = 100;

const CELLS: readonly Cell[] = [
  { limit: { calls: 10, windowMs: 1_000 }, kind: 'sliding-log', jitterMs: 50 },
  { limit: { calls: 100, windowMs: 1_000 }, kind: 'sliding-log', jitterMs: 0 },
  { limit: { calls: 100, windowMs: 1_000 }, kind: 'token-bucket', jitterMs: 50 },
  { limit: { calls: 1_000, windowMs: 1_000 }, kind: 'sliding-log', jitterMs: 0 },
];
const LONG_CELLS: readonly Cell[] = [10, 100, 1_000].flatMap((calls) =>
  LIMITER_KINDS.flatMap((kind) => [0, 50].map((jitterMs) => ({ limit: { calls, windowMs: 1_000 }, kind, jitterMs }))),
);

/** What the shared cells show of the line, shown of all that callers meet. */
export const wholeGateways: Part = {
  name: 'whole-gateways',
  about: `${GATEWAYS} whole gateways on one data directory and one Redis, called over HTTP`,
  async run({ long }) {
    let met = true;
    for (const cell of long ? LONG_CELLS : CELLS) met = (await runCell(cell, { long })) && met;
    return met;
  },
};

async function runCell(cell: Cell, { long }: Extent): Promise<boolean> {
  await using redis = await RedisServer.start();
  const placements = Array.from({ length: GATEWAYS }, () => ({ redisUrl: redis.url }));
  await using fleet = await startFleet(cell, [APP], placements);
  await using load = new FleetLoad(fleet);
  load.keepAllBusy(APP, Math.min(CALLERS_EACH_MAX, Math.ceil((cell.limit.calls * 1.5) / GATEWAYS)));
  await sleep(WARM_UP_MS);
  await fleet.simulator.reset();
  const [asked, answered] = [await scriptsRun(redis), load.ended.length];
  const spreadMs = await spreadDuring(fleet, long ? LONG_MS : FOR_MS);
  const askedEach = ((await scriptsRun(redis)) - asked) / (load.ended.length - answered);
  const isPaced = await judgePace(cell, fleet.simulator, askedEach, spreadMs);
  await load.stop();
  const failures = load.failures();
  const first = failures[0]?.message ?? '';
  return (
    judge(
      failures.length === 0,
      `${failures.length} of ${load.ended.length} calls not answered 200 ${first}; the bar is 0`,
    ) && isPaced
  );
}
