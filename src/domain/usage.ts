/** The spans of time that usage is added up by, in milliseconds of UTC. */
export const USAGE_SPANS = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;

export type UsageSpan = keyof typeof USAGE_SPANS;

/** How long usage of each span is kept, in milliseconds: that of days stays. */
export const USAGE_KEPT_MS: Readonly<Record<UsageSpan, number>> = {
  minute: 2 * USAGE_SPANS.day,
  hour: 90 * USAGE_SPANS.day,
  day: Number.POSITIVE_INFINITY,
};

/** What usage is told apart by. Empty where there was none. */
export interface UsageKey {
  readonly teamId: string;
  /** Of an app, or a person. */
  readonly callerId: string;
  readonly operation: string;
  /**
   * `ok`: answered with a status below 400; `error`: with another; `refused`: nothing reached Mason; `failed`, `unknown`,
   * `aborted`: see `OutcomeEvent.result`.
   */
  readonly outcome: 'ok' | 'error' | 'refused' | 'failed' | 'unknown' | 'aborted';
}

/**
 * Times by length, in logarithmic buckets: bucket n counts what took more than 0.1 ms × 1.1^(n-1) and at most 0.1 ms × 1.1^n,
 * and is read as its geometric middle, which is wrong by less than 5 %. Buckets 0 to 200 (over five hours); sparse, ascending.
 * Histograms are merged by adding counts: nothing is lost by it.
 */
export type Histogram = readonly (readonly [bucket: number, count: number])[];

export interface UsageSums {
  readonly calls: number;
  /** Attempts at Mason. */
  readonly attempts: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Milliseconds in the line, at Mason, in the gateway. */
  readonly queueMs: Histogram;
  readonly masonMs: Histogram;
  readonly gatewayMs: Histogram;
}

/** Usage of one minute. */
export interface UsageDelta extends UsageKey, UsageSums {
  /** Begin of the minute, milliseconds since 1970. */
  readonly minute: number;
}

/** Usage of one span. */
export interface UsageRow extends UsageKey, UsageSums {
  readonly at: number;
}

/** How far in a chain usage is counted. */
export interface CountedTo {
  readonly chain: string;
  readonly batch: number;
}

/** Usage of all gateways. Every method may throw GatewayError `store_unavailable`. */
export interface UsageStore {
  /**
   * Adds to the minute, the hour and the day, and notes how far; all of it or nothing. What was counted is not counted twice.
   *
   * @param after where given, nothing is added unless the chain is counted exactly so far: somebody else may have counted on
   * @returns the last batch of the chain that is counted now
   */
  add(deltas: readonly UsageDelta[], countedTo: CountedTo, after?: number): Promise<number>;
  /** The last batch of a chain that is counted; -1 for none. */
  countedTo(chain: string): Promise<number>;
  /** Of any of the teams, at most 1,000; of all without. `since` inclusive, `until` exclusive. */
  rows(
    span: UsageSpan,
    range: { since: number; until: number },
    only: { teamIds?: readonly string[]; callerId?: string; operation?: string },
  ): Promise<readonly UsageRow[]>;
  /** Removes spans that ended before an instant; answers how many rows of the store (one a caller and span). */
  prune(span: UsageSpan, before: number): Promise<number>;
}
