import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { RateLimit } from '../../src/domain/budget.ts';
import { paceFor } from '../../src/lane/pace.ts';
import { Slots } from '../../src/lane/slots.ts';
import { driveSlots } from './drive-slots.ts';
import { NO_REFUSALS, refusals } from './limit-judges.ts';

const onTime = () => 0;

function atOnce(calls: number, at = 0): number[] {
  return Array.from({ length: calls }, () => at);
}

/** Numbers from 0 to 1 that depend on the seed only; half of them at the ends, where limits break. */
function randomParts(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    const part = (state >>> 0) / 2 ** 32;
    return part < 0.25 ? 0 : part > 0.75 ? 1 : (part - 0.25) * 2;
  };
}

function depthFor(limit: RateLimit, burst: number | undefined, spreadMs: number): number {
  const pace = paceFor(limit, burst, spreadMs);
  return pace.burstCalls + 1 + Math.ceil((spreadMs + pace.lateMsMax) / pace.spacingMs);
}

describe('no kind of limit may refuse what the slots let go', () => {
  const limits = fc.record({
    calls: fc.oneof(fc.integer({ min: 2, max: 60 }), fc.integer({ min: 61, max: 400 })),
    windowMs: fc.constantFrom(100, 1_000, 5_000, 60_000),
  });
  const gaps = fc.array(
    fc.oneof(
      { weight: 6, arbitrary: fc.constant(0) },
      { weight: 3, arbitrary: fc.double({ min: 0, max: 0.03, noNaN: true }) },
      { weight: 1, arbitrary: fc.double({ min: 0, max: 1.6, noNaN: true }) },
    ),
    { minLength: 50, maxLength: 900, size: 'max' },
  );

  function check(
    limit: RateLimit,
    burst: number | undefined,
    spreadPart: number,
    gapParts: readonly number[],
    seed: number,
  ) {
    const spreadMs = Math.max(Math.min(10, limit.windowMs / 10), limit.windowMs * spreadPart);
    const part = randomParts(seed);
    const pace = paceFor(limit, burst, spreadMs);
    let at = 0;
    const comingAt = gapParts.map((gap) => {
      at += gap * limit.windowMs;
      return at;
    });
    const sentAt = driveSlots(new Slots(pace), comingAt, () => part() * 3 * pace.lateMsMax);
    const arrivals = sentAt.map((sent) => sent + 40 + part() * spreadMs);
    const phaseMs = part() * limit.windowMs;
    expect(sentAt).toHaveLength(comingAt.length);
    expect(refusals(limit, arrivals, phaseMs, depthFor(limit, burst, spreadMs))).toEqual(NO_REFUSALS);
  }

  test('whatever comes when, however late timers fire, however the way to Mason varies', () => {
    fc.assert(
      fc.property(
        limits,
        fc.double({ min: 0, max: 0.1, noNaN: true }),
        gaps,
        fc.integer(),
        (limit, spread, gapParts, seed) => check(limit, undefined, spread, gapParts, seed),
      ),
      { numRuns: 150 },
    );
  });

  test('nor when an operator asks for a large burst', () => {
    fc.assert(
      fc.property(limits, fc.integer({ min: 1, max: 500 }), gaps, fc.integer(), (limit, burst, gapParts, seed) =>
        check(limit, burst, 0.01, gapParts, seed),
      ),
      { numRuns: 100 },
    );
  });

  test('a limit of one call never sees two in a window', () => {
    const limit = { calls: 1, windowMs: 1_000 };
    const sentAt = driveSlots(new Slots(paceFor(limit, undefined, 10)), atOnce(50), onTime);
    for (let i = 1; i < sentAt.length; i++)
      expect((sentAt[i] as number) - (sentAt[i - 1] as number)).toBeGreaterThan(1_010);
  });

  test('a small limit leaves one call of each window unused', () => {
    const limit = { calls: 10, windowMs: 1_000 };
    const sentAt = driveSlots(new Slots(paceFor(limit, undefined, 10)), atOnce(100), onTime);
    for (let i = 9; i < sentAt.length; i++)
      expect((sentAt[i] as number) - (sentAt[i - 9] as number)).toBeGreaterThanOrEqual(1_000);
  });
});

describe('the budget is used', () => {
  test.each([
    [50, 1_000, 0.95],
    [100, 1_000, 0.96],
    [1_000, 1_000, 0.965],
    [10_000, 1_000, 0.965],
    [60, 60_000, 0.97],
    [600, 60_000, 0.975],
  ])('%i per %i ms with timers up to 2 ms late reach at least %f of it', (calls, windowMs, atLeast) => {
    const part = randomParts(7);
    const slots = new Slots(paceFor({ calls, windowMs }, undefined, 10));
    const sentAt = driveSlots(slots, atOnce(calls * 6), () => part() * 2);
    const warm = sentAt.slice(calls * 3);
    const rate = (warm.length - 1) / ((warm.at(-1) as number) - (warm[0] as number));
    expect((rate * windowMs) / calls).toBeGreaterThanOrEqual(atLeast);
  });

  test('timers of one millisecond do not slow a budget of 5,000 a second down', () => {
    const slots = new Slots(paceFor({ calls: 5_000, windowMs: 1_000 }, undefined, 10));
    const sentAt = driveSlots(slots, atOnce(20_000), () => 1);
    expect(19_999 / ((sentAt.at(-1) as number) / 1_000)).toBeGreaterThan(4_800);
  });
});

describe('after idleness', () => {
  test('a page with six calls on 60/60s goes at once', () => {
    const sentAt = driveSlots(new Slots(paceFor({ calls: 60, windowMs: 60_000 }, undefined, 10)), atOnce(6, 5), onTime);
    expect(sentAt).toEqual(atOnce(6, 5));
  });

  test('a fast budget sends one call, not what it saved up', () => {
    const sentAt = driveSlots(
      new Slots(paceFor({ calls: 100, windowMs: 1_000 }, undefined, 10)),
      atOnce(5, 60_000),
      onTime,
    );
    expect(new Set(sentAt).size).toBe(5);
  });

  test('a burst makes the two windows after it pay, and then the pace is back', () => {
    const pace = paceFor({ calls: 60, windowMs: 60_000 }, undefined, 10);
    const sentAt = driveSlots(new Slots(pace), atOnce(400), onTime);
    const gap = (i: number) => (sentAt[i] as number) - (sentAt[i - 1] as number);
    expect(gap(20)).toBeCloseTo(pace.burstSpacingMs, 6);
    expect(gap(300)).toBeCloseTo(pace.spacingMs, 6);
  });
});

describe('late', () => {
  test('a gateway that slept for five seconds does not catch up in a clump', () => {
    const pace = paceFor({ calls: 100, windowMs: 1_000 }, undefined, 10);
    const slots = new Slots(pace);
    const late = [0, 0, 5_000];
    const sentAt = driveSlots(slots, atOnce(200), () => late.shift() ?? 0);
    const woke = sentAt.find((at) => at > 5_000) as number;
    expect(sentAt.filter((at) => at === woke).length).toBeLessThanOrEqual(
      1 + Math.ceil(pace.lateMsMax / pace.spacingMs),
    );
  });
});

describe('the predicted instant of a slot is the one that comes', () => {
  test('for every place in the line, whatever was sent before', () => {
    const cases = fc.record({
      calls: fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 61, max: 1_200 })),
      windowMs: fc.constantFrom(1_000, 60_000),
      burst: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
      history: fc.array(fc.double({ min: 0, max: 0.4, noNaN: true }), { maxLength: 120 }),
      pauseMs: fc.constantFrom(0, 0, 500, 5_000),
      line: fc.integer({ min: 1, max: 150 }),
    });
    fc.assert(
      fc.property(cases, ({ calls, windowMs, burst, history, pauseMs, line }) => {
        const slots = new Slots(paceFor({ calls, windowMs }, burst, 10));
        let at = 0;
        const sentAt = driveSlots(
          slots,
          history.map((gap) => (at += gap * windowMs * 0.1)),
          onTime,
        );
        const now = Math.max(at, sentAt.at(-1) ?? 0);
        if (pauseMs > 0) slots.pause(now + pauseMs);
        const predicted = Array.from({ length: line }, (_, i) => slots.nth(i, now, now));
        const real = driveSlots(slots, atOnce(line, now), onTime);
        for (const [i, instant] of real.entries()) expect(predicted[i]).toBeCloseTo(instant, 6);
      }),
      { numRuns: 150 },
    );
  });
});

describe('what was not used', () => {
  test('a slot taken back leaves no trace', () => {
    const slots = new Slots(paceFor({ calls: 10, windowMs: 1_000 }, undefined, 10));
    slots.take(0, slots.freeAt(0), 0);
    const freeAt = slots.freeAt(500);
    slots.undo(slots.take(500, freeAt, 500));
    expect(slots.freeAt(500)).toBe(freeAt);
    expect(slots.sentWithin(1_000, 500)).toBe(1);
  });

  test('a slot taken back after a later one was taken gives no second call at the same instant', () => {
    const slots = new Slots(paceFor({ calls: 10, windowMs: 1_000 }, undefined, 10));
    const first = slots.take(0, slots.freeAt(0), 0);
    slots.take(500, slots.freeAt(500), 500);
    slots.undo(first);
    expect(slots.freeAt(500)).toBeGreaterThan(600);
    expect(slots.sentWithin(1_000, 500)).toBe(1);
  });
});

describe('pause and retune', () => {
  test('nobody sends in a pause, and no burst waits at its end', () => {
    const slots = new Slots(paceFor({ calls: 60, windowMs: 60_000 }, undefined, 10));
    slots.pause(30_000);
    const sentAt = driveSlots(slots, atOnce(6, 10), onTime);
    expect(sentAt[0]).toBe(30_000);
    expect(sentAt[1]).toBeGreaterThan(31_000);
  });

  test('a shorter pause does not shorten a longer one', () => {
    const slots = new Slots(paceFor({ calls: 100, windowMs: 1_000 }, undefined, 10));
    slots.pause(10_000);
    slots.pause(2_000);
    expect(slots.freeAt(0)).toBe(10_000);
  });

  test('what was sent under the old limit counts under the new one', () => {
    const slots = new Slots(paceFor({ calls: 100, windowMs: 1_000 }, undefined, 10));
    driveSlots(slots, atOnce(90), onTime);
    slots.retune(paceFor({ calls: 50, windowMs: 1_000 }, undefined, 10), 900);
    const sentAt = driveSlots(slots, atOnce(10, 900), onTime);
    expect(sentAt[0]).toBeGreaterThan(1_300);
  });

  test('a higher limit is felt at once by a line that was slow', () => {
    const slots = new Slots(paceFor({ calls: 1, windowMs: 86_400_000 }, undefined, 10));
    slots.take(0, slots.freeAt(0), 0);
    slots.retune(paceFor({ calls: 100, windowMs: 1_000 }, undefined, 10), 1_000);
    expect(slots.freeAt(1_000)).toBeLessThan(1_020);
  });
});
