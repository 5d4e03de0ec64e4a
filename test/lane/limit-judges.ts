import type { RateLimit } from '../../src/domain/budget.ts';

/** Decides about calls in the order of their arrival: true when the limit lets it pass. */
export type Judge = (at: number) => boolean;

/** Windows that begin at fixed instants, `phaseMs` after each whole window. */
export function fixedWindow({ calls, windowMs }: RateLimit, phaseMs: number): Judge {
  let current = Number.NaN;
  let count = 0;
  return (at) => {
    const window = Math.floor((at - phaseMs) / windowMs);
    if (window !== current) {
      current = window;
      count = 0;
    }
    return ++count <= calls;
  };
}

/** A window begins with the first call after the last window ended. */
export function windowFromFirst({ calls, windowMs }: RateLimit): Judge {
  let startedAt = Number.NEGATIVE_INFINITY;
  let count = 0;
  return (at) => {
    if (at >= startedAt + windowMs) {
      startedAt = at;
      count = 0;
    }
    return ++count <= calls;
  };
}

/** At most so many calls in any window, exactly. */
export function slidingLog({ calls, windowMs }: RateLimit): Judge {
  const log: number[] = [];
  return (at) => {
    while (log.length > 0 && (log[0] as number) <= at - windowMs) log.shift();
    if (log.length >= calls) return false;
    log.push(at);
    return true;
  };
}

/** Estimates the sliding window from two counts: the last window's, weighed by what of it is still in view, and this one's. */
export function slidingCounter({ calls, windowMs }: RateLimit, phaseMs: number): Judge {
  let current = Number.NaN;
  let before = 0;
  let count = 0;
  return (at) => {
    const position = (at - phaseMs) / windowMs;
    const window = Math.floor(position);
    if (window !== current) {
      before = window === current + 1 ? count : 0;
      current = window;
      count = 0;
    }
    if (before * (1 - (position - window)) + count + 1 > calls + 1e-9) return false;
    count++;
    return true;
  };
}

/** Tokens that come back at the limit's rate, up to the depth. */
export function tokenBucket({ calls, windowMs }: RateLimit, depth: number): Judge {
  let tokens = depth;
  let last = Number.NEGATIVE_INFINITY;
  return (at) => {
    tokens = Math.min(depth, tokens + Math.max(0, at - last) * (calls / windowMs));
    last = at;
    if (tokens < 1 - 1e-9) return false;
    tokens--;
    return true;
  };
}

/** How many of the calls each kind of limit refuses. */
export function refusals(
  limit: RateLimit,
  arrivals: readonly number[],
  phaseMs: number,
  depth: number,
): Record<string, number> {
  const judges: Record<string, Judge> = {
    'fixed windows': fixedWindow(limit, phaseMs),
    'windows from the first call': windowFromFirst(limit),
    'sliding log': slidingLog(limit),
    'sliding counter': slidingCounter(limit, phaseMs),
    'token bucket': tokenBucket(limit, depth),
  };
  const inOrder = [...arrivals].sort((a, b) => a - b);
  return Object.fromEntries(
    Object.entries(judges).map(([name, judge]) => [name, inOrder.filter((at) => !judge(at)).length]),
  );
}

export const NO_REFUSALS = {
  'fixed windows': 0,
  'windows from the first call': 0,
  'sliding log': 0,
  'sliding counter': 0,
  'token bucket': 0,
};
