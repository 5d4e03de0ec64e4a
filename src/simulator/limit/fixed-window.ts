import type { RateLimiter, Verdict } from './rate-limiter.ts';

/**
 * At most `calls` in each window. Aligned windows follow each other from time 0; `from-first` ones begin with the first call
 * after the one before has ended. Both allow twice `calls` around an edge: that is their known weakness, and real.
 */
export class FixedWindow implements RateLimiter {
  readonly #calls: number;
  readonly #windowMs: number;
  readonly #start: 'aligned' | 'from-first';
  #from = Number.NEGATIVE_INFINITY;
  #used = 0;

  constructor(calls: number, windowMs: number, start: 'aligned' | 'from-first') {
    this.#calls = calls;
    this.#windowMs = windowMs;
    this.#start = start;
  }

  take(now: number): Verdict {
    if (now >= this.#from + this.#windowMs) {
      this.#from = this.#start === 'aligned' ? Math.floor(now / this.#windowMs) * this.#windowMs : now;
      this.#used = 0;
    }
    const accepted = this.#used < this.#calls;
    if (accepted) this.#used += 1;
    const remaining = this.#calls - this.#used;
    const resetMs = this.#from + this.#windowMs - now;
    return { accepted, remaining, resetMs, retryAfterMs: remaining > 0 ? 0 : resetMs };
  }
}
