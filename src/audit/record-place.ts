import type { RecordArchive } from '../domain/archive.ts';
import type { RecordFilter, RecordPage } from '../domain/record.ts';
import type { ExportAsked, ExportPiece } from './export/export-record.ts';
import type { PageAsked } from './record-page.ts';
import type { RecordPruner } from './retention/record-pruner.ts';
import type { DeliveryAsked, DeliveryPiece } from './sinks/delivery.ts';
import type { OnUsage, WriterClient } from './writer-client.ts';
import type { WriterState } from './writer-protocol.ts';

/** Where a record is kept, opened by one run to write its chain and to read all. */
export interface RecordPlace {
  readonly writer: Pick<WriterClient<WriterState>, 'write' | 'keep' | 'state' | 'close' | 'terminate'>;
  /** See `AuditRecord.query`. */
  query(filter: RecordFilter, page: PageAsked): Promise<RecordPage>;
  readonly archive: RecordArchive;
  /** See `exportRecord`. */
  exported(asked: ExportAsked): AsyncIterable<ExportPiece>;
  /** See `deliveryPieces`. */
  delivered(asked: DeliveryAsked): AsyncIterable<DeliveryPiece>;
  readonly pruner: RecordPruner;
  /** Ends all but the writer. */
  close(): Promise<void>;
}

export interface PlaceOptions {
  readonly gatewayId: string;
  /** Milliseconds within which an intent is durable or refused. */
  readonly intentMsMax: number;
  /** Told, in one line for an operator, of what fails in the background. */
  readonly onProblem: (problem: string) => void;
  /** Told what calls ended in each batch that is durable. */
  readonly onUsage?: OnUsage;
}
