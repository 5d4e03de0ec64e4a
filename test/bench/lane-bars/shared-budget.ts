import { setTimeout as sleep } from 'node:timers/promises';
import type { RateLimit } from '../../../src/domain/budget.ts';
import { RedisServer } from '../../support/redis-server.ts';
import { type SimulatorProcess, spawnSimulator } from '../../support/simulator.ts';
import { MASON_KEY } from '../contestants/contestant.ts';
import { judge, type Part, tell } from './bar.ts';
import { runWorkers, START_MS, type WorkerCell, type WorkerReport } from './shared-workers.ts';

const GATEWAYS = 4;
const KINDS = ['fixed', 'fixed-from-first', 'sliding-log', 'sliding-counter', 'token-bucket'] as const;
const JITTERS_MS = [0, 50];
const LATENCY_MS = 20;
/**
 * Of what can be used where the way to Mason varies by J: W / (W + J), and (L - 1) / L for small L. J is what the gateways
 * measured: on a busy machine it is more than the simulator's jitter, and what is left by the jitter alone is told besides.
 */
const USED_MIN = 0.97;
const ASKED_MAX = 0.1;
/** Cold code is slow, and slow in clumps: what is judged comes after. */
const WARM_UP_MS = 3_000;

interface Cell {
  readonly limit: RateLimit;
  readonly kind: (typeof KINDS)[number];
  readonly jitterMs: number;
}

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
    async run() {
      await using redis = await RedisServer.start();
      const limit = { calls, windowMs: 1_000 };
      const cells = KINDS.flatMap((kind) => JITTERS_MS.map((jitterMs): Cell => ({ limit, kind, jitterMs })));
      let met = true;
      while (cells.length > 0) met = (await runCells(redis.port, cells.splice(0, sideBySide), forMs)) && met;
      return met;
    },
  };
}

async function runCells(redisPort: number, cells: readonly Cell[], forMs: number): Promise<boolean> {
  await using stack = new AsyncDisposableStack();
  const simulators = await Promise.all(cells.map(async (cell) => stack.use(await startSimulator(cell))));
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
    met = (await judgeCell(cell, simulators[i] as SimulatorProcess, askedEach, spreadMs)) && met;
  }
  return met;
}

function startSimulator({ limit, kind, jitterMs }: Cell): Promise<SimulatorProcess> {
  const depth = Math.ceil(1 + ((jitterMs + 30) * limit.calls) / limit.windowMs);
  return spawnSimulator([
    ...[
      '--limit',
      `${limit.calls}/1s`,
      '--limit-kind',
      kind,
      '--latency',
      String(LATENCY_MS),
      '--jitter',
      `0..${jitterMs}`,
    ],
    ...(kind === 'token-bucket' ? ['--limit-depth', String(depth)] : []),
    ...['--key', `${MASON_KEY}=account:owner`, '--keep-alive-ms', '60000'],
  ]);
}

async function judgeCell(
  cell: Cell,
  simulator: SimulatorProcess,
  askedEach: number,
  spreadMs: number,
): Promise<boolean> {
  const { limit, kind, jitterMs } = cell;
  const { accepted, rateLimited, firstAcceptedAt, lastAcceptedAt } = await simulator.stats();
  const seconds = ((lastAcceptedAt ?? 0) - (firstAcceptedAt ?? 0)) / 1_000;
  const rate = (accepted - 1) / seconds;
  const small = limit.calls <= 20 ? (limit.calls - 1) / limit.calls : 1;
  const usedOf = (spread: number) => rate / ((limit.calls * small * limit.windowMs) / (limit.windowMs + spread));
  const used = usedOf(spreadMs);
  const name = `${limit.calls}/1s ${kind}, jitter ${jitterMs} ms`;
  const bars = [
    judge(rateLimited === 0, `${name}: ${rateLimited} answers 429; the bar is 0`),
    judge(
      used >= USED_MIN,
      `${name}: ${percent(used)} of what can be used with the spread of ${spreadMs.toFixed(0)} ms that was measured, ${percent(usedOf(jitterMs))} of what could be with ${jitterMs}; the bar is ${percent(USED_MIN)} of the first`,
    ),
  ];
  const text = `${name}: ${askedEach.toFixed(3)} asks of Redis a call`;
  if (limit.calls >= 100) bars.push(judge(askedEach <= ASKED_MAX, `${text}; the bar is ${ASKED_MAX}`));
  else tell(text);
  return bars.every(Boolean);
}

function percent(part: number): string {
  return `${(part * 100).toFixed(1)} %`;
}
