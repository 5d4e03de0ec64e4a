import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { WindowCount } from '../../src/lane/window-count.ts';

describe('the count over the horizon', () => {
  test('is never below the true count, and above it by one bucket at most', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 12, noNaN: true }), { maxLength: 400, size: 'max' }), (gaps) => {
        const window = new WindowCount();
        const at: number[] = [];
        let now = 0;
        for (const gap of gaps) {
          now += gap;
          window.expire(now, 100);
          window.add(now, 4);
          at.push(now);
          expect(window.total).toBeGreaterThanOrEqual(at.filter((sent) => sent > now - 100).length);
          expect(window.total).toBeLessThanOrEqual(at.filter((sent) => sent > now - 104).length);
        }
      }),
    );
  });

  test('is exact where calls are farther apart than a bucket', () => {
    const window = new WindowCount();
    for (let at = 0; at < 1_000; at += 20) {
      window.expire(at, 100);
      window.add(at, 4);
    }
    expect(window.total).toBe(5);
    expect(window.roomAt(5, 100)).toBe(1_000);
  });

  test('forgets a call taken back, and nothing else', () => {
    const window = new WindowCount();
    window.add(0, 4);
    window.add(10, 4);
    window.remove(10);
    window.remove(10);
    window.remove(5);
    expect(window.total).toBe(1);
  });
});
