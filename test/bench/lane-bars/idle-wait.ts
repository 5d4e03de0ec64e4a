import { setTimeout as sleep } from 'node:timers/promises';
import { RedisServer } from '../../support/redis-server.ts';
import { median } from '../throughput/rounds.ts';
import { judge, type Part } from './bar.ts';
import { openTurns } from './engine-turns.ts';

const PER_SECOND = 1_000;
const IDLE_CALLS = 300;
const IDLE_FOR_MS = 8;
const IDLE_WAIT_MS_MAX = 0.5;
const SHARED_IDLE_WAIT_MS_MAX = 2;

/** What a call waits that nobody else waits before. */
export const idleWait: Part = {
  name: 'idle-wait',
  about: `the wait of a call that comes to an empty line, in process, on ${PER_SECOND}/1s`,
  run: () => judgeIdle(IDLE_WAIT_MS_MAX),
};

/** The same where the line is shared with other gateways. */
export const sharedIdle: Part = {
  name: 'shared-idle',
  about: `the same in a line shared through Redis on this machine`,
  async run() {
    await using redis = await RedisServer.start();
    return await judgeIdle(SHARED_IDLE_WAIT_MS_MAX, redis.port);
  },
};

async function judgeIdle(waitMsMax: number, redisPort?: number): Promise<boolean> {
  await using turns = await openTurns('fair', PER_SECOND, 'bench', redisPort);
  await turns.take();
  const waits: number[] = [];
  for (let n = 0; n < IDLE_CALLS; n++) {
    await sleep(IDLE_FOR_MS);
    const from = performance.now();
    await turns.take();
    waits.push(performance.now() - from);
  }
  const p50 = median(waits);
  return judge(p50 <= waitMsMax, `${p50.toFixed(3)} ms (p50); the bar is ${waitMsMax}`);
}
