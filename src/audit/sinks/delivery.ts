import type { RecordArchive } from '../../domain/archive.ts';
import { EXPORT_FORMATS, type ExportFormatName } from '../export/export-format.ts';

export interface DeliveryAsked {
  readonly chain: string;
  /** The end of a batch, or 0. */
  readonly afterSeq: number;
  readonly format: ExportFormatName;
  /** A piece is longer only where one event is. */
  readonly bytesMax: number;
}

export interface DeliveryPiece {
  /** Whole lines, of which each character is a byte. */
  readonly text: string;
  readonly events: number;
  /** The end of the last batch that is whole in this piece and those before: from there on delivery can go on. */
  readonly reached: number;
}

/** What is on record of a chain behind a place, in pieces to be delivered: in memory of constant size, but for one batch. */
export async function* deliveryPieces(
  archive: Pick<RecordArchive, 'batches'>,
  { chain, afterSeq, format, bytesMax }: DeliveryAsked,
): AsyncIterable<DeliveryPiece> {
  let piece = { text: '', events: 0 };
  let reached = afterSeq;
  for await (const batch of archive.batches(chain, afterSeq)) {
    for (const event of batch.events) {
      const text = EXPORT_FORMATS[format].event({ ...event, chain, batch: batch.n });
      if (piece.events > 0 && piece.text.length + text.length > bytesMax) {
        yield { ...piece, reached };
        piece = { text: '', events: 0 };
      }
      piece = { text: piece.text + text, events: piece.events + 1 };
    }
    // One without events carries faults of the store's only.
    if (batch.events.length > 0) reached = batch.lastSeq;
  }
  if (piece.events > 0) yield { ...piece, reached };
}
