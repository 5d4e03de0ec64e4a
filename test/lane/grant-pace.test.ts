import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { grantPace } from '../../src/lane/grant-pace.ts';

test('whatever the spacing, grants are never faster, nearly as fast, and never a clump of more than 30 ms', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.001, max: 1e6, noNaN: true }), (spacingMs) => {
      const { calls, minTimeMs } = grantPace(spacingMs);
      expect(Number.isInteger(minTimeMs) && calls >= 1).toBe(true);
      expect(minTimeMs / calls).toBeGreaterThanOrEqual(spacingMs * (1 - 1e-12));
      expect(minTimeMs / calls).toBeLessThan(spacingMs * 1.1);
      if (calls > 1) expect(minTimeMs).toBeLessThanOrEqual(30);
    }),
  );
});

test.each([
  [1, { calls: 20, minTimeMs: 20 }],
  [0.2, { calls: 100, minTimeMs: 20 }],
  [10, { calls: 2, minTimeMs: 20 }],
  [10.4, { calls: 2, minTimeMs: 21 }],
  [114.3, { calls: 1, minTimeMs: 115 }],
])('one call each %d ms is %j', (spacingMs, expected) => {
  expect(grantPace(spacingMs)).toEqual(expected);
});
