import { setTimeout as sleep } from 'node:timers/promises';
import { paceFor } from '../../../src/lane/pace.ts';
import { RedisServer } from '../../support/redis-server.ts';
import { median } from '../throughput/rounds.ts';
import { judge, type Part, tell } from './bar.ts';
import type { Cell } from './cell.ts';
import { type Ended, FleetLoad } from './fleet-load.ts';
import { startFleet } from './gateway-fleet.ts';

const GATEWAYS = 4;
const APPS = ['calm', 'loud'] as const;
/** So many that an ordinary call waits longer than an urgent one may. */
const CALLERS_EACH = 60;
const CELL: Cell = { limit: { calls: 100, windowMs: 1_000 }, kind: 'sliding-log', jitterMs: 0 };
const WARM_UP_MS = 8_000;
const URGENT = 0;

/** At which gateways an app's urgent calls come, all at once. */
const CASES = [
  ['8 at each gateway', [8, 8, 8, 8]],
  ['16 at one gateway', [16, 0, 0, 0]],
  ['60 at one gateway', [60, 0, 0, 0]],
] as const;

/** The i-th urgent call of an app leaves within i × (active apps) × spacing and one horizon. */
export const urgentCalls: Part = {
  name: 'urgent',
  about: `urgent calls of one of two apps that always wait at ${GATEWAYS} whole gateways on 100/1s`,
  async run() {
    await using redis = await RedisServer.start();
    const placements = Array.from({ length: GATEWAYS }, () => ({ redisUrl: redis.url }));
    await using fleet = await startFleet(CELL, APPS, placements);
    await using load = new FleetLoad(fleet);
    for (const app of APPS) load.keepAllBusy(app, CALLERS_EACH);
    await sleep(WARM_UP_MS);
    let met = true;
    for (const [about, counts] of CASES) {
      const from = performance.now();
      const spreadMs = Math.max(...(await Promise.all(fleet.gateways.map((gateway) => gateway.spreadMs()))));
      const calls = counts.flatMap((count, gateway) =>
        Array.from({ length: count }, () => load.call(gateway, APPS[0], URGENT)),
      );
      met = judgeUrgent(about, await Promise.all(calls), spreadMs) && met;
      const ordinary = load.ended.filter(({ urgency, at }) => urgency !== URGENT && at >= from);
      tell(
        `${about}: meanwhile an ordinary call waits ${median(ordinary.map(({ queueMs }) => queueMs)).toFixed(0)} ms`,
      );
    }
    const { rateLimited } = await fleet.simulator.stats();
    await load.stop();
    const failures = load.failures();
    for (const message of new Set(failures.map((one) => `${one.status} ${one.message}`.replace(/\d+/g, 'n'))))
      tell(message);
    const bars = [
      judge(rateLimited === 0, `${rateLimited} answers 429 of Mason; the bar is 0`),
      judge(failures.length === 0, `${failures.length} of ${load.ended.length} calls not answered 200; the bar is 0`),
    ];
    return bars.every(Boolean) && met;
  },
};

function judgeUrgent(about: string, calls: readonly Ended[], spreadMs: number): boolean {
  const { spacingMs, horizonMs } = paceFor(CELL.limit, undefined, spreadMs);
  const waits = calls.map(({ queueMs }) => queueMs).toSorted((a, b) => a - b);
  const bounds = waits.map((_, i) => (i + 1) * APPS.length * spacingMs + horizonMs);
  const parts = waits.map((wait, i) => wait / (bounds[i] as number));
  const worst = parts.indexOf(Math.max(...parts));
  return judge(
    parts.every((part) => part <= 1),
    `${about}: the ${worst + 1}. urgent call waited ${waits[worst]?.toFixed(0)} ms, nearest to its bar of ${bounds[worst]?.toFixed(0)}; the last ${waits.at(-1)?.toFixed(0)} of ${bounds.at(-1)?.toFixed(0)}`,
  );
}
