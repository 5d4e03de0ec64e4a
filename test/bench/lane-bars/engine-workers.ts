import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { startChild } from '../machine/scratch.ts';
import type { Engine } from './engine-turns.ts';

const WORKER = fileURLToPath(new URL('./engine-worker.ts', import.meta.url));

interface Ordered {
  readonly engine: Engine;
  readonly id: string;
  readonly callsPerSecond: number;
  /** Undefined: it has the budget to itself. */
  readonly redisPort: number | undefined;
}

/** To call Mason without a break. */
export interface PaceOrder extends Ordered {
  readonly task: 'pace';
  readonly url: string;
  readonly callers: number;
  /** Milliseconds since 1970. */
  readonly startAt: number;
  readonly forMs: number;
}

/** To tell what a turn costs while the limit does not bind. */
export interface CostOrder extends Ordered {
  readonly task: 'cost';
}

export type EngineOrder = PaceOrder | CostOrder;

export interface PaceReport {
  /** Turns that were refused. */
  readonly failed: number;
  /** Spread of the way to Mason that the engine allowed for, on average. */
  readonly spreadMs: number;
}

export interface CostReport {
  /** Wait of a call that comes to an empty line, median. */
  readonly idleMs: number;
  /** Turns a second when each is asked for after the last one came. */
  readonly alonePerSecond: number;
  /** The same with 64 callers at a time. */
  readonly perSecond: number;
  /** Processor time of the process a turn, with 64 at a time. */
  readonly processorMicros: number;
  /** Of all that was tried. */
  readonly allTurns: number;
}

/** An engine in a process of its own. */
export async function runEngine<Report>(order: EngineOrder): Promise<Report> {
  await using child = startChild(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', WORKER, JSON.stringify(order)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  return JSON.parse(await text(child.process.stdout as NodeJS.ReadableStream)) as Report;
}
