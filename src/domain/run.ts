/** The life of a gateway from a start to its end, as other gateways see it. */
export interface GatewayRun {
  /** `<gateway id>/<run>`: it has one chain. */
  readonly chain: string;
  readonly gatewayId: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** When it last said that it lives. */
  readonly seenAt: number;
  /** When it ended in order; undefined while it lives, or when it died. */
  readonly endedAt: number | undefined;
  /** When a successor had closed what it left open; undefined until then. */
  readonly closedAt: number | undefined;
}

/** The runs of all gateways. Every method may throw GatewayError `store_unavailable`. */
export interface GatewayRuns {
  /** Tells that a run lives; the first time begins it. */
  beat(run: { readonly chain: string; readonly gatewayId: string }, at: number): Promise<void>;
  end(chain: string, at: number): Promise<void>;
  list(): Promise<readonly GatewayRun[]>;
  /**
   * Takes it upon `by` to close a run that was last seen before `seenBefore`, did not end, and is not closed. False when
   * it lives, or another has taken it since `takenAfter`: who dies over it is succeeded in turn.
   */
  take(chain: string, by: string, times: { seenBefore: number; takenAfter: number; at: number }): Promise<boolean>;
  /** Nothing is open any more. */
  close(chain: string, by: string, at: number): Promise<void>;
  /**
   * Forgets runs, and how far their usage is counted: of chains of which nothing is on record any more, or they would be
   * counted anew.
   */
  forget(chains: readonly string[]): Promise<void>;
}
