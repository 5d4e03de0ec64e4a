import { expect, test } from '@jest/globals';
import { UsedOnce } from '../../../src/session/oidc/used-once.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

test('a mark is taken once, and again when its time is over', async () => {
  const clock = new VirtualClock();
  const used = new UsedOnce(clock);
  expect([used.take('a', 1_000), used.take('a', 1_000), used.take('b', 1_000)]).toEqual([true, false, true]);
  await clock.advance(999);
  expect(used.take('a', 1_000)).toBe(false);
  await clock.advance(1);
  expect([used.take('a', 1_000), used.take('a', 1_000)]).toEqual([true, false]);
});

test('a mark that was given back can be taken', () => {
  const used = new UsedOnce(new VirtualClock());
  used.take('a', 1_000);
  used.giveBack('a');
  expect(used.take('a', 1_000)).toBe(true);
});

test('at most 10,000 are remembered: then the oldest is forgotten', () => {
  const used = new UsedOnce(new VirtualClock());
  for (let i = 0; i < 10_001; i++) used.take(`${i}`, 1_000);
  expect([used.take('10000', 1_000), used.take('1', 1_000)]).toEqual([false, false]);
  expect(used.take('0', 1_000)).toBe(true);
});
