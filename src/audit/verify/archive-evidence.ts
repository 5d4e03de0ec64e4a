import type { KeptBatch, KeptChain, RecordArchive } from '../../domain/archive.ts';
import type { SigningKey } from '../../domain/checkpoint.ts';
import { GatewayError } from '../../domain/errors.ts';
import { checkpointPlace } from '../checkpoint-place.ts';
import { checkEvent } from './event-check.ts';
import type { Evidence, Piece } from './evidence.ts';
import type { KeyRing } from './key-ring.ts';
import { seenIn } from './read-witness.ts';
import type { WitnessBook, WitnessPoint } from './witness-book.ts';

/** A gateway's own record, as it is kept; it may be written meanwhile. */
export class ArchiveEvidence implements Evidence {
  readonly #archive: RecordArchive;
  readonly #signingKeys: readonly SigningKey[];

  constructor(archive: RecordArchive, signingKeys: readonly SigningKey[]) {
    this.#archive = archive;
    this.#signingKeys = signingKeys;
  }

  async prepare(keys: KeyRing, book: WitnessBook): Promise<void> {
    for (const key of this.#signingKeys) keys.add(key);
    for (const { chain } of await this.#archive.chains()) {
      try {
        for await (const { text } of this.#archive.checkpoints(chain)) {
          for (const point of seenIn(text, { source: chain, isOutside: false })) book.add(point);
        }
        for await (const batch of this.#archive.batches(chain, 0)) {
          const before = beforeOf(chain, batch);
          if (before !== undefined) book.add(before);
          break;
        }
      } catch (error) {
        // It is met again, and told, when the chain's turn comes.
        if (!(error instanceof GatewayError)) throw error;
      }
    }
  }

  async *pieces(): AsyncIterable<Piece> {
    for (const chain of await this.#archive.chains()) {
      yield { kind: 'chain', chain };
      try {
        yield* this.#chainPieces(chain);
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        yield { kind: 'broken', message: error.message };
      }
    }
  }

  isYounger(): boolean {
    return false;
  }

  doubt(): string {
    return '';
  }

  notes(): readonly string[] {
    return [];
  }

  /** Checkpoints are read first: of a chain that grows meanwhile, there is then no checkpoint without its events. */
  async *#chainPieces({ chain }: KeptChain): AsyncIterable<Piece> {
    const batches = this.#archive.batches(chain, 0)[Symbol.asyncIterator]();
    let batch = await batches.next();
    let last = 0;
    for await (const checkpoint of this.#archive.checkpoints(chain)) {
      // Of a text that is none, the next batch: it is told there.
      const { seq } = checkpointPlace(checkpoint.text);
      for (; batch.done !== true && last < seq; batch = await batches.next()) {
        yield { kind: 'batch', batch: batch.value };
        last = Math.max(last, batch.value.lastSeq);
      }
      yield { kind: 'checkpoint', checkpoint };
    }
    for (; batch.done !== true; batch = await batches.next()) yield { kind: 'batch', batch: batch.value };
  }
}

/** Where the run before stood, as the first event of a chain says. */
function beforeOf(chain: string, batch: KeptBatch): WitnessPoint | undefined {
  const [event] = batch.events;
  if (event?.seq !== 1) return undefined;
  const { previous } = checkEvent(event).meaning;
  return previous && { ...previous, source: `the beginning of ${chain}`, isOutside: false };
}
