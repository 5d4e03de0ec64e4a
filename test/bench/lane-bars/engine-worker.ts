import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { LoopLag } from '../../../src/call/loop-lag.ts';
import { systemClock } from '../../../src/domain/clock.ts';
import { MASON_KEY } from '../contestants/contestant.ts';
import { median } from '../throughput/rounds.ts';
import { openTurns, type Turns } from './engine-turns.ts';
import type { CostReport, EngineOrder, PaceOrder, PaceReport } from './engine-workers.ts';

/** An engine in a process of its own: its order is the argument. */
const order = JSON.parse(process.argv[2] as string) as EngineOrder;
const IDLE_CALLS = 150;
const IDLE_FOR_MS = 8;
const TURNS_FOR_MS = 2_000;
const TOGETHER = 64;
const SAMPLE_MS = 200;
const AFTER_FAILURE_MS = 100;

// Nothing of a lane keeps a process alive.
setInterval(() => {}, 1_000);
const turns = await openTurns(order.engine, order.callsPerSecond, order.id, order.redisPort);
const report = order.task === 'pace' ? await keepPace(order) : await cost();
console.log(JSON.stringify(report));
process.exit(0);

async function keepPace({ url, callers, startAt, forMs }: PaceOrder): Promise<PaceReport> {
  const dispatcher = new Agent({ pipelining: 1 });
  const lag = new LoopLag(systemClock);
  await sleep(Math.max(0, startAt - Date.now()));
  const until = performance.now() + forMs;
  let failed = 0;
  const spreads: number[] = [];
  const sampling = setInterval(() => spreads.push(turns.spreadMs()), SAMPLE_MS);
  const caller = async (): Promise<void> => {
    while (performance.now() < until) {
      try {
        await turns.take();
      } catch {
        failed++;
        await sleep(AFTER_FAILURE_MS);
        continue;
      }
      const sentAt = performance.now();
      const { statusCode, headers, body } = await request(`${url}/v1/default/device?limit=1`, {
        dispatcher,
        headers: { authorization: `basic ${MASON_KEY}` },
      });
      if (!lag.since(sentAt)) turns.observe(performance.now() - sentAt);
      await body.dump();
      if (statusCode === 429) turns.refused(1_000 * Number(headers['retry-after'] ?? 1));
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  clearInterval(sampling);
  return { failed, spreadMs: spreads.reduce((sum, one) => sum + one, 0) / spreads.length };
}

async function cost(): Promise<CostReport> {
  await turns.take();
  const waits: number[] = [];
  for (let n = 0; n < IDLE_CALLS; n++) {
    await sleep(IDLE_FOR_MS);
    const from = performance.now();
    await turns.take();
    waits.push(performance.now() - from);
  }
  const alone = await turnAfterTurn(turns, 1);
  const together = await turnAfterTurn(turns, TOGETHER);
  return {
    idleMs: median(waits),
    alonePerSecond: alone.perSecond,
    perSecond: together.perSecond,
    processorMicros: together.processorMicros,
    allTurns: 1 + IDLE_CALLS + alone.count + together.count,
  };
}

async function turnAfterTurn(from: Turns, together: number) {
  const used = process.cpuUsage();
  const begin = performance.now();
  const one = async (): Promise<number> => {
    let count = 0;
    for (; performance.now() - begin < TURNS_FOR_MS; count++) {
      await from.take();
      // Who never needs to wait would keep everybody else out.
      if (count % 100 === 99) await new Promise(setImmediate);
    }
    return count;
  };
  const counts = await Promise.all(Array.from({ length: together }, one));
  const count = counts.reduce((sum, each) => sum + each, 0);
  const { user, system } = process.cpuUsage(used);
  const seconds = (performance.now() - begin) / 1_000;
  return { perSecond: count / seconds, processorMicros: (user + system) / count, count };
}
