import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseKeptState } from '../../../src/lane/learning/kept-state.ts';
import { LimitLearner } from '../../../src/lane/learning/limit-learner.ts';

const OPTIONS = { pauseMsMax: 60_000 };
const maybe = <T>(...values: T[]) => fc.option(fc.constantFrom(...values), { nil: undefined });

/** What Mason says, within the bounds of what is listened to at all. */
const saying = fc.record({
  refused: fc.boolean(),
  askedMs: maybe(0, 1_000, 30_000, 3_600_000),
  stated: fc.array(
    fc.record({
      calls: fc.constantFrom(1, 2, 60, 1_000, 1_000_000),
      windowMs: maybe(1_000, 60_000, 86_400_000),
      remaining: maybe(0, 5),
      resetMs: maybe(0, 1_000, 3_600_000),
    }),
    { maxLength: 2 },
  ),
});
const steps = fc.array(
  fc.record({
    // Another gateway's clock may be a little ahead of this one's.
    afterMs: fc.constantFrom(-3, 0, 10, 400, 1_000, 60_000, 3_600_000, 20_000_000, 90_000_000),
    calls: fc.constantFrom(0, 1, 5, 50, 100_000),
    says: fc.option(saying, { nil: undefined }),
  }),
  { maxLength: 30, size: 'max' },
);

test('whatever was learnt can be read back: else a restart would learn it anew, at the price of refusals', () => {
  fc.assert(
    fc.property(steps, (happens) => {
      const learner = new LimitLearner(OPTIONS, 0);
      let now = 0;
      for (const { afterMs, calls, says } of happens) {
        now += afterMs;
        if (calls > 0) learner.count(now, calls);
        learner.rise(now, true);
        if (says !== undefined) learner.heard({ sentAt: now, ...says }, now);
        const state = parseKeptState(JSON.stringify(learner.state(now - 2)));
        if (state === undefined) throw new Error(`cannot be read back: ${JSON.stringify(learner.state(now - 2))}`);
        const later = new LimitLearner(OPTIONS, 1e9, { state, ageMs: 2 });
        if (learner.view(now, 0).mode !== 'waiting') expect(later.tuning(undefined)).toEqual(learner.tuning(undefined));
      }
    }),
    { numRuns: 500 },
  );
});
