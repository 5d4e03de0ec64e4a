import { Worker } from 'node:worker_threads';
import { GatewayError } from '../../domain/errors.ts';
import type { RecordFilter, RecordPage } from '../../domain/record.ts';
import { checkPageAsked, type PageAsked, recordUnreadable } from '../record-page.ts';
import { threadUrl } from '../thread-url.ts';
import type { QueryAnswer, QueryRequest } from './query-thread.ts';

interface Waiting {
  resolve(page: RecordPage): void;
  reject(error: GatewayError): void;
}

/** Queries in a thread of their own, begun with the first one: however long they take, no call and no commit waits for them. */
export class QueryClient {
  readonly #directory: string;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #ids = 0;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** See `AuditRecord.query`. */
  async query(filter: RecordFilter, page: PageAsked): Promise<RecordPage> {
    checkPageAsked(page);
    return new Promise((resolve, reject) => {
      this.#ids += 1;
      const request: QueryRequest = { id: this.#ids, filter, page };
      this.#waiting.set(request.id, { resolve, reject });
      this.#worker ??= this.#start();
      this.#worker.postMessage(request);
    });
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(threadUrl('query-thread', import.meta.url), {
      workerData: this.#directory,
      name: 'record-query',
    });
    let problem = 'the query thread ended';
    worker.on('message', (answer: QueryAnswer) => this.#hear(answer));
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

  #hear(answer: QueryAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ('page' in answer) waiting?.resolve(answer.page);
    else if (answer.code === 'store_unavailable') waiting?.reject(recordUnreadable(new Error(answer.problem)));
    else waiting?.reject(new GatewayError(answer.code, answer.problem));
  }
}
