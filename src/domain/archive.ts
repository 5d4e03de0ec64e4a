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
  /**
   * What stands beside these events in the store and should not, or does not fit them, in words: found by the store's own
   * means, beyond what the batch shows itself. A batch without events carries faults only.
   */
  readonly faults: readonly string[];
}

/**
 * How an administrative act says what it took out of the record, so that what is missing is told from what was stolen: an
 * event `audit.prune` or `audit.erase` for each chain, durable before anything is taken, with these details. What is missing
 * without such an event on record is a finding of `audit verify`.
 */
export interface TakenOut {
  /** `<gateway id>/<run>`. */
  readonly chain: string;
  /** The first and the last event that it concerns. */
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** `events`: whole batches from the chain's beginning, digests and all; `bytes`: lines and targets, of which digests stay. */
  readonly taken: 'events' | 'bytes';
  /** How many events lost their bytes; where `taken` is `bytes`. */
  readonly events?: number;
}

/** The acts that may say so. */
export const TAKING_ACTS: ReadonlySet<string> = new Set(['audit.prune', 'audit.erase']);

/**
 * The record as it stands, for those who check, export, count or close it: nothing is joined, filtered or repaired. Every
 * method throws GatewayError `store_unavailable` when it cannot be read.
 */
export interface RecordArchive {
  /** By run, oldest first. */
  chains(): Promise<readonly KeptChain[]>;
  /**
   * Batches of a chain that begin behind `afterSeq`, the end of a batch, in order, in memory of constant size: some batches, of
   * at most some hundred kilobytes each. What is written meanwhile may be among them.
   */
  batches(chain: string, afterSeq: number): AsyncIterable<KeptBatch>;
  /** Checkpoints of a chain, in order. */
  checkpoints(chain: string): AsyncIterable<SignedCheckpoint>;
  /** The newest checkpoint of each chain that may still grow, in no order. */
  newest(): Promise<readonly SignedCheckpoint[]>;
  close(): Promise<void>;
}
