import { createHash } from 'node:crypto';
import type { KeptBatch, KeptChain, RecordArchive } from '../../domain/archive.ts';
import type { Manifest, SigningKey } from '../../domain/checkpoint.ts';
import type { RecordFilter } from '../../domain/record.ts';
import { checkpointPlace } from '../checkpoint-place.ts';
import { eventFilter } from './event-filter.ts';
import { EXPORT_FORMATS, type ExportFormat, type ExportFormatName } from './export-format.ts';
import { batchLine, chainLine, headLine, keyLine, signedLine } from './ndjson.ts';

export interface ExportAsked {
  readonly format: ExportFormatName;
  /** Empty: all there is. */
  readonly filter: RecordFilter;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** All signing keys, oldest first. */
  readonly keys: readonly SigningKey[];
}

/** A piece of an export. */
export type ExportPiece =
  | { readonly kind: 'text'; readonly text: string; readonly events: number }
  /** Last of all; to be signed, where the format is proven. */
  | { readonly kind: 'end'; readonly events: number; readonly manifest: Manifest | undefined };

/** Pieces are about so long. */
const PIECE_CHARS = 65_536;

/**
 * An export of a record up to where each chain stands now, chain by chain, oldest first, in memory of constant size.
 *
 * @throws GatewayError `store_unavailable`
 */
export async function* exportRecord(archive: RecordArchive, asked: ExportAsked): AsyncIterable<ExportPiece> {
  const writing = new Writing(archive, asked);
  yield* writing.pieces();
}

class Writing {
  readonly #archive: RecordArchive;
  readonly #asked: ExportAsked;
  readonly #format: ExportFormat;
  readonly #isWhole: boolean;
  readonly #matches: ReturnType<typeof eventFilter>;
  readonly #sha = createHash('sha256');
  #text = '';
  #textEvents = 0;
  #events = 0;

  constructor(archive: RecordArchive, asked: ExportAsked) {
    this.#archive = archive;
    this.#asked = asked;
    this.#format = EXPORT_FORMATS[asked.format];
    this.#isWhole = this.#format.isProven && Object.values(asked.filter).every((value) => value === undefined);
    this.#matches = eventFilter(asked.filter);
  }

  async *pieces(): AsyncIterable<ExportPiece> {
    const { at, filter, keys } = this.#asked;
    const newest = this.#isWhole ? await this.#archive.newest() : [];
    const signed = new Map(newest.map(({ text }) => checkpointPlace(text)).map(({ chain, seq }) => [chain, seq]));
    // All of them: a run's id tells no time, once a clock was ahead.
    const chains = await this.#archive.chains();
    this.#text += this.#format.head ?? '';
    if (this.#format.isProven) this.#text += headLine({ at, filter }) + keys.map(keyLine).join('');
    for (const chain of chains) {
      if (this.#isWhole) this.#text += chainLine(chain);
      yield* this.#chain(chain, signed.get(chain.chain));
    }
    if (this.#text !== '') yield this.#piece();
    yield { kind: 'end', events: this.#events, manifest: this.#format.isProven ? this.#manifest(chains) : undefined };
  }

  /**
   * @param signedSeq the newest checkpoint's when heads were looked for: one that was signed since then may have seen other chains
   *   beyond their heads here, which would look as if these had been cut
   */
  async *#chain({ chain, head }: KeptChain, signedSeq = head.seq): AsyncIterable<ExportPiece> {
    const checkpoints = this.#isWhole ? this.#archive.checkpoints(chain)[Symbol.asyncIterator]() : undefined;
    let checkpoint = await checkpoints?.next();
    for await (const batch of this.#archive.batches(chain, 0)) {
      if (batch.firstSeq > head.seq) break;
      this.#batch(chain, batch);
      while (
        checkpoint?.done === false &&
        checkpointPlace(checkpoint.value.text).seq <= Math.min(batch.lastSeq, signedSeq)
      ) {
        this.#text += signedLine('checkpoint', checkpoint.value);
        checkpoint = await checkpoints?.next();
      }
      if (this.#text.length >= PIECE_CHARS) yield this.#piece();
    }
    await checkpoints?.return?.();
  }

  #batch(chain: string, batch: KeptBatch): void {
    for (const event of batch.events) {
      if (!this.#matches(event)) continue;
      this.#textEvents += 1;
      this.#text += this.#format.event({ ...event, chain, batch: batch.n });
    }
    if (this.#isWhole && batch.events.length > 0) this.#text += batchLine(chain, batch);
  }

  #piece(): ExportPiece {
    const piece: ExportPiece = { kind: 'text', text: this.#text, events: this.#textEvents };
    if (this.#format.isProven) this.#sha.update(this.#text, 'latin1');
    this.#events += this.#textEvents;
    this.#text = '';
    this.#textEvents = 0;
    return piece;
  }

  #manifest(chains: readonly KeptChain[]): Manifest {
    return {
      v: 1,
      export: 'mason-gateway',
      at: this.#asked.at,
      filter: this.#asked.filter as Manifest['filter'],
      events: this.#events,
      sha256: this.#sha.digest('hex'),
      heads: chains.map(({ chain, head }) => ({
        chain,
        seq: head.seq,
        batch: head.batch,
        link: Buffer.from(head.link).toString('hex'),
      })),
    };
  }
}
