import { Worker } from 'node:worker_threads';
import { threadUrl } from '../thread-url.ts';
import type { RunOptions, RunState } from './run-writer.ts';
import type { WriterAnswer, WriterRequest } from './writer-thread.ts';

interface Waiting {
  resolve(): void;
  reject(problem: Error): void;
}

/** The writer thread as seen from the main one: one request at a time, and a new thread when the old one died. */
export class WriterClient {
  readonly #options: RunOptions;
  readonly #onNextSegment: () => void;
  #worker: Worker | undefined;
  #waiting: Waiting | undefined;
  #state: RunState | undefined;

  constructor(options: RunOptions, onNextSegment: () => void) {
    this.#options = options;
    this.#onNextSegment = onNextSegment;
  }

  /** Where the run stands by the last answer; undefined until writing was possible once. */
  get state(): RunState | undefined {
    return this.#state;
  }

  /**
   * Writes a batch (see `RunWriter.write`). Only one at a time.
   *
   * @throws Error with the problem in words, when it was not written, or nobody knows because the thread died
   */
  write(batch: number, lines: Uint8Array): Promise<void> {
    return this.#ask({ batch, lines });
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
      this.#waiting = { resolve, reject };
      this.#worker ??= this.#start();
      this.#worker.postMessage(request);
    });
  }

  #start(): Worker {
    const workerData: RunOptions = { ...this.#options, resume: this.#state };
    const worker = new Worker(threadUrl('writer-thread', import.meta.url), { workerData, name: 'record-writer' });
    let problem = new Error('the writer thread ended');
    worker.on('message', (answer: WriterAnswer) => this.#hear(answer));
    worker.on('error', (error) => {
      problem = new Error('the writer thread failed', { cause: error });
    });
    worker.on('exit', () => {
      if (this.#worker === worker) this.#worker = undefined;
      this.#settle(problem);
    });
    return worker;
  }

  #hear(answer: WriterAnswer): void {
    if (answer.kind === 'failed') {
      this.#settle(new Error(answer.problem));
      return;
    }
    if (answer.kind === 'written') {
      const hasMoved = this.#state?.segment !== answer.state.segment;
      this.#state = answer.state;
      if (hasMoved) this.#onNextSegment();
    }
    this.#settle(undefined);
  }

  #settle(problem: Error | undefined): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (problem === undefined) waiting?.resolve();
    else waiting?.reject(problem);
  }
}
