import { Worker } from 'node:worker_threads';
import { GatewayError } from '../../domain/errors.ts';
import type { Going, PruneAsked, PrunePlan, RecordPruner } from '../retention/record-pruner.ts';
import { threadUrl } from '../thread-url.ts';

/** What the thread is given; with what goes, it takes that out, else it plans. */
export interface PruneOrder {
  readonly directory: string;
  readonly asked: PruneAsked;
  readonly going?: readonly Going[];
}

export type PruneAnswer = { readonly value: PrunePlan | number } | { readonly problem: string };

/** Takes the oldest out of a directory of segments, in a thread that lives for the job: rewriting one takes a second or two. */
export class SegmentPruner implements RecordPruner {
  readonly #directory: string;
  readonly #workers = new Set<Worker>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  async plan(asked: PruneAsked): Promise<PrunePlan> {
    return (await this.#run({ directory: this.#directory, asked })) as PrunePlan;
  }

  async carryOut(asked: PruneAsked, going: readonly Going[]): Promise<number> {
    return (await this.#run({ directory: this.#directory, asked, going })) as number;
  }

  /** Stops where it is: each file is as it was, rewritten, or gone. */
  async close(): Promise<void> {
    await Promise.all([...this.#workers].map((worker) => worker.terminate()));
  }

  #run(order: PruneOrder): Promise<PrunePlan | number> {
    return new Promise((resolve, reject) => {
      const worker = new Worker(threadUrl('prune-thread', import.meta.url), {
        workerData: order,
        name: 'record-pruner',
      });
      this.#workers.add(worker);
      let problem = 'the thread ended';
      worker.on('message', (answer: PruneAnswer) => {
        if ('value' in answer) resolve(answer.value);
        else problem = answer.problem;
      });
      worker.on('error', (error) => {
        problem = String(error);
      });
      worker.on('exit', () => {
        this.#workers.delete(worker);
        reject(new GatewayError('store_unavailable', `the record could not be pruned: ${problem}`));
      });
    });
  }
}
