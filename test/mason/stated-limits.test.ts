import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { statedLimits } from '../../src/mason/stated-limits.ts';

const NOW = Date.UTC(2026, 10, 23, 18, 0, 0);

function limit(calls: number, windowMs?: number, remaining?: number, resetMs?: number) {
  return { calls, windowMs, remaining, resetMs };
}

describe('the limit that Mason states', () => {
  test.each([
    [
      'the draft',
      { 'ratelimit-policy': '"default";q=100;w=60', ratelimit: '"default";r=37;t=12' },
      [limit(100, 60_000, 37, 12_000)],
    ],
    [
      'the draft with two policies',
      { 'ratelimit-policy': '"burst";q=100;w=1, "hour";q=1000;w=3600', ratelimit: '"hour";r=0;t=900' },
      [limit(100, 1_000), limit(1_000, 3_600_000, 0, 900_000)],
    ],
    ['the draft without a standing', { 'ratelimit-policy': '"d"; q=5; w=10; pk=:abc:' }, [limit(5, 10_000)]],
    ['the draft without a window', { 'ratelimit-policy': '"d";q=5' }, [limit(5)]],
    [
      'the older draft',
      { 'ratelimit-limit': '100', 'ratelimit-remaining': '7', 'ratelimit-reset': '9' },
      [limit(100, undefined, 7, 9_000)],
    ],
    [
      'the older draft with its policies',
      { 'ratelimit-limit': '10, 10;w=1, 50;w=60', 'ratelimit-remaining': '9', 'ratelimit-reset': '1' },
      [limit(10, 1_000, 9, 1_000), limit(50, 60_000)],
    ],
    [
      'X-RateLimit with seconds left',
      { 'x-ratelimit-limit': '600', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '33' },
      [limit(600, undefined, 0, 33_000)],
    ],
    [
      'X-Rate-Limit with an epoch',
      { 'x-rate-limit-limit': '600', 'x-rate-limit-reset': String(NOW / 1_000 + 5) },
      [limit(600, undefined, undefined, 5_000)],
    ],
    [
      'a draft that is garbage beside X-RateLimit',
      { 'ratelimit-policy': 'soon', 'x-ratelimit-limit': '60' },
      [limit(60)],
    ],
  ])('%s is understood', (_, headers, expected) => {
    expect(statedLimits(headers, NOW)).toEqual(expected);
  });

  test.each([
    ['nothing', {}],
    ['a limit of nothing', { 'x-ratelimit-limit': '0' }],
    ['more than anybody allows', { 'x-ratelimit-limit': '9999999999' }],
    ['a word', { 'ratelimit-limit': 'unlimited' }],
    ['less than nothing', { 'ratelimit-limit': '-5' }],
    ['a window of a year', { 'ratelimit-policy': '"d";q=5;w=31536000' }],
    ['a window of nothing', { 'ratelimit-policy': '"d";q=5;w=0' }],
    ['what looks like a parameter and is none', { 'ratelimit-policy': '"d";max_q=5;w=1' }],
  ])('%s states nothing', (_, headers) => {
    expect(statedLimits(headers, NOW)).toEqual([]);
  });

  test('Whatever stands in these headers, what is stated keeps its bounds', () => {
    const value = fc.oneof(
      fc.string(),
      fc.integer().map(String),
      fc.array(fc.tuple(fc.string(), fc.bigInt(), fc.bigInt())).map((list) => {
        return list.map(([name, q, w]) => `"${name}";q=${q};w=${w}`).join(', ');
      }),
      fc.tuple(fc.integer(), fc.integer()).map(([calls, w]) => `${calls}, ${calls};w=${w}`),
    );
    const names = ['ratelimit-policy', 'ratelimit', 'ratelimit-limit', 'ratelimit-reset', 'x-ratelimit-limit'] as const;
    const headers = fc.record(Object.fromEntries(names.map((name) => [name, fc.option(value, { nil: undefined })])));
    fc.assert(
      fc.property(headers, (given) => {
        const stated = statedLimits(given, NOW);
        expect(stated.length).toBeLessThanOrEqual(8);
        for (const { calls, windowMs, remaining = 0, resetMs = 0 } of stated) {
          expect(Number.isInteger(calls) && calls >= 1 && calls <= 1_000_000).toBe(true);
          if (windowMs !== undefined) expect(windowMs >= 1_000 && windowMs <= 86_400_000).toBe(true);
          expect(remaining).toBeGreaterThanOrEqual(0);
          expect(resetMs >= 0 && resetMs <= 3_600_000).toBe(true);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
