import { Worker } from 'node:worker_threads';
import { type ErrorCode, GatewayError } from '../domain/errors.ts';
import { recordUnreadable } from './record-page.ts';

/** What a thread answers: errors go as code and message, since its border strips them of their class. */
export type ThreadAnswer<A> = { readonly id: number } & (A | { readonly code: ErrorCode; readonly problem: string });

/** A thread that reads the record, begun with the first question: however long it takes, no call and no commit waits for it. */
export class AskedThread<Q extends object, A extends object> {
  readonly #url: URL;
  readonly #data: unknown;
  readonly #name: string;
  readonly #waiting = new Map<number, PromiseWithResolvers<A>>();
  #worker: Worker | undefined;
  #ids = 0;
  #isClosed = false;

  /**
   * @param url where the thread's code stands
   * @param data what it is told at its beginning
   * @param name what it is called where threads are listed
   */
  constructor(url: URL, data: unknown, name: string) {
    this.#url = url;
    this.#data = data;
    this.#name = name;
  }

  /** @throws GatewayError as the thread said; `store_unavailable` when it ended over it, or was closed */
  async ask(question: Q): Promise<A> {
    // Begun again, as by a reader whose question the end failed, it would keep the process from ending.
    if (this.#isClosed) throw recordUnreadable(new Error(`the thread ${this.#name} is closed`));
    this.#ids += 1;
    const waiting = Promise.withResolvers<A>();
    this.#waiting.set(this.#ids, waiting);
    this.#worker ??= this.#start();
    this.#worker.postMessage({ id: this.#ids, ...question });
    return await waiting.promise;
  }

  /** For good: whoever waits, and whoever asks later, is refused. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(this.#url, { workerData: this.#data, name: this.#name });
    let problem = `the thread ${this.#name} ended`;
    worker.on('message', (answer: ThreadAnswer<A>) => this.#hear(answer));
    worker.on('error', (error) => {
      problem = String(error);
    });
    worker.on('exit', () => {
      this.#worker = undefined;
      for (const waiting of this.#waiting.values()) waiting.reject(recordUnreadable(new Error(problem)));
      this.#waiting.clear();
    });
    return worker;
  }

  #hear(answer: ThreadAnswer<A>): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (!('problem' in answer)) waiting?.resolve(answer);
    else if (answer.code === 'store_unavailable') waiting?.reject(recordUnreadable(new Error(answer.problem)));
    else waiting?.reject(new GatewayError(answer.code, answer.problem));
  }
}
