import type { TakenOut } from '../../domain/archive.ts';

/** How long the record is kept; what is not given is kept for good. */
export interface RetentionPolicy {
  /** Whole segments or partitions all of whose events are older go. */
  readonly days?: number | undefined;
  /** What the record may take on disk, with its indexes; the oldest goes first. */
  readonly bytesMax?: number | undefined;
  /** By slug: of older events of this team the bytes go, and digests stay. */
  readonly teams?: Readonly<Record<string, { readonly days: number }>> | undefined;
}

/** A chain that somebody who follows the record has not come to the end of. */
export interface Undelivered {
  readonly chain: string;
  /** The last event that was delivered; 0: none. */
  readonly seq: number;
  /** Who follows, in words for an operator. */
  readonly sink: string;
}

/** What a policy means at an instant. */
export interface PruneAsked {
  /** Milliseconds since 1970: the date by which age is judged. */
  readonly now: number;
  /** Milliseconds since 1970: older events may go. */
  readonly before: number | undefined;
  readonly bytesMax: number | undefined;
  readonly teams: readonly { readonly team: string; readonly before: number }[];
  readonly undelivered: readonly Undelivered[];
}

/** A stretch of a chain that goes, as it will stand on record. */
export interface Going extends TakenOut {
  readonly events: number;
  /** Hex, of the last batch that goes; where whole batches do. */
  readonly lastLink?: string | undefined;
  /** Of the team whose events lose their bytes. */
  readonly team?: string | undefined;
}

export interface PrunePlan {
  readonly going: readonly Going[];
  /** What was taken out earlier, and is said in events that go now: it must be said again. */
  readonly saidAgain: readonly TakenOut[];
  /** What the record takes on disk now. */
  readonly bytes: number;
  /** Why some of what should go does not, in words for an operator. */
  readonly heldBack: readonly string[];
}

/** Takes the oldest out of a record. Both throw GatewayError `store_unavailable` when it cannot be read or written. */
export interface RecordPruner {
  /** What would go. Changes nothing. */
  plan(asked: PruneAsked): Promise<PrunePlan>;
  /**
   * Takes out what a plan says, which stands on record by now. What is gone already is no failure: who died over it is
   * succeeded in turn.
   *
   * @returns bytes that the record takes on disk after it
   */
  carryOut(asked: PruneAsked, going: readonly Going[]): Promise<number>;
}
