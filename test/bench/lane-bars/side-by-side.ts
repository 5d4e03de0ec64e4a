import { setTimeout as sleep } from 'node:timers/promises';
import { RedisServer } from '../../support/redis-server.ts';
import { providePeers } from '../machine/tools.ts';
import { judge, type Part, percent, tell } from './bar.ts';
import { startJudge } from './cell.ts';
import { ENGINES, type Engine } from './engine-turns.ts';
import { type CostReport, type EngineOrder, type PaceReport, runEngine } from './engine-workers.ts';

const PER_SECOND = 100;
const BOUNDLESS = 1_000_000;
const SHARED_BY = 4;
/** In all: enough that some wait at each process, whatever it has been granted ahead. */
const CALLERS = 160;
const START_MS = 3_000;
const WARM_UP_MS = 3_000;
const FOR_MS = 10_000;
const LONG_MS = 60_000;
/** Of what the spread of the way to Mason leaves: for ours alone. */
const USED_MIN = 0.95;

interface Paced {
  readonly used: number;
  readonly refused: number;
  /** Turns that the engine itself refused. */
  readonly failed: number;
  /** Spread of the way to Mason that it allowed for. */
  readonly spreadMs: number;
}

/** The engines, and the queue that is asked for most elsewhere, each alone and over four processes on one Redis. */
export const sideBySide: Part = {
  name: 'side-by-side',
  about: `fair, bottleneck and rate-limiter-flexible: ${PER_SECOND}/1s by a sliding log, and what a turn costs`,
  async run({ long }) {
    providePeers();
    row(['', 'of limit', '429s', 'failed', 'turns/s', 'one by one', 'µs CPU', 'µs Redis', 'idle ms']);
    let met = true;
    for (const isShared of [false, true]) {
      for (const engine of ENGINES) {
        const paced = await pace(engine, isShared, long ? LONG_MS : FOR_MS);
        const { report, redisMicros } = await cost(engine, isShared);
        const name = `${engine}${isShared ? `, Redis, ${SHARED_BY} processes` : ''}`;
        row([
          name,
          percent(paced.used),
          String(paced.refused),
          String(paced.failed),
          report.perSecond.toFixed(0),
          report.alonePerSecond.toFixed(0),
          report.processorMicros.toFixed(1),
          redisMicros.toFixed(1),
          report.idleMs.toFixed(3),
        ]);
        if (engine === 'fair') met = judgeOwn(name, paced) && met;
      }
    }
    return met;
  },
};

function judgeOwn(name: string, { used, refused, failed, spreadMs }: Paced): boolean {
  const part = (used * (1_000 + spreadMs)) / 1_000;
  const bars = [
    judge(refused === 0, `${name}: ${refused} answers 429; the bar is 0`),
    judge(failed === 0, `${name}: ${failed} turns refused by the lane; the bar is 0`),
    judge(
      part >= USED_MIN,
      `${name}: ${percent(part)} of what a spread of ${spreadMs.toFixed(0)} ms leaves; the bar is ${percent(USED_MIN)}`,
    ),
  ];
  return bars.every(Boolean);
}

async function pace(engine: Engine, isShared: boolean, forMs: number): Promise<Paced> {
  const limit = { calls: PER_SECOND, windowMs: 1_000 };
  await using redis = isShared ? await RedisServer.start() : undefined;
  await using simulator = await startJudge({ limit, kind: 'sliding-log', jitterMs: 0 });
  const processes = isShared ? SHARED_BY : 1;
  const running = Array.from({ length: processes }, (_, n) => {
    const own = { id: `gateway-${n}`, callers: CALLERS / processes, redisPort: redis?.port };
    const when = { startAt: Date.now() + START_MS, forMs: WARM_UP_MS + forMs };
    return runEngine<PaceReport>({
      task: 'pace',
      engine,
      callsPerSecond: PER_SECOND,
      url: simulator.url,
      ...own,
      ...when,
    });
  });
  await sleep(START_MS + WARM_UP_MS);
  await simulator.reset();
  const reports = await Promise.all(running);
  const sum = (pick: (report: PaceReport) => number) => reports.reduce((all, report) => all + pick(report), 0);
  const { accepted, rateLimited, firstAcceptedAt, lastAcceptedAt } = await simulator.stats();
  const seconds = ((lastAcceptedAt ?? 0) - (firstAcceptedAt ?? 0)) / 1_000;
  return {
    used: (accepted - 1) / seconds / PER_SECOND,
    refused: rateLimited,
    failed: sum(({ failed }) => failed),
    spreadMs: sum(({ spreadMs }) => spreadMs) / processes,
  };
}

/** One process: what it can do, not what the machine can. */
async function cost(engine: Engine, isShared: boolean): Promise<{ report: CostReport; redisMicros: number }> {
  await using redis = isShared ? await RedisServer.start() : undefined;
  const order: EngineOrder = { task: 'cost', engine, id: 'bench', callsPerSecond: BOUNDLESS, redisPort: redis?.port };
  const report = await runEngine<CostReport>(order);
  return { report, redisMicros: redis === undefined ? 0 : (await processorMicros(redis)) / report.allTurns };
}

/** Since it was started. */
async function processorMicros(redis: RedisServer): Promise<number> {
  const info = String(await redis.command('INFO', 'cpu'));
  const seconds = (name: string) => Number(new RegExp(`^used_cpu_${name}:([\\d.]+)`, 'm').exec(info)?.[1]);
  return (seconds('user') + seconds('sys')) * 1e6;
}

function row(cells: readonly string[]): void {
  tell(cells.map((cell, n) => (n === 0 ? cell.padEnd(36) : cell.padStart(11))).join(''));
}
