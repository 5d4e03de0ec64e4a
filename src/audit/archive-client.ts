import { Worker } from 'node:worker_threads';
import type { KeptBatch, KeptChain, RecordArchive } from '../domain/archive.ts';
import type { SignedCheckpoint } from '../domain/checkpoint.ts';
import { GatewayError } from '../domain/errors.ts';
import type { ExportAsked, ExportPiece } from './export/export-record.ts';
import { recordUnreadable } from './record-page.ts';
import type { ArchiveAnswer, ArchiveRequest, StreamAsked } from './serve-archive.ts';
import type { DeliveryAsked, DeliveryPiece } from './sinks/delivery.ts';

type Answered = Extract<ArchiveAnswer, { value: unknown }>;
type Asked = ArchiveRequest extends infer R ? (R extends unknown ? Omit<R, 'id'> : never) : never;

/**
 * A record read in a thread of its own: however much is read, no call, no commit and no query waits for it. A piece is read when
 * it is asked for.
 */
export class ArchiveClient implements RecordArchive {
  readonly #url: URL;
  readonly #place: unknown;
  readonly #waiting = new Map<number, PromiseWithResolvers<Answered>>();
  #worker: Worker | undefined;
  #ids = 0;

  /**
   * @param url where the thread's code stands
   * @param place what it is told of where the record is
   */
  constructor(url: URL, place: unknown) {
    this.#url = url;
    this.#place = place;
  }

  async chains(): Promise<readonly KeptChain[]> {
    return (await this.#ask({ ask: 'chains' })).value as KeptChain[];
  }

  async newest(): Promise<readonly SignedCheckpoint[]> {
    return (await this.#ask({ ask: 'newest' })).value as SignedCheckpoint[];
  }

  batches(chain: string, afterSeq: number): AsyncIterable<KeptBatch> {
    return this.#stream({ of: 'batches', chain, afterSeq });
  }

  checkpoints(chain: string): AsyncIterable<SignedCheckpoint> {
    return this.#stream({ of: 'checkpoints', chain });
  }

  /** See `exportRecord`: made in the thread too. */
  exported(asked: ExportAsked): AsyncIterable<ExportPiece> {
    return this.#stream({ of: 'export', asked });
  }

  /** See `deliveryPieces`: made in the thread too. */
  delivered(asked: DeliveryAsked): AsyncIterable<DeliveryPiece> {
    return this.#stream({ of: 'delivery', asked });
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  async *#stream<T>(of: StreamAsked): AsyncIterable<T> {
    this.#ids += 1;
    const stream = this.#ids;
    let isEnd = false;
    try {
      while (!isEnd) {
        const answer = await this.#ask({ ask: 'next', stream, of });
        isEnd = answer.isEnd === true;
        yield* answer.value as T[];
      }
    } finally {
      if (!isEnd) await this.#ask({ ask: 'end', stream }).catch(() => undefined);
    }
  }

  #ask(asked: Asked): Promise<Answered> {
    this.#ids += 1;
    const waiting = Promise.withResolvers<Answered>();
    this.#waiting.set(this.#ids, waiting);
    this.#worker ??= this.#start();
    this.#worker.postMessage({ id: this.#ids, ...asked });
    return waiting.promise;
  }

  #start(): Worker {
    const worker = new Worker(this.#url, { workerData: this.#place, name: 'record-archive' });
    let problem = 'the archive thread ended';
    worker.on('message', (answer: ArchiveAnswer) => this.#hear(answer));
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

  #hear(answer: ArchiveAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ('value' in answer) waiting?.resolve(answer);
    else if (answer.code === 'store_unavailable') waiting?.reject(recordUnreadable(new Error(answer.problem)));
    else waiting?.reject(new GatewayError(answer.code, answer.problem));
  }
}
