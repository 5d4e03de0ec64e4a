import { setTimeout as sleep } from 'node:timers/promises';
import { judge, type Part, percent } from './bar.ts';
import type { Cell } from './cell.ts';
import { FleetLoad } from './fleet-load.ts';
import { type GatewayFleet, spreadDuring, startFleet } from './gateway-fleet.ts';
import { REDIS_FAULTS, startBreakable } from './redis-faults.ts';

const GATEWAYS = 3;
const CALLERS_EACH = 40;
const APP = 'app';
const CELL: Cell = { limit: { calls: 100, windowMs: 1_000 }, kind: 'sliding-log', jitterMs: 0 };
/** Absent at the start: until all go on alone. */
const ABSENT_MS = 8_000;
const WARM_UP_MS = 5_000;
const PACE_MS = 4_000;
/** The shared pace is there again so long after Redis. */
const BACK_MS_MAX = 2_000;
/** Of what the spread of the way to Mason leaves of the limit: a few calls more or fewer in a time so short say nothing. */
const PACE_MIN = 0.95;
const LOOK_MS = 50;
const LONG_TIMES = 4;

/** Redis breaks in every way, under a fleet that is busy. */
export const faults: Part = {
  name: 'faults',
  about: `Redis absent, killed, frozen … under ${GATEWAYS} whole gateways, always busy on 100/1s`,
  async run({ long }) {
    await using redis = await startBreakable(GATEWAYS);
    await redis.server.kill();
    const placements = redis.ways.map(({ port }) => ({ redisUrl: `redis://127.0.0.1:${port}` }));
    await using fleet = await startFleet(CELL, [APP], placements);
    await using load = new FleetLoad(fleet);
    load.keepAllBusy(APP, CALLERS_EACH);
    const seen = new Watch(fleet, load);

    let from = performance.now();
    await sleep(ABSENT_MS);
    await redis.server.restart();
    const bars = [await seen.backAfter('absent at the start', from)];
    await sleep(WARM_UP_MS);
    bars.push(await seen.undisturbed());
    for (const fault of REDIS_FAULTS) {
      from = performance.now();
      await fault.happens(redis, long ? LONG_TIMES : 1);
      bars.push(await seen.backAfter(fault.name, from));
    }
    await load.stop();
    const failures = load.failures();
    bars.push(
      judge(failures.length === 0, `${failures.length} of ${load.ended.length} calls lost or refused; the bar is 0`),
    );
    return bars.every(Boolean);
  },
};

class Watch {
  readonly #fleet: GatewayFleet;
  readonly #load: FleetLoad;
  #refused = 0;

  constructor(fleet: GatewayFleet, load: FleetLoad) {
    this.#fleet = fleet;
    this.#load = load;
  }

  /** Judges the pace while nothing is wrong. */
  async undisturbed(): Promise<boolean> {
    return judgePace('undisturbed:', await this.#paceNow());
  }

  /** Judges a fault that has just ended. */
  async backAfter(name: string, from: number): Promise<boolean> {
    const endedAt = performance.now();
    const backMs = await this.#sharedAfter(endedAt);
    const pace = await this.#paceNow();
    const { rateLimited } = await this.#fleet.simulator.stats();
    const refused = rateLimited - this.#refused;
    this.#refused = rateLimited;
    const failures = this.#load.failures(from);
    const during = endedAt - from > 1_000 ? `; meanwhile ${this.#load.rate(from, endedAt).toFixed(1)} calls/s` : '';
    const bars = [
      judge(failures.length === 0, `${name}: ${failures.length} calls lost or refused ${said(failures)}; the bar is 0`),
      judge(refused === 0, `${name}: ${refused} answers 429 of Mason; the bar is 0`),
      judge(backMs <= BACK_MS_MAX, `${name}: all share ${backMs.toFixed(0)} ms after it; the bar is ${BACK_MS_MAX}`),
    ];
    bars.push(judgePace(`${name}: then`, pace, during));
    return bars.every(Boolean);
  }

  /** When the last gateway was back among those that share, milliseconds from then; comes back when they had the time. */
  async #sharedAfter(from: number): Promise<number> {
    let apartMs = 0;
    while (performance.now() - from < BACK_MS_MAX) {
      const modes = await Promise.all(this.#fleet.gateways.map((gateway) => gateway.budgets()));
      if (modes.some((mode) => mode !== 'shared')) apartMs = performance.now() - from;
      await sleep(LOOK_MS);
    }
    return apartMs + LOOK_MS;
  }

  /** Part of the limit in use from now on, as much of it as the spread of the way to Mason leaves. */
  async #paceNow(): Promise<number> {
    const from = performance.now();
    const spreadMs = await spreadDuring(this.#fleet, PACE_MS);
    const { calls, windowMs } = CELL.limit;
    return this.#load.rate(from, performance.now()) / ((calls * 1_000) / (windowMs + spreadMs));
  }
}

function judgePace(name: string, pace: number, more = ''): boolean {
  return judge(
    pace >= PACE_MIN,
    `${name} ${percent(pace)} of what the spread leaves; the bar is ${percent(PACE_MIN)}${more}`,
  );
}

function said(failures: readonly { status: number; message: string | undefined }[]): string {
  const [first] = failures;
  return first === undefined ? '' : `(the first: ${first.status} ${first.message?.trim()})`;
}
