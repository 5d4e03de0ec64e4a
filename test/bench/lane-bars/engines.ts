import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../../src/domain/clock.ts';
import type { Lane } from '../../../src/domain/lane.ts';
import { type LaneEngine, Lanes, type SharedThroughRedis } from '../../../src/lane/lanes.ts';
import { RedisClient } from '../../../src/redis/redis-client.ts';
import { RedisServer } from '../../support/redis-server.ts';
import { median } from '../throughput/rounds.ts';
import { judge, type Part, tell } from './bar.ts';

const ENGINES: readonly LaneEngine[] = ['fair', 'bottleneck'];
const IDLE_CALLS = 300;
const IDLE_FOR_MS = 8;
const IDLE_WAIT_MS_MAX = 0.5;
const SHARED_IDLE_WAIT_MS_MAX = 2;
const TURNS_FOR_MS = 3_000;
const TOGETHER = 64;

/** What a call waits that nobody else waits before. */
export const idleWait: Part = {
  name: 'idle-wait',
  about: 'the wait of a call that comes to an empty line, in process, on 1000/1s',
  async run() {
    let met = true;
    for (const engine of ENGINES) {
      await using lane = openLane(engine, 1_000);
      const p50 = median(await idleWaits(lane.lane));
      const text = `engine ${engine}: ${p50.toFixed(3)} ms (p50)`;
      if (engine === 'fair') met = judge(p50 <= IDLE_WAIT_MS_MAX, `${text}; the bar is ${IDLE_WAIT_MS_MAX}`);
      else tell(text);
    }
    return met;
  },
};

/** The same where the line is shared with other gateways. */
export const sharedIdle: Part = {
  name: 'shared-idle',
  about: 'the wait of a call that comes to an empty line shared through Redis on this machine, on 1000/1s',
  async run() {
    await using server = await RedisServer.start();
    const client = new RedisClient({ settings: server.settings(), clock: systemClock, onProblem: () => {} });
    await using lane = openLane('fair', 1_000, { client, gatewayId: 'bench' });
    await takeTurn(lane.lane);
    const waits = await idleWaits(lane.lane);
    client[Symbol.dispose]();
    const p50 = median(waits);
    return judge(p50 <= SHARED_IDLE_WAIT_MS_MAX, `${p50.toFixed(3)} ms (p50); the bar is ${SHARED_IDLE_WAIT_MS_MAX}`);
  },
};

/** What a turn costs when the limit does not bind: numbers only. */
export const turns: Part = {
  name: 'turns',
  about: 'turns a second and processor time a turn, in process, on a limit that does not bind',
  async run() {
    for (const engine of ENGINES) {
      for (const together of [1, TOGETHER]) {
        await using lane = openLane(engine, 10_000_000);
        const used = process.cpuUsage();
        const from = performance.now();
        const counts = await Promise.all(Array.from({ length: together }, () => turnAfterTurn(lane.lane, from)));
        const count = counts.reduce((sum, one) => sum + one, 0);
        const seconds = (performance.now() - from) / 1_000;
        const { user, system } = process.cpuUsage(used);
        tell(
          `engine ${engine}, ${together} at a time: ${(count / seconds).toFixed(0)} turns/s, ${((user + system) / count).toFixed(1)} µs of processor a turn`,
        );
      }
    }
    return true;
  },
};

async function idleWaits(lane: Lane): Promise<number[]> {
  const waits: number[] = [];
  for (let n = 0; n < IDLE_CALLS; n++) {
    await sleep(IDLE_FOR_MS);
    const from = performance.now();
    await takeTurn(lane);
    waits.push(performance.now() - from);
  }
  return waits;
}

function openLane(
  engine: LaneEngine,
  perSecond: number,
  redis?: SharedThroughRedis,
): AsyncDisposable & { readonly lane: Lane } {
  const bounds = { waitingCallsMax: 10_000, waitingBytesMax: 2 ** 27, pauseMsMax: 60_000 };
  const lanes = new Lanes({ ...bounds, engine, clock: systemClock, spreadMs: 10, redis });
  const lane = lanes.laneFor({ id: 'bench', limit: { calls: perSecond, windowMs: 1_000 }, burst: undefined });
  return { lane, [Symbol.asyncDispose]: () => lanes.close() };
}

async function turnAfterTurn(lane: Lane, from: number): Promise<number> {
  let count = 0;
  for (; performance.now() - from < TURNS_FOR_MS; count++) {
    await takeTurn(lane);
    // The fair engine never needs to wait: without this it would keep everybody else out.
    if (count % 100 === 99) await new Promise(setImmediate);
  }
  return count;
}

async function takeTurn(lane: Lane): Promise<void> {
  const deadlineAt = performance.now() + 60_000;
  using place = lane.join({ appId: 'app', weight: 1, urgency: 3, deadlineAt, heldBytes: 1_000 });
  (await place.turn(NEVER)).sent();
}

const NEVER = new AbortController().signal;
