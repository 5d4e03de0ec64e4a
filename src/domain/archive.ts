import type { SignedCheckpoint } from './checkpoint.ts';

/** A chain as far as it is kept. */
export interface KeptChain {
  /** `<gateway id>/<run>`. */
  readonly chain: string;
  readonly gatewayId: string;
  /** ULID. */
  readonly run: string;
  /** Of the first event that is kept; greater than 1 where retention took what stood before. */
  readonly firstSeq: number;
  /** Link of the batch before the first one kept, 32 bytes. */
  readonly previousLink: Uint8Array;
  /** Where the chain ends. */
  readonly head: { readonly seq: number; readonly batch: number; readonly link: Uint8Array };
}

/** The columns beside an event: copies of what its line says, for filters; never the truth. */
export interface EventColumns {
  readonly at: number;
  readonly kind: string | undefined;
  readonly teamId: string | undefined;
  readonly team: string | undefined;
  readonly appId: string | undefined;
  readonly app: string | undefined;
  readonly personId: string | undefined;
  readonly tokenId: string | undefined;
  readonly keyFingerprint: string | undefined;
  /** Or the administrative act. */
  readonly operation: string | undefined;
  readonly effect: string | undefined;
  readonly status: number | undefined;
  readonly errorSource: string | undefined;
  readonly requestId: string | undefined;
}

/** An event as it is kept. */
export interface KeptEvent {
  readonly seq: number;
  /** SHA-256 of the line, 32 bytes, as stored. */
  readonly digest: Uint8Array;
  /** Canonical bytes; undefined where retention took them and left the digest. */
  readonly line: string | undefined;
  /** Kind, name, kind, name …, as they stand beside the event. */
  readonly targets: readonly string[];
  readonly columns: EventColumns;
}

/** What was written at once. */
export interface KeptBatch {
  /** Counted in the run, from 0. */
  readonly n: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** SHA-256 of the link before and the batch's digests, as stored. */
  readonly link: Uint8Array;
  readonly events: readonly KeptEvent[];
}

/**
 * The record as it stands, for those who check, export, count or close it: nothing is joined, filtered or repaired. Every
 * method throws GatewayError `store_unavailable` when it cannot be read.
 */
export interface RecordArchive {
  /** By run, oldest first. */
  chains(): Promise<readonly KeptChain[]>;
  /** Batches of a chain behind `afterSeq`, in order, in memory of constant size: one batch, at most some hundred kilobytes. */
  batches(chain: string, afterSeq: number): AsyncIterable<KeptBatch>;
  /** Checkpoints of a chain, in order. */
  checkpoints(chain: string): AsyncIterable<SignedCheckpoint>;
  close(): Promise<void>;
}
