import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll } from '@jest/globals';
import { systemClock } from '../../src/domain/clock.ts';
import { BottleneckLane } from '../../src/lane/bottleneck-lane.ts';
import { RedisClient } from '../../src/redis/redis-client.ts';
import { laneContract } from '../contracts/lane-contract.ts';
import { eventually } from '../support/eventually.ts';
import { someRedis } from '../support/redis-server.ts';

let redis: Awaited<ReturnType<typeof someRedis>>;
let client: RedisClient;

beforeAll(async () => {
  redis = await someRedis();
  client = new RedisClient({ settings: redis.settings, clock: systemClock, onProblem: () => {} });
  await eventually('Redis is ready', () => client.health().state === 'ready');
});

afterAll(async () => {
  client[Symbol.dispose]();
  await redis[Symbol.asyncDispose]();
});

let lanes = 0;

laneContract(
  'bottleneck on Redis',
  {
    clock: systemClock,
    // A budget of its own for each story: what one sent would count for the next.
    make: (settings) => new BottleneckLane({ ...settings, budgetId: `budget-${++lanes}` }, systemClock, client),
    pass: async (ms) => void (await sleep(ms === 0 ? 20 : ms)),
  },
  { shares: false, sparesSlots: false },
);
