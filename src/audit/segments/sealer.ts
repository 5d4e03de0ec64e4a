import { statSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { threadUrl } from '../thread-url.ts';
import { listSegments } from './segment-file.ts';

/** What the sealing thread is given. */
export interface SealOrder {
  readonly paths: readonly string[];
}

/** What it answers for each file that nobody has open. */
export interface SealAnswer {
  readonly path: string;
  readonly result: 'sealed' | 'busy' | 'failed';
  readonly problem?: string;
}

/** The bits of a file's mode that let anybody write. */
const WRITE_BITS = 0o222;

/** Segments of a directory that are not sealed, without those of `except`, a run that is still writing, from `n` on. */
export function unsealedSegments(directory: string, except: { run: string; segment: number } | undefined): string[] {
  return listSegments(directory)
    .filter((file) => file.run !== except?.run || file.n < except.segment)
    .map((file) => file.path)
    .filter((path) => ((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & WRITE_BITS) !== 0);
}

/**
 * Seals segments in a thread that lives for the job: building indexes takes a second for 100,000 events, for which neither
 * calls nor commits nor queries may stand still. Jobs that come while one runs are one job after it.
 */
export class Sealer {
  readonly #find: () => string[];
  readonly #onProblem: (problem: string) => void;
  #worker: Worker | undefined;
  #isAsked = false;
  #isClosed = false;

  constructor(find: () => string[], onProblem: (problem: string) => void) {
    this.#find = find;
    this.#onProblem = onProblem;
  }

  /** Seals, in the background, what can be sealed. Never throws. */
  ask(): void {
    this.#isAsked = true;
    if (this.#worker === undefined) this.#start();
  }

  /** Stops where it is: each step of sealing is whole or not there, and the next start goes on with it. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#worker?.terminate();
  }

  #start(): void {
    if (!this.#isAsked || this.#isClosed) return;
    this.#isAsked = false;
    try {
      const order: SealOrder = { paths: this.#find() };
      if (order.paths.length === 0) return;
      const worker = new Worker(threadUrl('seal-thread', import.meta.url), {
        workerData: order,
        name: 'record-sealer',
      });
      this.#worker = worker;
      worker.on('message', (answer: SealAnswer) => {
        if (answer.result === 'failed') this.#onProblem(`${answer.path} could not be sealed: ${answer.problem ?? ''}`);
      });
      worker.on('error', (error) => this.#onProblem(`sealing failed: ${String(error)}`));
      worker.on('exit', () => {
        this.#worker = undefined;
        this.#start();
      });
    } catch (error) {
      this.#onProblem(`sealing failed: ${String(error)}`);
    }
  }
}
