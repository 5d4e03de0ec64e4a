import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll } from '@jest/globals';
import { systemClock } from '../../src/domain/clock.ts';
import { FairLane } from '../../src/lane/fair-lane.ts';
import { RedisBudgets } from '../../src/lane/redis-budgets.ts';
import { RedisClient } from '../../src/redis/redis-client.ts';
import { laneContract } from '../contracts/lane-contract.ts';
import { someRedis } from '../support/redis-server.ts';

const redis = await someRedis();
const client = new RedisClient({ settings: redis.settings, clock: systemClock, onProblem: () => {} });
const budgets = new RedisBudgets(client);
let budgetsMade = 0;

afterAll(async () => {
  budgets[Symbol.dispose]();
  client[Symbol.dispose]();
  await redis[Symbol.asyncDispose]();
});

laneContract(
  'fair, on Redis',
  {
    clock: systemClock,
    make(settings) {
      const store = budgets.storeOf(`contract-${++budgetsMade}`);
      return new FairLane(settings, systemClock, { store, gatewayId: 'gateway-1', gatewaysExpected: 4 });
    },
    // What Redis answers takes some turns of the event loop.
    pass: async (ms) => void (await sleep(ms === 0 ? 5 : ms)),
  },
  { shares: true, sparesSlots: true },
);
