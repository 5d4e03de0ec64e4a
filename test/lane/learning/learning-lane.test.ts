import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Lane } from '../../../src/domain/lane.ts';
import { Lanes } from '../../../src/lane/lanes.ts';
import type { RateLimiter } from '../../../src/simulator/limit/rate-limiter.ts';
import { SlidingLog } from '../../../src/simulator/limit/sliding-log.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const BUDGET = { id: 'a', limit: undefined, burst: undefined, spreadMs: undefined };
const LATENCY_MS = 30;
const stays = new AbortController().signal;

let clock: VirtualClock;
let lanes: Lanes;
let answered: number;
let failed: unknown[];
let refusedAt: number[];

beforeEach(() => {
  clock = new VirtualClock(0);
  lanes = new Lanes({ engine: 'fair', clock, waitingCallsMax: 10_000, waitingBytesMax: 1e6, pauseMsMax: 60_000 });
  answered = 0;
  failed = [];
  refusedAt = [];
});

afterEach(async () => {
  await lanes.close();
});

/** One call, as the walk makes it: it goes again as often as Mason refuses it. */
async function call(lane: Lane, mason: RateLimiter): Promise<void> {
  try {
    const deadlineAt = clock.now() + 7_200_000;
    using place = lane.join({ appId: 'app', weight: 1, urgency: 3, deadlineAt, heldBytes: 1 });
    for (;;) {
      const turn = await place.turn(stays);
      turn.sent();
      const sentAt = clock.now();
      await new Promise<void>((resolve) => void clock.after(LATENCY_MS, resolve));
      const { accepted, retryAfterMs } = mason.take(clock.now());
      const askedMs = accepted ? undefined : Math.ceil(retryAfterMs / 1_000) * 1_000;
      lane.heard?.({ sentAt, refused: !accepted, askedMs, stated: [] });
      if (accepted) break;
      refusedAt.push(clock.now());
      lane.pause(askedMs ?? 0);
    }
    answered++;
  } catch (error) {
    failed.push(error);
  }
}

describe('a lane whose limit nobody told', () => {
  test('everybody is answered, and Mason’s refusals are nobody’s to see', async () => {
    const lane = lanes.laneFor(BUDGET);
    const mason = new SlidingLog(20, 1_000);
    for (let i = 0; i < 600; i++) void call(lane, mason);
    await clock.advance(60_000);
    expect({ answered, failed }).toEqual({ answered: 600, failed: [] });
    expect(refusedAt.length).toBeGreaterThan(0);
    expect(refusedAt.length).toBeLessThan(10);
    expect(lanes.paceOf('a')?.learning).toMatchObject({ mode: 'holding', refusalsSeen: refusedAt.length });
  });

  test('a pause longer than one pause may be goes on until it ends, once Mason said it twice', async () => {
    const lane = lanes.laneFor(BUDGET);
    const mason = new SlidingLog(40, 1_800_000);
    for (let i = 0; i < 60; i++) void call(lane, mason);
    await clock.advance(1_790_000);
    expect({ answered, failed }).toEqual({ answered: 40, failed: [] });
    expect(refusedAt.length).toBeLessThanOrEqual(3);
    expect(lanes.find('a')?.stats().pausedUntil).toBeGreaterThan(clock.now());
    await clock.advance(3_600_000);
    expect(answered).toBe(60);
  });

  test('a limit that is given counts from then on, and who waits keeps the place', async () => {
    const lane = lanes.laneFor(BUDGET);
    const mason = new SlidingLog(1_000, 1_000);
    for (let i = 0; i < 200; i++) void call(lane, mason);
    await clock.advance(500);
    const given = lanes.laneFor({ ...BUDGET, limit: { calls: 500, windowMs: 1_000 } });
    expect(given).not.toBe(lane);
    expect(lanes.find('a')).toBe(given);
    expect(lanes.paceOf('a')).toMatchObject({ limit: { calls: 500, windowMs: 1_000 }, learning: undefined });
    await clock.advance(1_000);
    expect({ answered, failed }).toEqual({ answered: 200, failed: [] });
    expect(given.stats().limit).toEqual({ calls: 500, windowMs: 1_000 });
  });

  test('one that is taken back is learnt by those who waited too', async () => {
    const lane = lanes.laneFor({ ...BUDGET, limit: { calls: 1, windowMs: 60_000 } });
    const mason = new SlidingLog(1_000, 1_000);
    for (let i = 0; i < 20; i++) void call(lane, mason);
    await clock.advance(100);
    expect(lanes.laneFor(BUDGET)).not.toBe(lane);
    await clock.advance(6_000);
    expect({ answered, failed }).toEqual({ answered: 20, failed: [] });
  });
});
