import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { bucketOf, percentileMs } from '../../src/audit/usage-times.ts';

const HOURS_MS = 5 * 3_600_000;

test('a percentile read from buckets is within 5 % of the true one, from a tenth of a millisecond to hours', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: Math.log(0.1), max: Math.log(HOURS_MS), noNaN: true }).map(Math.exp), {
        minLength: 1,
        maxLength: 60,
      }),
      fc.constantFrom(0, 0.5, 0.95, 0.99, 1),
      (times, share) => {
        const counts = new Map<number, number>();
        for (const ms of times) counts.set(bucketOf(ms), (counts.get(bucketOf(ms)) ?? 0) + 1);
        const sorted = times.toSorted((a, b) => a - b);
        const truth = sorted[Math.max(1, Math.ceil(share * times.length)) - 1] ?? 0;
        const read =
          percentileMs(
            [...counts].sort(([a], [b]) => a - b),
            share,
          ) ?? 0;
        expect(Math.abs(read - truth) / truth).toBeLessThan(0.05);
      },
    ),
  );
});

test('no time, and times that cannot be, have a bucket; of nothing there is no percentile', () => {
  expect([0, -1, Number.NaN, 0.1, Number.POSITIVE_INFINITY, 1e12].map(bucketOf)).toEqual([0, 0, 0, 0, 200, 200]);
  expect(percentileMs([], 0.5)).toBeNull();
  expect(percentileMs([[0, 3]], 0.99)).toBe(0.1);
});
