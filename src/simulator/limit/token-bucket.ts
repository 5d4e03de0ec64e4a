import type { RateLimiter, Verdict } from './rate-limiter.ts';

/** Full at first with `depth` tokens, refilled evenly with `calls` tokens a window, never above `depth`. */
export class TokenBucket implements RateLimiter {
  readonly #depth: number;
  readonly #msPerToken: number;
  #tokens: number;
  #at = Number.NEGATIVE_INFINITY;

  constructor(calls: number, windowMs: number, depth: number) {
    this.#depth = depth;
    this.#msPerToken = windowMs / calls;
    this.#tokens = depth;
  }

  take(now: number): Verdict {
    this.#tokens = Math.min(this.#depth, this.#tokens + (now - this.#at) / this.#msPerToken);
    this.#at = now;
    const accepted = this.#tokens >= 1;
    if (accepted) this.#tokens -= 1;
    const remaining = Math.floor(this.#tokens);
    return {
      accepted,
      remaining,
      resetMs: (this.#depth - this.#tokens) * this.#msPerToken,
      retryAfterMs: remaining > 0 ? 0 : (1 - this.#tokens) * this.#msPerToken,
    };
  }
}
