import { describe, expect, test } from '@jest/globals';
import { Spread } from '../../src/lane/spread.ts';

describe('the spread of the way to Mason', () => {
  test('is at least 10 ms before anything was seen', () => {
    expect(new Spread().within(1_000)).toBe(10);
  });

  test('compares like with like: a slow operation beside a fast one is no spread', () => {
    const spread = new Spread();
    spread.observe('device.list', 900, 0);
    spread.observe('device.get', 20, 0);
    expect(spread.within(60_000)).toBe(10);
  });

  test('is what the slowest took longer than the fastest, at most a tenth of the window', () => {
    const spread = new Spread();
    spread.observe('device.get', 20, 0);
    expect(spread.observe('device.get', 62, 1)).toBe(true);
    expect(spread.within(1_000)).toBe(42);
    spread.observe('device.get', 5_000, 2);
    expect(spread.within(1_000)).toBe(100);
  });

  test('one slow answer is forgotten after a minute', () => {
    const spread = new Spread();
    spread.observe('device.get', 20, 0);
    spread.observe('device.get', 500, 1);
    for (let at = 1_000; at <= 61_000; at += 1_000) spread.observe('device.get', 25, at);
    expect(spread.within(60_000)).toBe(10);
  });

  test('after a long silence the old times say nothing', () => {
    const spread = new Spread();
    spread.observe('device.get', 20, 0);
    spread.observe('device.get', 500, 1);
    spread.observe('device.get', 25, 3_600_000);
    expect(spread.within(60_000)).toBe(10);
  });

  test.each([Number.NaN, -1, Number.POSITIVE_INFINITY])('%d is no time', (time) => {
    const spread = new Spread();
    spread.observe('device.get', 20, 0);
    expect(spread.observe('device.get', time, 1)).toBe(false);
    expect(spread.within(1_000)).toBe(10);
  });
});
