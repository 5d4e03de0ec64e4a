import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LIMITER_KINDS, type LimiterKind, makeLimiter } from '../../src/simulator/limit/make-limiter.ts';

/** Accepted instants of calls that come at these instants. */
function accepted(kind: LimiterKind, calls: number, windowMs: number, at: readonly number[], depth?: number): number[] {
  const limiter = makeLimiter(kind, calls, windowMs, depth);
  return at.filter((now) => limiter.take(now).accepted);
}

function mostInSliding(instants: readonly number[], windowMs: number): number {
  return Math.max(0, ...instants.map((from) => instants.filter((at) => at >= from && at - from < windowMs).length));
}

const LIMIT = fc.record({ calls: fc.integer({ min: 1, max: 12 }), windowMs: fc.integer({ min: 1, max: 60 }) });
/** Instants that grow by whole milliseconds, often by none: bursts are what limits are about. */
const ARRIVALS = fc
  .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 40 })), { maxLength: 80, size: 'max' })
  .map((gaps) => {
    let now = 0;
    return gaps.map((gap) => {
      now += gap;
      return now;
    });
  });

describe('the sliding log is the judge of every pacing test, so it has to be exact', () => {
  test('never more than its calls in any window, and never a refusal that was not needed', () => {
    fc.assert(
      fc.property(LIMIT, ARRIVALS, ({ calls, windowMs }, at) => {
        const log: number[] = [];
        const limiter = makeLimiter('sliding-log', calls, windowMs);
        for (const now of at) {
          const needed = log.filter((before) => now - before < windowMs).length >= calls;
          expect(limiter.take(now).accepted).toBe(!needed);
          if (!needed) log.push(now);
        }
        expect(mostInSliding(log, windowMs)).toBeLessThanOrEqual(calls);
      }),
    );
  });

  test('a refused call costs nothing: hammering does not prolong the wait', () => {
    const hammering = Array.from({ length: 101 }, (_, at) => at);
    expect(accepted('sliding-log', 1, 50, hammering)).toEqual([0, 50, 100]);
  });
});

describe('fixed windows', () => {
  test('aligned: never more than its calls between two multiples of the window', () => {
    fc.assert(
      fc.property(LIMIT, ARRIVALS, ({ calls, windowMs }, at) => {
        const windows = Map.groupBy(accepted('fixed', calls, windowMs, at), (now) => Math.floor(now / windowMs));
        for (const within of windows.values()) expect(within.length).toBeLessThanOrEqual(calls);
      }),
    );
  });

  test('aligned: twice its calls around an edge, which is why a gateway may not trust one', () => {
    expect(accepted('fixed', 2, 100, [98, 99, 99, 100, 101, 102])).toEqual([98, 99, 100, 101]);
  });

  test('from the first: the window begins with a call, not with the clock', () => {
    expect(accepted('fixed-from-first', 2, 100, [98, 99, 100, 197, 198, 199, 200])).toEqual([98, 99, 198, 199]);
  });

  test('from the first: never more than its calls in a window that a call began', () => {
    fc.assert(
      fc.property(LIMIT, ARRIVALS, ({ calls, windowMs }, at) => {
        const log = accepted('fixed-from-first', calls, windowMs, at);
        while (log.length > 0) {
          const from = log[0] ?? 0;
          const within = log.filter((now) => now - from < windowMs).length;
          expect(within).toBeLessThanOrEqual(calls);
          log.splice(0, within);
        }
      }),
    );
  });
});

test('the sliding counter never lets more than its calls into an aligned window, and fades the one before', () => {
  fc.assert(
    fc.property(LIMIT, ARRIVALS, ({ calls, windowMs }, at) => {
      const windows = Map.groupBy(accepted('sliding-counter', calls, windowMs, at), (now) =>
        Math.floor(now / windowMs),
      );
      for (const within of windows.values()) expect(within.length).toBeLessThanOrEqual(calls);
    }),
  );
  expect(accepted('sliding-counter', 10, 100, [...Array(10).fill(50), 100, 110, 111, 149, 150])).toEqual([
    ...Array(10).fill(50),
    110,
    149,
    150,
  ]);
});

test('the token bucket never gives more than its depth and what time has added', () => {
  fc.assert(
    fc.property(LIMIT, fc.integer({ min: 1, max: 12 }), ARRIVALS, ({ calls, windowMs }, depth, at) => {
      const log = accepted('token-bucket', calls, windowMs, at, depth);
      for (const [first, from] of log.entries()) {
        for (const [last, to] of log.entries()) {
          const earned = depth + ((to - from) * calls) / windowMs;
          if (last >= first) expect(last - first + 1).toBeLessThanOrEqual(earned + 1e-6);
        }
      }
    }),
  );
});

test.each(LIMITER_KINDS)('%s: whoever waits as long as it is told is let in, and not much sooner', (kind) => {
  fc.assert(
    fc.property(LIMIT, ARRIVALS, ({ calls, windowMs }, at) => {
      const last = at.at(-1) ?? 0;
      const replay = () => {
        const limiter = makeLimiter(kind, calls, windowMs);
        for (const now of at) limiter.take(now);
        return limiter;
      };
      const { retryAfterMs, remaining, accepted: lastOne } = replay().take(last);
      expect(remaining > 0).toBe(retryAfterMs === 0);
      if (lastOne) return;
      expect(replay().take(last + retryAfterMs + 1e-6).accepted).toBe(true);
      if (retryAfterMs > 0.01) expect(replay().take(last + retryAfterMs - 0.01).accepted).toBe(false);
    }),
  );
});
