import type { RateLimiter, Verdict } from './rate-limiter.ts';

/** The strictest kind: never more than `calls` accepted in any half-open window [t, t + W), kept exactly by remembering each of them. */
export class SlidingLog implements RateLimiter {
  readonly #calls: number;
  readonly #windowMs: number;
  /** The last accepted instants, a ring: the place to be written next holds the oldest. */
  readonly #accepted: Float64Array;
  #next = 0;
  /** Where the oldest instant that may still be inside the window lies, and how many there are. */
  #oldest = 0;
  #inside = 0;

  constructor(calls: number, windowMs: number) {
    this.#calls = calls;
    this.#windowMs = windowMs;
    this.#accepted = new Float64Array(calls);
  }

  take(now: number): Verdict {
    while (this.#inside > 0 && now - this.#at(this.#oldest) >= this.#windowMs) {
      this.#oldest = (this.#oldest + 1) % this.#calls;
      this.#inside -= 1;
    }
    const accepted = this.#inside < this.#calls;
    if (accepted) {
      this.#accepted[this.#next] = now;
      this.#next = (this.#next + 1) % this.#calls;
      this.#inside += 1;
    }
    const remaining = this.#calls - this.#inside;
    const newest = this.#at((this.#next + this.#calls - 1) % this.#calls);
    return {
      accepted,
      remaining,
      resetMs: newest + this.#windowMs - now,
      retryAfterMs: remaining > 0 ? 0 : this.#at(this.#oldest) + this.#windowMs - now,
    };
  }

  #at(place: number): number {
    return this.#accepted[place] ?? 0;
  }
}
