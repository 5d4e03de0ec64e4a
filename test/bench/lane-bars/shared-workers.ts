import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { RateLimit } from '../../../src/domain/budget.ts';

const WORKER = fileURLToPath(new URL('./gateway-worker.ts', import.meta.url));
/** Until all of them have started and reached Redis. */
export const START_MS = 3_000;

/** A budget that a worker sends from. */
export interface WorkerCell {
  readonly budgetId: string;
  readonly limit: RateLimit;
  readonly url: string;
  /** Callers at a time, by app. */
  readonly apps: readonly (readonly [app: string, callers: number])[];
}

export interface WorkerOrder {
  readonly gatewayId: string;
  readonly redisPort: number;
  /** Milliseconds since 1970. */
  readonly startAt: number;
  readonly forMs: number;
  readonly cells: readonly WorkerCell[];
}

export interface WorkerReport {
  readonly budgetId: string;
  /** Asks of Redis. */
  readonly asked: number;
  /** Spread of the way to Mason by which the pace was reckoned, on average. */
  readonly spreadMs: number;
  readonly sent: Readonly<Record<string, number>>;
}

/** Gateways in processes of their own, all on one Redis, calling for so long; the cells of each in its place. */
export async function runWorkers(
  redisPort: number,
  forMs: number,
  cellsOfEach: readonly (readonly WorkerCell[])[],
): Promise<WorkerReport[][]> {
  const startAt = Date.now() + START_MS;
  return Promise.all(
    cellsOfEach.map(async (cells, i) => {
      const order: WorkerOrder = { gatewayId: `gateway-${i}`, redisPort, startAt, forMs, cells };
      const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', WORKER, JSON.stringify(order)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      return JSON.parse(await text(child.stdout)) as WorkerReport[];
    }),
  );
}
