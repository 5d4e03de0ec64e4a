import { describe, expect, test } from '@jest/globals';
import { LIMITER_KINDS, type LimiterKind, makeLimiter } from '../../../src/simulator/limit/make-limiter.ts';
import type { RateLimiter } from '../../../src/simulator/limit/rate-limiter.ts';
import { type Play, type Played, playLearning, within } from './play-learning.ts';

const MINUTE = 60_000;
const HOUR = 3_600_000;

/** Buckets as deep as a limit of the kind that even pace can keep needs them, and no deeper. */
function limiter(kind: LimiterKind, calls: number, windowMs: number): RateLimiter {
  return makeLimiter(kind, calls, windowMs, kind === 'token-bucket' ? Math.max(8, Math.ceil(calls / 10)) : undefined);
}

function play(kind: LimiterKind, calls: number, windowMs: number, more: Omit<Play, 'judges'>): Played {
  return playLearning({ judges: [[0, limiter(kind, calls, windowMs)]], ...more });
}

/** Part of the limit that was used. */
function used(played: Played, fromMs: number, toMs: number, perSecond: number): number {
  return within(played.takenAt, fromMs, toMs) / (((toMs - fromMs) / 1_000) * perSecond);
}

/** Whoever was refused went again: nobody is missing. */
function expectNobodyLost({ came, takenAt, waiting }: Played): void {
  expect(takenAt.length + waiting).toBe(came);
}

describe.each(LIMITER_KINDS)('a limit that nobody told, judged by %s', (kind) => {
  // Without a spread the kinds differ only in when a window begins.
  test.each(kind === 'fixed' ? [0, 50] : [50])(
    '60/s with a spread of %d ms is found within a minute, and tried again rarely',
    (jitterMs) => {
      const played = play(kind, 60, 1_000, { forMs: 20 * MINUTE, jitterMs });
      expect(used(played, MINUTE, 2 * MINUTE, 60)).toBeGreaterThan(0.9);
      expect(used(played, 2 * MINUTE, 10 * MINUTE, 60)).toBeGreaterThan(0.9);
      expect(used(played, 10 * MINUTE, 20 * MINUTE, 60)).toBeGreaterThan(0.9);
      expect(within(played.refusedAt, 0, 10 * MINUTE)).toBeLessThanOrEqual(20);
      expect(within(played.refusedAt, 10 * MINUTE, 20 * MINUTE)).toBeLessThanOrEqual(2);
      expectNobodyLost(played);
    },
  );

  test('600/60s is used whole, with few refusals', () => {
    const played = play(kind, 600, MINUTE, { forMs: HOUR });
    expect(used(played, 2 * MINUTE, HOUR, 10)).toBeGreaterThan(0.9);
    expect(within(played.refusedAt, 0, 10 * MINUTE)).toBeLessThanOrEqual(20);
    expect(within(played.refusedAt, 10 * MINUTE, HOUR)).toBeLessThanOrEqual(25);
    expectNobodyLost(played);
  });

  test('1000/1h is raced into once, and never again', () => {
    const played = play(kind, 1_000, HOUR, { forMs: 10 * HOUR });
    // A bucket asks to wait for its next token only: it is found step by step.
    expect(within(played.refusedAt, 0, HOUR)).toBeLessThanOrEqual(kind === 'token-bucket' ? 30 : 20);
    expect(used(played, HOUR, 10 * HOUR, 1_000 / 3_600)).toBeGreaterThan(0.9);
    // In no hour is the limit used up early: its last five minutes serve calls too.
    for (let hour = 2; hour < 10; hour++) {
      expect(within(played.takenAt, hour * HOUR - 5 * MINUTE, hour * HOUR)).toBeGreaterThan(50);
    }
    expectNobodyLost(played);
  });

  test('a restart adds no refusal and begins where it was', () => {
    const restarts = [2.2 * MINUTE, 2.3 * MINUTE, 6 * MINUTE];
    const played = play(kind, 60, 1_000, { forMs: 7 * MINUTE, restartsAt: restarts });
    for (const at of restarts) expect(within(played.refusedAt, at, at + 5_000)).toBe(0);
    expect(used(played, 6 * MINUTE + 2_000, 7 * MINUTE, 60)).toBeGreaterThan(0.88);
    const long = play(kind, 1_000, HOUR, { forMs: 3 * HOUR, restartsAt: [10 * MINUTE, 90 * MINUTE] });
    expect(within(long.refusedAt, 10 * MINUTE, 3 * HOUR)).toBeLessThanOrEqual(kind === 'token-bucket' ? 25 : 0);
  });

  test('a limit that is halved is followed within ten seconds, and used again soon after', () => {
    const judges = [
      [0, limiter(kind, 60, 1_000)],
      [5 * MINUTE, limiter(kind, 30, 1_000)],
    ] as const;
    const played = playLearning({ judges, forMs: 12 * MINUTE });
    expect(within(played.refusedAt, 5 * MINUTE, 5 * MINUTE + 10_000)).toBeLessThanOrEqual(15);
    expect(within(played.refusedAt, 5 * MINUTE + 10_000, 6 * MINUTE)).toBeLessThanOrEqual(3);
    expect(within(played.takenAt, 5 * MINUTE + 10_000, 6 * MINUTE)).toBeGreaterThan(0.65 * 30 * 50);
    expect(used(played, 8 * MINUTE, 12 * MINUTE, 30)).toBeGreaterThan(0.85);
    expectNobodyLost(played);
  });

  test('a limit that is doubled is found after a while', () => {
    const judges = [
      [0, limiter(kind, 60, 1_000)],
      [5 * MINUTE, limiter(kind, 120, 1_000)],
    ] as const;
    const played = playLearning({ judges, forMs: 25 * MINUTE });
    expect(used(played, 20 * MINUTE, 25 * MINUTE, 120)).toBeGreaterThan(0.85);
    expect(played.refusedAt.length).toBeLessThan(50);
  });

  test('who calls less than the limit never meets it twice', () => {
    const played = play(kind, 60, 1_000, { forMs: 20 * MINUTE, demand: 30 });
    expect(played.refusedAt.length).toBeLessThanOrEqual(5);
    expect(played.waiting).toBeLessThanOrEqual(3);
    expect(play(kind, 1_000, HOUR, { forMs: 5 * HOUR, demand: 0.2 }).refusedAt).toEqual([]);
  });

  test('without a word on how long to wait it is found all the same', () => {
    const second = play(kind, 60, 1_000, { forMs: 10 * MINUTE, asks: 'nothing' });
    expect(used(second, MINUTE, 10 * MINUTE, 60)).toBeGreaterThan(0.9);
    expect(second.refusedAt.length).toBeLessThanOrEqual(20);
    const hour = play(kind, 1_000, HOUR, { forMs: 5 * HOUR, asks: 'nothing' });
    expect(used(hour, 2 * HOUR, 5 * HOUR, 1_000 / 3_600)).toBeGreaterThan(0.9);
    expect(within(hour.refusedAt, 0, HOUR)).toBeLessThanOrEqual(70);
  });
});

describe('a limit that lies about the wait', () => {
  test('an hour that always asks for a second is an hour nevertheless', () => {
    const played = play('fixed-from-first', 1_000, HOUR, { forMs: 5 * HOUR, asks: 'always a second' });
    expect(played.learner.view(0, 0).levels[0]?.windowMs).toBe(HOUR);
    expect(used(played, 2 * HOUR, 5 * HOUR, 1_000 / 3_600)).toBeGreaterThan(0.9);
  });
});
