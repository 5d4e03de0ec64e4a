/** What the limit said to one call, and what a header may tell the caller about it. */
export interface Verdict {
  readonly accepted: boolean;
  /** How many more calls would be accepted at this instant. */
  readonly remaining: number;
  /** Milliseconds until the whole allowance is back, if nothing more came. */
  readonly resetMs: number;
  /** Milliseconds until one call would be accepted, if nothing more came; 0 when one would be now. */
  readonly retryAfterMs: number;
}

/** One rate limit's memory. Refused calls cost nothing. Times are milliseconds of one clock that never goes back. */
export interface RateLimiter {
  take(now: number): Verdict;
}
