import { Redis } from 'ioredis';
import { systemClock } from '../../../src/domain/clock.ts';
import { Lanes } from '../../../src/lane/lanes.ts';
import { type LaneEngine, loadEngine } from '../../../src/lane/load-engine.ts';
import { RedisClient } from '../../../src/redis/redis-client.ts';

export const ENGINES = ['fair', 'bottleneck', 'rate-limiter-flexible'] as const;
export type Engine = (typeof ENGINES)[number];

/** One budget of calls a second behind whichever engine. */
export interface Turns extends AsyncDisposable {
  /** Comes back when a call may go. */
  take(): Promise<void>;
  /** Mason refused for rate. */
  refused(waitMs: number): void;
  observe(firstByteMs: number): void;
  /** Spread of the way to Mason that it allows for, milliseconds. */
  spreadMs(): number;
}

interface Queues {
  openQueue(callsPerSecond: number, redis?: Redis): () => Promise<unknown>;
}

/** @param redisPort of this machine; undefined: the process has the budget to itself. */
export async function openTurns(
  engine: Engine,
  callsPerSecond: number,
  gatewayId: string,
  redisPort?: number,
): Promise<Turns> {
  if (engine !== 'rate-limiter-flexible') return await laneTurns(engine, callsPerSecond, gatewayId, redisPort);
  // A package of the bench's, which the types of the product do not know.
  const { openQueue } = (await import(new URL('../peers/rate-limiter-flexible.js', import.meta.url).href)) as Queues;
  const redis = redisPort === undefined ? undefined : new Redis(redisPort, '127.0.0.1');
  const removeToken = openQueue(callsPerSecond, redis);
  return {
    take: async () => void (await removeToken()),
    refused: () => {},
    observe: () => {},
    spreadMs: () => 0,
    [Symbol.asyncDispose]: async () => redis?.disconnect(),
  };
}

async function laneTurns(
  engine: LaneEngine,
  callsPerSecond: number,
  gatewayId: string,
  redisPort?: number,
): Promise<Turns> {
  const client = redisPort === undefined ? undefined : redisClient(redisPort);
  const bounds = { waitingCallsMax: 10_000, waitingBytesMax: 2 ** 27, pauseMsMax: 60_000 };
  const redis = client && { client, gatewayId };
  const lanes = new Lanes({ ...bounds, engine: await loadEngine(engine), clock: systemClock, redis });
  const lane = lanes.laneFor({
    id: 'bench',
    limit: { calls: callsPerSecond, windowMs: 1_000 },
    burst: undefined,
    spreadMs: undefined,
  });
  const never = new AbortController().signal;
  return {
    async take() {
      const deadlineAt = performance.now() + 120_000;
      using place = lane.join({ appId: 'app', weight: 1, urgency: 3, deadlineAt, heldBytes: 1_000 });
      (await place.turn(never)).sent();
    },
    refused: (waitMs) => lane.pause(waitMs),
    observe: (firstByteMs) => lane.observe('device.list', firstByteMs),
    spreadMs: () => lane.stats().spreadMs,
    async [Symbol.asyncDispose]() {
      await lanes.close();
      client?.[Symbol.dispose]();
    },
  };
}

/** As a gateway has it. */
export function redisClient(port: number): RedisClient {
  const at = { kind: 'server', host: '127.0.0.1', port } as const;
  const access = { db: 0, user: undefined, password: undefined, tls: undefined };
  const settings = { at, ...access, keyPrefix: 'bench:', commandMs: 500, connectMs: 1_000 };
  return new RedisClient({ settings, clock: systemClock, onProblem: () => {} });
}
