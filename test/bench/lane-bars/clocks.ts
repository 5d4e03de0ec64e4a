import { setTimeout as sleep } from 'node:timers/promises';
import { RedisServer } from '../../support/redis-server.ts';
import type { GatewayProcess } from '../contestants/gateway.ts';
import { judge, type Part, percent } from './bar.ts';
import { type Cell, judgePace } from './cell.ts';
import { FleetLoad } from './fleet-load.ts';
import { scriptsRun, spreadDuring, startFleet } from './gateway-fleet.ts';

const HOUR_MS = 3_600_000;
const GATEWAYS = 3;
const CALLERS_EACH = 40;
const APP = 'app';
const CELL: Cell = { limit: { calls: 100, windowMs: 1_000 }, kind: 'sliding-log', jitterMs: 0 };
const WARM_UP_MS = 5_000;
const FOR_MS = 10_000;
const FROZEN_MS = 1_000;
/** Of an even part. */
const TOLERANCE = 0.1;

const WRONG_CLOCKS = [
  ['an hour ahead', `ahead=${HOUR_MS}`],
  ['an hour behind', `ahead=-${HOUR_MS}`],
  ['frozen', 'frozen'],
] as const;

/** A gateway whose wall clock is wrong, among others. */
export const clocks: Part = {
  name: 'clocks',
  about: `the clock of one of ${GATEWAYS} whole gateways an hour ahead, behind, frozen: nothing changes`,
  async run() {
    let met = true;
    for (const [name, how] of WRONG_CLOCKS) met = (await runWith(name, how)) && met;
    return met;
  },
};

async function runWith(name: string, how: string): Promise<boolean> {
  const preload = new URL(`../machine/wrong-clock.ts?${how}`, import.meta.url).href;
  await using redis = await RedisServer.start();
  const placements = Array.from({ length: GATEWAYS }, (_, i) => ({
    redisUrl: redis.url,
    ...(i === 0 ? { preload } : {}),
  }));
  await using fleet = await startFleet(CELL, [APP], placements);
  await using load = new FleetLoad(fleet);
  await sleep(2 * FROZEN_MS);
  await ensureWrong(how, fleet.gateways[0], load);
  load.keepAllBusy(APP, CALLERS_EACH);
  await sleep(WARM_UP_MS);
  await fleet.simulator.reset();
  const [asked, answered] = [await scriptsRun(redis), load.ended.length];
  const spreadMs = await spreadDuring(fleet, FOR_MS);
  const own = load.ended.slice(answered);
  const askedEach = ((await scriptsRun(redis)) - asked) / own.length;
  const isPaced = await judgePace(CELL, fleet.simulator, askedEach, spreadMs, `${name}: `);
  await load.stop();
  const part = (own.filter(({ gateway }) => gateway === 0).length / own.length) * GATEWAYS;
  const failures = load.failures().length;
  const bars = [
    judge(failures === 0, `${name}: ${failures} of ${load.ended.length} calls not answered 200; the bar is 0`),
    judge(
      Math.abs(part - 1) <= TOLERANCE,
      `${name}: the gateway with that clock sent ${percent(part)} of an even part; the bar is 100 ± ${TOLERANCE * 100}`,
    ),
  ];
  return bars.every(Boolean) && isPaced;
}

/** @throws Error when the gateway's clock is not as wrong as it should be: then nothing was tried */
async function ensureWrong(how: string, gateway: GatewayProcess | undefined, load: FleetLoad): Promise<void> {
  const { requestId } = await load.call(0, APP);
  const aheadMs = ((await gateway?.recordedAt(requestId)) ?? Number.NaN) - Date.now();
  const wantedMs = Number(/ahead=(.+)/.exec(how)?.[1] ?? 0);
  // Frozen at its start, it is behind by now.
  const isWrong = wantedMs === 0 ? aheadMs < -FROZEN_MS : Math.abs(aheadMs - wantedMs) < HOUR_MS / 60;
  if (!isWrong) throw new Error(`the clock of the gateway is ${aheadMs} ms ahead, and should be: ${how}`);
}
