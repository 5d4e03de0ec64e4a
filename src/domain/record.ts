import type { RecordEvent, StoredEvent } from './event.ts';

/** What {@link AuditRecord.query} asks for; all that is given must hold. */
export interface RecordFilter {
  /** Milliseconds since 1970; from this instant on. */
  readonly since?: number;
  /** Milliseconds since 1970; before this instant. */
  readonly until?: number;
  readonly team?: string;
  /** Of any of the teams with these ids, at most 1,000; of none when it is empty. Events of no team are not among them. */
  readonly teams?: readonly string[];
  readonly app?: string;
  readonly tokenId?: string;
  /** Id of somebody who acted by a browser session. */
  readonly person?: string;
  /** An operation, or an administrative act. */
  readonly operation?: string;
  readonly effect?: string;
  /** A device or group that the call acted on. */
  readonly device?: string;
  /** A group that the call acted on: not a device of that name. */
  readonly group?: string;
  readonly status?: number;
  /** `gateway` or `mason`: who an error came from. */
  readonly errorSource?: string;
  /** Fingerprint of the Mason key. */
  readonly keyFingerprint?: string;
  readonly requestId?: string;
  readonly kind?: string;
}

export interface RecordPage {
  /** Newest first. */
  readonly events: readonly StoredEvent[];
  /** Opaque; gives the next older page as `after`. Absent on the last. */
  readonly nextPage?: string;
  /**
   * Opaque; as `before` it gives the page of newer events. That of the newest page gives what was written since, each event
   * once, however late it came; it may give an empty page, with the key to ask again.
   */
  readonly prevPage?: string;
}

/** The append-only record of all use. */
export interface AuditRecord {
  /**
   * Writes an event before anything happens that it announces: settles when the event survives a crash.
   *
   * @throws GatewayError `record_unavailable` when it cannot be written, or not within `intentMsMax`.
   */
  intend(event: RecordEvent): Promise<void>;
  /**
   * Writes an event soon (at most `flushMsMax`). Never throws; what cannot be written is a counted, recorded gap.
   *
   * @returns the event as it stands on record: one line of JSON, bounded, escaped and masked
   */
  append(event: RecordEvent): string;
  /**
   * Room for one more event: undefined when there is, else a promise for it that settles after 1 s at the latest, also
   * when there is none (the event is then a gap). While nothing can be written it is undefined: waiting would make no room.
   */
  room(): Promise<void> | undefined;
  /**
   * @param page `limit` 1 to 1,000
   * @throws GatewayError `invalid_request` when a page key is none of ours; `store_unavailable` when it cannot be read.
   */
  query(filter: RecordFilter, page: { limit: number; before?: string; after?: string }): Promise<RecordPage>;
  health(): RecordHealth;
  /** Writes what is held, and closes. */
  close(): Promise<void>;
}

export interface RecordHealth {
  readonly writable: boolean;
  /** Events that were not written since the start. */
  readonly gap: number;
  /** Events accepted and not yet durable. */
  readonly lagEvents: number;
  readonly lagBytes: number;
  /** The last failure, in words for an operator; undefined when all is well. */
  readonly problem: string | undefined;
}
