import { beforeEach, describe, expect, jest, test } from '@jest/globals';
import { systemClock } from '../../src/domain/clock.ts';
import type { Lane, LaneCall, LaneSettings } from '../../src/domain/lane.ts';
import { BottleneckLane } from '../../src/lane/bottleneck-lane.ts';
import { laneContract } from '../contracts/lane-contract.ts';

/** Its timers, and the library's, are the test's: they must go on while it closes. */
class ClosingInTime extends BottleneckLane {
  override async close(): Promise<void> {
    await Promise.all([super.close(), jest.advanceTimersByTimeAsync(100)]);
  }
}

beforeEach(() => {
  jest.useFakeTimers();
});

laneContract(
  'bottleneck',
  {
    clock: systemClock,
    make: (settings) => new ClosingInTime(settings, systemClock),
    // The library's own timers take several turns of the event loop for each job.
    pass: (ms) => jest.advanceTimersByTimeAsync(ms === 0 ? 5 : ms),
  },
  { shares: false, sparesSlots: false },
);

const SETTINGS: LaneSettings = {
  budgetId: 'budget-1',
  limit: { calls: 5, windowMs: 1_000 },
  burst: undefined,
  spreadMs: undefined,
  waitingCallsMax: 100,
  waitingBytesMax: 1_000,
  pauseMsMax: 60_000,
};
const stays = new AbortController().signal;

function call(waitMs: number): LaneCall {
  return { appId: 'app', weight: 1, urgency: 3, deadlineAt: systemClock.now() + waitMs, heldBytes: 1 };
}

test('a paused lane of engine bottleneck closes now, not when the pause is over', async () => {
  const lane = new ClosingInTime(SETTINGS, systemClock);
  lane.pause(60_000);
  const turn = lane.join(call(120_000)).turn(stays);
  await jest.advanceTimersByTimeAsync(100);
  await Promise.all([expect(turn).rejects.toMatchObject({ code: 'shutting_down' }), lane.close()]);
});

describe('what callers are told of their wait is no longer than it is', () => {
  /** Thirty calls at once go within 20 s; who comes then is told a wait of about as much. */
  async function comeThirty(lane: Lane): Promise<void> {
    let gone = 0;
    for (let i = 0; i < 30; i++) {
      void lane
        .join(call(20_000))
        .turn(stays)
        .then(() => gone++);
    }
    await jest.advanceTimersByTimeAsync(2_000);
    expect(gone).toBeLessThan(15);
    const left = (30 - gone) * 300;
    expect(() => lane.join(call(1_000))).toThrow(
      expect.objectContaining({ code: 'deadline_unreachable', retryAfterMs: expect.closeTo(left, -4) }),
    );
    lane.join(call(left))[Symbol.dispose]();
    await jest.advanceTimersByTimeAsync(10_000);
    expect(gone).toBe(30);
  }

  test('on a fresh lane, after an idle minute, after a pause, in one', async () => {
    const lane = new ClosingInTime(SETTINGS, systemClock);
    await comeThirty(lane);
    await jest.advanceTimersByTimeAsync(60_000);
    await comeThirty(lane);
    lane.pause(30_000);
    await jest.advanceTimersByTimeAsync(30_000);
    await comeThirty(lane);
    const turns = Array.from({ length: 30 }, () => lane.join(call(60_000)).turn(stays));
    await jest.advanceTimersByTimeAsync(1_000);
    lane.pause(30_000);
    await jest.advanceTimersByTimeAsync(31_000);
    lane.join(call(10_000))[Symbol.dispose]();
    await jest.advanceTimersByTimeAsync(10_000);
    await expect(Promise.all(turns)).resolves.toHaveLength(30);
    await lane.close();
  });
});
