import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatDuration, parseDurationMs, parseInstantMs } from '../../src/manage/duration.ts';

const DAY_MS = 86_400_000;
const START_MS = Date.parse('2026-11-23T10:00:00Z');

describe('durations and instants', () => {
  test('what is written is read back the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000_000 }), (seconds) => {
        expect(parseDurationMs(formatDuration(seconds * 1_000))).toBe(seconds * 1_000);
      }),
    );
    expect([parseDurationMs('90d'), parseDurationMs('1h'), parseDurationMs('0s')]).toEqual([90 * DAY_MS, 3_600_000, 0]);
  });

  test.each(['', 'd', '1', '-1d', '1.5h', '1w', '99999999999s', '1 d', '٣d', '36526d'])('%j is no duration', (text) => {
    expect(parseDurationMs(text)).toBeUndefined();
  });

  test('instants are ISO times, times ago, or milliseconds', () => {
    expect(parseInstantMs('2026-11-23T10:00:00Z', 0)).toBe(START_MS);
    expect(parseInstantMs('2026-11-23T11:00:00.000+01:00', 0)).toBe(START_MS);
    expect(parseInstantMs('15m', START_MS)).toBe(START_MS - 900_000);
    expect(parseInstantMs(String(START_MS), 0)).toBe(START_MS);
    for (const text of ['Friday 13', '2026', 'yesterday', '2026-13-01', '2026-11-23T25:00', '1 Jan 2026', '']) {
      expect(parseInstantMs(text, 0)).toBeUndefined();
    }
  });

  test('whatever is typed is judged, never thrown over', () => {
    // Any unit of UTF-16, halves of pairs too, and often one that means something here.
    const unit = fc.oneof(
      fc.nat({ max: 0xffff }).map((code) => String.fromCharCode(code)),
      fc.constantFrom(...'0123456789smhd-+:.TZ '),
    );
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 40 }), (text) => {
        parseDurationMs(text);
        parseInstantMs(text, 0);
      }),
    );
  });
});
