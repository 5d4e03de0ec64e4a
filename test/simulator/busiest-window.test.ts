import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BusiestWindow } from '../../src/simulator/record/busiest-window.ts';

const INSTANTS = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 400, size: 'max' }).map((gaps) => {
  let now = 0;
  return gaps.map((gap) => {
    now += gap;
    return now;
  });
});

test('the count that convicts a gateway of too many calls is exact, for the limit’s window and for any other', () => {
  fc.assert(
    fc.property(INSTANTS, fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 200 }), (at, own, other) => {
      const busiest = new BusiestWindow(own);
      for (const now of at) busiest.add(now);
      const truth = (windowMs: number) =>
        Math.max(0, ...at.map((from, first) => at.filter((now, i) => i >= first && now - from < windowMs).length));
      expect(busiest.mostIn()).toBe(truth(own));
      expect(busiest.mostIn(other)).toBe(truth(other));
      expect(busiest.count).toBe(at.length);
    }),
    { numRuns: 50 },
  );
});
