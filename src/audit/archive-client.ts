import type { KeptBatch, KeptChain, RecordArchive } from '../domain/archive.ts';
import type { SignedCheckpoint } from '../domain/checkpoint.ts';
import { AskedThread } from './asked-thread.ts';
import type { ExportAsked, ExportPiece } from './export/export-record.ts';
import type { ArchiveAnswered, ArchiveAsked, StreamAsked } from './serve-archive.ts';
import type { DeliveryAsked, DeliveryPiece } from './sinks/delivery.ts';

/**
 * A record read in a thread of its own: however much is read, no call, no commit and no query waits for it. A piece is read when
 * it is asked for.
 */
export class ArchiveClient implements RecordArchive {
  readonly #thread: AskedThread<ArchiveAsked, ArchiveAnswered>;
  #streams = 0;

  /**
   * @param url where the thread's code stands
   * @param place what it is told of where the record is
   */
  constructor(url: URL, place: unknown) {
    this.#thread = new AskedThread(url, place, 'record-archive');
  }

  async chains(): Promise<readonly KeptChain[]> {
    return (await this.#thread.ask({ ask: 'chains' })).value as KeptChain[];
  }

  async newest(): Promise<readonly SignedCheckpoint[]> {
    return (await this.#thread.ask({ ask: 'newest' })).value as SignedCheckpoint[];
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
    await this.#thread.close();
  }

  async *#stream<T>(of: StreamAsked): AsyncIterable<T> {
    this.#streams += 1;
    const stream = this.#streams;
    let isEnd = false;
    try {
      while (!isEnd) {
        const answer = await this.#thread.ask({ ask: 'next', stream, of });
        isEnd = answer.isEnd === true;
        yield* answer.value as T[];
      }
    } finally {
      if (!isEnd) await this.#thread.ask({ ask: 'end', stream }).catch(() => undefined);
    }
  }
}
