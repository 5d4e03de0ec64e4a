import { expect, test } from '@jest/globals';
import { type Pace, paceFor } from '../../src/lane/pace.ts';
import { Slots } from '../../src/lane/slots.ts';

test('a prediction behind thousands of others costs no more than one behind a few: thousands are made a second', () => {
  let looks = 0;
  const pace = new Proxy<Pace>(paceFor({ calls: 1_000, windowMs: 1_000 }, 100, 10), {
    get(target, key: keyof Pace) {
      looks++;
      return target[key];
    },
  });
  const slots = new Slots(pace);
  for (let i = 0; i < 100; i++) slots.take(1_000, slots.freeAt(1_000), 1_000);
  const looksFor = (index: number): number => {
    looks = 0;
    slots.nth(index, 1_000, 1_000);
    return looks;
  };
  expect(looksFor(5_000)).toBeLessThan(2 * looksFor(5));
});
