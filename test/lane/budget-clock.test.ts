import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BudgetClock } from '../../src/lane/budget-clock.ts';

describe('the time of a shared budget', () => {
  test('is known better with each answer, never worse than by half of the shortest round trip', () => {
    const ways = fc.record({ there: fc.integer({ min: 0, max: 80 }), back: fc.integer({ min: 0, max: 80 }) });
    fc.assert(
      fc.property(fc.array(ways, { minLength: 1, maxLength: 40 }), (trips) => {
        const clock = new BudgetClock();
        const offset = 5_000;
        let [at, shortest] = [10_000, Number.POSITIVE_INFINITY];
        for (const { there, back } of trips) {
          clock.sync(at, at + there - offset, at + there + back);
          at += there + back + 10;
          shortest = Math.min(shortest, there + back);
          expect(Math.abs(clock.toGateway(0) - offset)).toBeLessThanOrEqual(shortest / 2 + 1);
        }
        expect(clock.toBudget(clock.toGateway(1_234))).toBeCloseTo(1_234, 6);
      }),
    );
  });

  test('follows a clock that was stepped, at once', () => {
    const clock = new BudgetClock();
    clock.sync(1_000, 0, 1_002);
    clock.sync(2_000, 500, 2_002);
    expect(clock.toGateway(500)).toBe(2_001);
  });

  test('follows two clocks that drift apart, over hours', () => {
    const clock = new BudgetClock();
    for (let at = 0; at < 4 * 3_600_000; at += 600) clock.sync(at, at * 0.99995, at + 1);
    expect(Math.abs(clock.toGateway(4 * 3_600_000 * 0.99995) - 4 * 3_600_000)).toBeLessThan(2);
  });
});
