import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { askedWaitMs } from '../../src/mason/slow-down.ts';

const NOW = Date.UTC(2026, 10, 23, 18, 0, 0);
const HOUR = 3_600_000;
const date = (ms: number): string => new Date(NOW + ms).toUTCString();

describe('how long Mason asks us to wait', () => {
  test.each([
    ['Retry-After in seconds', { 'retry-after': '7' }, 7_000],
    ['Retry-After with spaces', { 'retry-after': ' 7 ' }, 7_000],
    ['Retry-After in parts of a second', { 'retry-after': '0.25' }, 250],
    ['Retry-After as a date', { 'retry-after': date(12_000) }, 12_000],
    ['Retry-After as a date of the past', { 'retry-after': date(-12_000) }, 0],
    ['Retry-After as a date of another century', { 'retry-after': 'Sun, 23 Nov 2126 18:00:00 GMT' }, HOUR],
    ['Retry-After of zero', { 'retry-after': '0' }, 0],
    ['Retry-After below zero', { 'retry-after': '-5' }, 0],
    ['Retry-After of 1e9', { 'retry-after': '1e9' }, HOUR],
    ['Retry-After of 1e999', { 'retry-after': '1e999' }, HOUR],
    ['Retry-After that comes twice', { 'retry-after': ['3', '9'] }, 3_000],
    ['the draft', { ratelimit: '"default";r=0;t=12', 'ratelimit-policy': '"default";q=100;w=60' }, 12_000],
    ['the older draft', { 'ratelimit-limit': '100', 'ratelimit-remaining': '0', 'ratelimit-reset': '9' }, 9_000],
    ['X-RateLimit in seconds left', { 'x-ratelimit-reset': '9' }, 9_000],
    ['X-RateLimit as an epoch in seconds', { 'x-ratelimit-reset': String(NOW / 1_000 + 9) }, 9_000],
    ['X-RateLimit as an epoch in milliseconds', { 'x-ratelimit-reset': String(NOW + 1_500) }, 1_500],
    ['X-Rate-Limit in seconds left', { 'x-rate-limit-reset': '4' }, 4_000],
    ['X-Rate-Limit as a past epoch', { 'x-rate-limit-reset': String(NOW / 1_000 - 60) }, 0],
    ['Retry-After beside a reset', { 'retry-after': '2', 'x-ratelimit-reset': '50' }, 2_000],
    ['garbage beside a reset', { 'retry-after': 'soon', 'ratelimit-reset': '5' }, 5_000],
  ])('%s is understood', (_, headers, expected) => {
    expect(askedWaitMs(headers, NOW)).toBe(expected);
  });

  test.each([
    ['nothing', {}],
    ['an empty value', { 'retry-after': '' }],
    ['a word', { 'retry-after': 'later' }],
    ['a date that is none', { 'retry-after': 'Monday, sometime' }],
    ['what Date.parse would take', { 'retry-after': '1 apple' }],
    ['a number in hexadecimal', { 'retry-after': '0x10' }],
    ['a draft without its time', { ratelimit: '"default";r=0' }],
    ['an infinite reset', { 'x-ratelimit-reset': 'Infinity' }],
    ['an empty list', { 'retry-after': [] }],
  ])('%s says nothing', (_, headers) => {
    expect(askedWaitMs(headers, NOW)).toBeUndefined();
  });

  test('Whatever stands in these headers, the wait is bounded and a number', () => {
    const value = fc.oneof(
      fc.string(),
      fc.integer().map(String),
      fc.double().map(String),
      fc.date({ noInvalidDate: true }).map((d) => d.toUTCString()),
      fc.tuple(fc.string(), fc.bigInt()).map(([name, t]) => `"${name}";r=0;t=${t}`),
    );
    const names = ['retry-after', 'ratelimit', 'ratelimit-reset', 'x-ratelimit-reset', 'x-rate-limit-reset'] as const;
    const headers = fc.record(Object.fromEntries(names.map((name) => [name, fc.option(value, { nil: undefined })])));
    fc.assert(
      fc.property(headers, fc.integer({ min: 0, max: 8.64e15 }), (given, now) => {
        const wait = askedWaitMs(given, now);
        if (wait !== undefined) expect(wait >= 0 && wait <= HOUR).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });
});
