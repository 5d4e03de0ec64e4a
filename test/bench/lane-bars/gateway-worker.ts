import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { LoopLag } from '../../../src/call/loop-lag.ts';
import { systemClock } from '../../../src/domain/clock.ts';
import type { Lane } from '../../../src/domain/lane.ts';
import { Lanes } from '../../../src/lane/lanes.ts';
import { MASON_KEY } from '../contestants/contestant.ts';
import { redisClient } from './engine-turns.ts';
import type { WorkerOrder, WorkerReport } from './shared-workers.ts';

/** What a gateway does of a call between the line and Mason, in a process of its own: its order is the argument. */
const order = JSON.parse(process.argv[2] as string) as WorkerOrder;
const SAMPLE_MS = 200;
const stays = new AbortController().signal;
const client = redisClient(order.redisPort);
const lanes = new Lanes({
  ...{ engine: 'fair', clock: systemClock, waitingCallsMax: 10_000, waitingBytesMax: 2 ** 27, pauseMsMax: 60_000 },
  redis: { client, gatewayId: order.gatewayId },
});
const lag = new LoopLag(systemClock);
const dispatcher = new Agent({ pipelining: 1 });

await sleep(Math.max(0, order.startAt - Date.now()));
const until = performance.now() + order.forMs;
const reports = await Promise.all(
  order.cells.map(async (cell): Promise<WorkerReport> => {
    const { limit, budgetId, url, apps } = cell;
    const lane = lanes.laneFor({ id: budgetId, limit, burst: undefined, spreadMs: undefined });
    const sent: Record<string, number> = {};
    const spreads: number[] = [];
    const sampling = setInterval(() => spreads.push(lane.stats().spreadMs), SAMPLE_MS);
    const callers = apps.flatMap(([app, count]) => Array.from({ length: count }, () => app));
    const calls = await Promise.all(callers.map((app) => keepCalling(lane, app, url)));
    for (const [i, app] of callers.entries()) sent[app] = (sent[app] ?? 0) + (calls[i] as number);
    clearInterval(sampling);
    const spreadMs = spreads.reduce((sum, one) => sum + one, 0) / spreads.length;
    return { budgetId, sent, asked: lane.stats().asked, spreadMs };
  }),
);
await lanes.close();
client[Symbol.dispose]();
await dispatcher.destroy();
console.log(JSON.stringify(reports));
process.exit(0);

/** @returns how many calls were sent. */
async function keepCalling(lane: Lane, appId: string, url: string): Promise<number> {
  for (let calls = 0; ; calls++) {
    const deadlineAt = performance.now() + 120_000;
    using place = lane.join({ appId, weight: 1, urgency: 3, deadlineAt, heldBytes: 1_000 });
    const turn = await place.turn(stays);
    if (performance.now() >= until) {
      turn.giveBack();
      return calls;
    }
    turn.sent();
    const sentAt = performance.now();
    const { statusCode, headers, body } = await request(`${url}/v1/default/device?limit=1&app=${appId}`, {
      dispatcher,
      headers: { authorization: `basic ${MASON_KEY}` },
    });
    if (!lag.since(sentAt)) lane.observe('device.list', performance.now() - sentAt);
    await body.dump();
    if (statusCode === 429) lane.pause(1_000 * Number(headers['retry-after'] ?? 1));
  }
}
