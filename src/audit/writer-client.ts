import { Worker } from 'node:worker_threads';
import type { SignedCheckpoint } from '../domain/checkpoint.ts';
import type { UsageDelta } from '../domain/usage.ts';
import type { WriterAnswer, WriterRequest, WriterState } from './writer-protocol.ts';

export interface WriterThread<S extends WriterState> {
  /** Where its code stands. */
  readonly url: URL;
  /** What it is begun with. */
  readonly options: { readonly resume: S | undefined };
  /** Told where the run stands, with each batch. */
  readonly onState?: (state: S, before: S | undefined) => void;
  /** Told what calls ended in each batch; see `UsageCounter`. */
  readonly onUsage?: OnUsage | undefined;
}

/** @param usage undefined where only the record knows */
export type OnUsage = (run: string, batch: number, usage: readonly UsageDelta[] | undefined) => void;

interface Waiting {
  resolve(): void;
  reject(problem: Error): void;
}

/** The writer thread as seen from the main one, and a new thread when the old one died. */
export class WriterClient<S extends WriterState> {
  readonly #thread: WriterThread<S>;
  #worker: Worker | undefined;
  /** In the order in which they will be answered: at most a batch, a checkpoint, and the end. */
  readonly #waiting: Waiting[] = [];
  #state: S | undefined;

  constructor(thread: WriterThread<S>) {
    this.#thread = thread;
  }

  /** Where the run stands by the last answer; undefined until writing was possible once. */
  get state(): S | undefined {
    return this.#state;
  }

  /**
   * Writes a batch (see `BatchesWriter.write`). Only one at a time.
   *
   * @throws Error with the problem in words, when it was not written, or nobody knows because the thread died
   */
  write(batch: number, lines: Uint8Array): Promise<void> {
    return this.#ask({ batch, lines });
  }

  /**
   * Keeps a checkpoint (see `BatchesWriter.keep`).
   *
   * @throws Error with the problem in words
   */
  keep(seq: number, checkpoint: SignedCheckpoint): Promise<void> {
    return this.#ask({ seq, checkpoint });
  }

  /** Ends the thread after what it is doing. */
  async close(): Promise<void> {
    if (this.#worker === undefined) return;
    await this.#ask('close').catch(() => undefined);
    await this.#worker?.terminate();
  }

  /** Ends the thread without waiting for an answer, when there is no hope for one. */
  async terminate(): Promise<void> {
    await this.#worker?.terminate();
  }

  #ask(request: WriterRequest): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker ??= this.#start();
      this.#worker.postMessage(request);
    });
  }

  #start(): Worker {
    const { url, options } = this.#thread;
    const worker = new Worker(url, { workerData: { ...options, resume: this.#state }, name: 'record-writer' });
    let problem = new Error('the writer thread ended');
    worker.on('message', (answer: WriterAnswer<S>) => this.#hear(answer));
    worker.on('error', (error) => {
      problem = new Error('the writer thread failed', { cause: error });
    });
    worker.on('exit', () => {
      if (this.#worker === worker) this.#worker = undefined;
      while (this.#waiting.length > 0) this.#settle(problem);
    });
    return worker;
  }

  #hear(answer: WriterAnswer<S>): void {
    if (answer.kind === 'failed') {
      this.#settle(new Error(answer.problem));
      return;
    }
    if (answer.kind === 'written') {
      const before = this.#state;
      this.#state = answer.state;
      this.#thread.onUsage?.(answer.state.run, answer.state.head.batch, answer.usage);
      this.#thread.onState?.(answer.state, before);
    }
    this.#settle(undefined);
  }

  #settle(problem: Error | undefined): void {
    const waiting = this.#waiting.shift();
    if (problem === undefined) waiting?.resolve();
    else waiting?.reject(problem);
  }
}
