import { setTimeout as sleep } from 'node:timers/promises';
import { LIMITER_KINDS } from '../../../src/simulator/limit/make-limiter.ts';
import { RedisServer } from '../../support/redis-server.ts';
import type { SimulatorProcess } from '../../support/simulator.ts';
import type { Part } from './bar.ts';
import { type Cell, judgePace, startJudge } from './cell.ts';
import { runWorkers, START_MS, type WorkerCell, type WorkerReport } from './shared-workers.ts';

const GATEWAYS = 4;
const JITTERS_MS = [0, 50];
/** Cold code is slow, and slow in clumps: what is judged comes after. */
const WARM_UP_MS = 3_000;
const LONG_MS = 60_000;

/** Four gateways on one Redis, one budget, each kind of limit: a part of the bench for each size of the budget. */
export const sharedBudgets: readonly Part[] = [
  part(10, 30_000, 10),
  part(100, 15_000, 2),
  // A thousand calls a second fill both processors: one after the other.
  part(1_000, 10_000, 1),
];

function part(calls: number, forMs: number, sideBySide: number): Part {
  return {
    name: `shared-${calls}`,
    about: `${GATEWAYS} gateway processes on one Redis and ${calls}/1s, each kind of limit, jitter ${JITTERS_MS.join(' and ')} ms`,
    async run({ long }) {
      await using redis = await RedisServer.start();
      const limit = { calls, windowMs: 1_000 };
      const cells = LIMITER_KINDS.flatMap((kind) => JITTERS_MS.map((jitterMs): Cell => ({ limit, kind, jitterMs })));
      let met = true;
      while (cells.length > 0)
        met = (await runCells(redis.port, cells.splice(0, sideBySide), long ? LONG_MS : forMs)) && met;
      return met;
    },
  };
}

async function runCells(redisPort: number, cells: readonly Cell[], forMs: number): Promise<boolean> {
  await using stack = new AsyncDisposableStack();
  const simulators = await Promise.all(cells.map(async (cell) => stack.use(await startJudge(cell))));
  const work = cells.map(({ limit, kind, jitterMs }, i): WorkerCell => {
    const callers = Math.ceil((limit.calls * 1.5) / GATEWAYS);
    return { budgetId: `${kind}-${jitterMs}`, limit, url: simulators[i]?.url as string, apps: [['app', callers]] };
  });
  const running = runWorkers(
    redisPort,
    WARM_UP_MS + forMs,
    Array.from({ length: GATEWAYS }, () => work),
  );
  await sleep(START_MS + WARM_UP_MS);
  await Promise.all(simulators.map((simulator) => simulator.reset()));
  const reports = await running;
  let met = true;
  for (const [i, cell] of cells.entries()) {
    const sum = (count: (report: WorkerReport) => number) =>
      reports.reduce((all, each) => all + count(each[i] as WorkerReport), 0);
    const askedEach = sum(({ asked }) => asked) / sum(({ sent }) => sent['app'] ?? 0);
    const spreadMs = sum((report) => report.spreadMs) / GATEWAYS;
    met = (await judgePace(cell, simulators[i] as SimulatorProcess, askedEach, spreadMs)) && met;
  }
  return met;
}
