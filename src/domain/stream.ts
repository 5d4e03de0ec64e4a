/** A stream that is open at this gateway: an X-Ray session. */
export interface OpenStream {
  /** Request id of the call that opened it; under it it stands on record. */
  readonly id: string;
  readonly team: { readonly id: string; readonly slug: string };
  readonly operation: string;
  readonly device: string;
  /** Name of the app or the person; decides nothing. */
  readonly holder: string;
  /** Id of the app or the person. */
  readonly holderId: string;
  readonly address: string;
  /** Milliseconds since 1970. */
  readonly openedAt: number;
  /** From the caller, and to it. */
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** The streams of this gateway, for who looks after them. */
export interface OpenStreams {
  /** Oldest first. */
  list(): readonly OpenStream[];
  /**
   * Ends a stream; both its sides are told.
   *
   * @param words why, for them
   * @returns false when there is none
   */
  end(id: string, words: string): boolean;
}
