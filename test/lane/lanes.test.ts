import { describe, expect, test } from '@jest/globals';
import type { RateLimit } from '../../src/domain/budget.ts';
import type { LaneCall } from '../../src/domain/lane.ts';
import { BottleneckLane } from '../../src/lane/bottleneck-lane.ts';
import { FairLane } from '../../src/lane/fair-lane.ts';
import { DEFAULT_LIMIT, Lanes } from '../../src/lane/lanes.ts';
import { FIRST_LIMIT } from '../../src/lane/learning/limit-learner.ts';
import { loadEngine, type MakeLane } from '../../src/lane/load-engine.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const clock = new VirtualClock();
const stays = new AbortController().signal;
const CALL: LaneCall = { appId: 'app', weight: 1, urgency: 3, deadlineAt: 1e9, heldBytes: 1 };

const LINE = { waitingCallsMax: 5_000, waitingBytesMax: 5_000, pauseMsMax: 60_000 };

function makeLanes(engine: 'fair' | MakeLane = 'fair'): Lanes {
  return new Lanes({ ...LINE, engine, clock });
}

function budget(id: string, limit?: RateLimit, burst?: number, spreadMs?: number) {
  return { id, limit, burst, spreadMs };
}

describe('the lanes of a gateway', () => {
  test('keys that share a budget share its lane, so two of them cannot take twice its limit', () => {
    const lanes = makeLanes();
    expect(lanes.laneFor(budget('a'))).toBe(lanes.laneFor(budget('a')));
    expect(lanes.laneFor(budget('b'))).not.toBe(lanes.laneFor(budget('a')));
    expect(lanes.find('c')).toBeUndefined();
  });

  test('a budget without a limit is paced carefully, not left open: it is learnt, or with the other engine assumed', async () => {
    const { calls, windowMs } = makeLanes().laneFor(budget('a')).stats().limit;
    expect(calls / windowMs).toBe(FIRST_LIMIT.calls / FIRST_LIMIT.windowMs);
    expect(
      makeLanes(await loadEngine('bottleneck'))
        .laneFor(budget('a'))
        .stats().limit,
    ).toBe(DEFAULT_LIMIT);
  });

  test('the engine is the one that was asked for', async () => {
    expect(makeLanes('fair').laneFor(budget('a', { calls: 1, windowMs: 1_000 }))).toBeInstanceOf(FairLane);
    const plain = makeLanes(await loadEngine('bottleneck'));
    expect(plain.laneFor(budget('a'))).toBeInstanceOf(BottleneckLane);
    await plain.close();
  });

  test('a changed limit reaches those who wait, and they keep their places', async () => {
    const lanes = makeLanes();
    const lane = lanes.laneFor(budget('a', { calls: 1, windowMs: 60_000 }));
    const log: number[] = [];
    for (let i = 0; i < 4; i++)
      void lane
        .join(CALL)
        .turn(stays)
        .then(() => log.push(i));
    await clock.advance(100);
    expect(log).toEqual([0]);
    expect(lanes.laneFor(budget('a', { calls: 100, windowMs: 1_000 }))).toBe(lane);
    await clock.advance(1_200);
    expect(log).toEqual([0, 1, 2, 3]);
  });

  test('the same limit again changes nothing, however often a budget is read anew', () => {
    const lanes = makeLanes();
    const lane = lanes.laneFor(budget('a', { calls: 60, windowMs: 60_000 }, 6));
    const retuned: unknown[] = [];
    lane.retune = (tuning) => void retuned.push(tuning);
    lanes.laneFor(budget('a', { calls: 60, windowMs: 60_000 }, 6));
    expect(retuned).toEqual([]);
    lanes.laneFor(budget('a', { calls: 60, windowMs: 60_000 }, 3));
    expect(retuned).toEqual([{ limit: { calls: 60, windowMs: 60_000 }, burst: 3, spreadMs: undefined }]);
  });

  test('a spread that is given decides the pace, whatever is measured, until it is taken back', async () => {
    const lanes = makeLanes();
    const limit = { calls: 100, windowMs: 1_000 };
    const lane = lanes.laneFor(budget('a', limit, 1));
    const leave = new AbortController();
    for (let i = 0; i < 2_000; i++) {
      const turn = lane.join(CALL).turn(leave.signal);
      turn.catch(() => {});
    }
    const expectPace = async (spreadMs: number): Promise<void> => {
      expect(lane.stats().spreadMs).toBe(spreadMs);
      const before = lane.stats().sent;
      await clock.advance(5_000);
      const wanted = (0.98 * limit.calls * 5_000) / (limit.windowMs + spreadMs);
      expect(Math.abs(lane.stats().sent - before - wanted)).toBeLessThan(5);
    };
    for (const ms of [20, 60]) lane.observe('device.get', ms);
    await expectPace(40);
    expect(lanes.laneFor(budget('a', limit, 1, 100))).toBe(lane);
    lane.observe('device.get', 90);
    await expectPace(100);
    lanes.laneFor(budget('a', limit, 1, 0));
    await expectPace(0);
    lanes.laneFor(budget('a', limit, 1));
    await expectPace(70);
    leave.abort();
    await lanes.close();
  });

  test('a spread that is given counts with the other engine too', async () => {
    const lanes = makeLanes(await loadEngine('bottleneck'));
    const limit = { calls: 100, windowMs: 1_000 };
    const lane = lanes.laneFor(budget('a', limit, undefined, 100));
    lane.observe('device.get', 20);
    expect(lane.stats().spreadMs).toBe(100);
    const { calls } = lane.share('app', 1);
    lanes.laneFor(budget('a', limit, undefined, 0));
    expect(lane.stats().spreadMs).toBe(0);
    expect(lane.share('app', 1).calls).toBeGreaterThan(calls);
    await lanes.close();
  });

  test('a spread that is given holds for a limit that is learnt, within a tenth of its window', () => {
    const lanes = makeLanes();
    const lane = lanes.laneFor(budget('a', undefined, undefined, 25));
    expect(lane.stats().spreadMs).toBe(25);
    lanes.laneFor(budget('a', undefined, undefined, 8_640_000));
    const { limit, spreadMs } = lane.stats();
    expect(spreadMs).toBe(limit.windowMs / 10);
  });

  test('a budget that is gone refuses who waits for it, and the next of its name begins anew', async () => {
    const lanes = makeLanes();
    const lane = lanes.laneFor(budget('a', { calls: 1, windowMs: 60_000 }));
    void lane.join(CALL).turn(stays);
    const turn = lane.join(CALL).turn(stays);
    await Promise.all([expect(turn).rejects.toMatchObject({ code: 'shutting_down' }), lanes.drop('a')]);
    expect(lanes.laneFor(budget('a'))).not.toBe(lane);
    await expect(lanes.drop('never there')).resolves.toBeUndefined();
  });

  test('each lane can be seen, and all close together', async () => {
    const lanes = makeLanes();
    const turns = ['a', 'b'].map((id) => {
      const lane = lanes.laneFor(budget(id, { calls: 1, windowMs: 60_000 }));
      void lane.join(CALL).turn(stays);
      return lane.join(CALL).turn(stays);
    });
    expect([...lanes.stats()].map(([id, { waiting, sent }]) => [id, waiting, sent])).toEqual([
      ['a', 1, 1],
      ['b', 1, 1],
    ]);
    const refused = turns.map((turn) => expect(turn).rejects.toMatchObject({ code: 'shutting_down' }));
    await lanes.close();
    await Promise.all(refused);
    expect([...lanes.stats()]).toEqual([]);
  });
});
