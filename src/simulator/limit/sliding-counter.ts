import type { RateLimiter, Verdict } from './rate-limiter.ts';

/** Two counters stand for a sliding window: the window before counts by the share of it that still overlaps. An estimate, as many real services use. */
export class SlidingCounter implements RateLimiter {
  readonly #calls: number;
  readonly #windowMs: number;
  #window = Number.NEGATIVE_INFINITY;
  #before = 0;
  #current = 0;

  constructor(calls: number, windowMs: number) {
    this.#calls = calls;
    this.#windowMs = windowMs;
  }

  take(now: number): Verdict {
    const window = Math.floor(now / this.#windowMs);
    if (window !== this.#window) {
      this.#before = window === this.#window + 1 ? this.#current : 0;
      this.#current = 0;
      this.#window = window;
    }
    const into = now - window * this.#windowMs;
    // Multiplied by the window, so that whole milliseconds are counted without rounding.
    const room = this.#calls * this.#windowMs - this.#before * (this.#windowMs - into) - this.#current * this.#windowMs;
    const accepted = room >= this.#windowMs;
    if (accepted) this.#current += 1;
    const remaining = Math.max(0, Math.floor(room / this.#windowMs) - (accepted ? 1 : 0));
    return {
      accepted,
      remaining,
      resetMs: 2 * this.#windowMs - into,
      retryAfterMs: remaining > 0 ? 0 : this.#wait(into),
    };
  }

  #wait(into: number): number {
    const room = this.#calls - 1;
    // Still in this window: the one before fades until the estimate leaves room for one.
    if (this.#current <= room && this.#before > 0) {
      return (this.#windowMs * (this.#before + this.#current - room)) / this.#before - into;
    }
    // In the next window this one has become the one before.
    const fading = this.#current > room ? (this.#windowMs * (this.#current - room)) / this.#current : 0;
    return this.#windowMs - into + fading;
  }
}
