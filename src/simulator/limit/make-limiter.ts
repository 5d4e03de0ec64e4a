import { FixedWindow } from './fixed-window.ts';
import type { RateLimiter } from './rate-limiter.ts';
import { SlidingCounter } from './sliding-counter.ts';
import { SlidingLog } from './sliding-log.ts';
import { TokenBucket } from './token-bucket.ts';

export const LIMITER_KINDS = ['fixed', 'fixed-from-first', 'sliding-log', 'sliding-counter', 'token-bucket'] as const;
export type LimiterKind = (typeof LIMITER_KINDS)[number];

/** @param depth of a token bucket: how many calls may come at once. */
export function makeLimiter(kind: LimiterKind, calls: number, windowMs: number, depth: number = calls): RateLimiter {
  switch (kind) {
    case 'fixed':
      return new FixedWindow(calls, windowMs, 'aligned');
    case 'fixed-from-first':
      return new FixedWindow(calls, windowMs, 'from-first');
    case 'sliding-log':
      return new SlidingLog(calls, windowMs);
    case 'sliding-counter':
      return new SlidingCounter(calls, windowMs);
    case 'token-bucket':
      return new TokenBucket(calls, windowMs, depth);
  }
}
