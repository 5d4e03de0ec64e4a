import { describe, expect, test } from '@jest/globals';
import { paceFor } from '../../src/lane/pace.ts';
import { Fleet, jain } from './fleet.ts';
import { NO_REFUSALS, refusals } from './limit-judges.ts';

describe('four gateways on one budget', () => {
  test.each([
    [{ calls: 10, windowMs: 1_000 }, 0.3],
    [{ calls: 100, windowMs: 1_000 }, 0.3],
    [{ calls: 1_000, windowMs: 1_000 }, 0.3],
    [{ calls: 100, windowMs: 1_000 }, 50],
    [{ calls: 600, windowMs: 60_000 }, 3],
    [{ calls: 60, windowMs: 60_000 }, 3],
  ])(
    '%j with Redis %f ms away: no kind of limit refuses, nearly all of the budget is used',
    async (limit, oneWayMs) => {
      let turn = 0;
      const fleet = new Fleet(4, { limit }, oneWayMs, () => (turn++ % 3) * 0.4);
      const windows = limit.windowMs > 1_000 ? 4 : 12;
      for (let g = 0; g < 4; g++) fleet.crowd(g, 'app', Math.ceil((limit.calls * (windows + 1)) / 4));
      const from = fleet.clock.now();
      await fleet.clock.advance(windows * limit.windowMs);
      const pace = paceFor(limit, undefined, 10);
      // Behind: what a depth must have for calls that two clocks take for one instant.
      const depth = pace.burstCalls + 2 + Math.ceil((10 + pace.lateMsMax) / pace.spacingMs);
      const arrivals = fleet.instants().map((at, i) => at + ((i * 7) % 11) * 0.9);
      expect(refusals(limit, arrivals, 333, depth)).toEqual(NO_REFUSALS);
      const steady = fleet.instants(from + 2 * limit.windowMs).length / ((windows - 2) * limit.calls);
      const expected =
        (limit.windowMs / (limit.windowMs + 10)) * (limit.calls <= 20 ? (limit.calls - 1) / limit.calls : 1);
      expect(steady / expected).toBeGreaterThan(0.96);
      await fleet.close();
    },
  );

  test.each([8, 15])('%i callers at each gateway are enough to use all of the budget', async (callers) => {
    const fleet = new Fleet(4);
    for (let g = 0; g < 4; g++) fleet.keepBusy(g, 'app', callers);
    await fleet.clock.advance(1_000);
    const from = fleet.clock.now();
    await fleet.clock.advance(4_000);
    expect(fleet.instants(from).length / 400).toBeGreaterThan(0.97 / 1.01);
    await fleet.close();
  });

  test('a limit that rises a little, as one that is learnt does, leaves no hole in the pace', async () => {
    const fleet = new Fleet(4);
    for (let g = 0; g < 4; g++) fleet.keepBusy(g, 'app', 30);
    await fleet.clock.advance(2_000);
    const from = fleet.clock.now();
    for (const calls of [104, 108, 112, 116]) {
      fleet.lanes[1]?.retune({ limit: { calls, windowMs: 1_000 }, burst: undefined, spreadMs: 10 });
      await fleet.clock.advance(1_500);
    }
    const sent = fleet.instants(from).sort((a, b) => a - b);
    expect(Math.max(...sent.slice(1).map((at, i) => at - (sent[i] as number)))).toBeLessThan(80);
    await fleet.close();
  });

  test('at load Redis is asked at most once for ten calls', async () => {
    for (const limit of [
      { calls: 100, windowMs: 1_000 },
      { calls: 1_000, windowMs: 1_000 },
    ]) {
      const fleet = new Fleet(4, { limit });
      for (let g = 0; g < 4; g++) fleet.keepBusy(g, 'app', 100);
      await fleet.clock.advance(1_000);
      const [asks, sent] = [fleet.budget.asks, fleet.sent.length];
      await fleet.clock.advance(5_000);
      expect((fleet.budget.asks - asks) / (fleet.sent.length - sent)).toBeLessThanOrEqual(0.1);
      await fleet.close();
    }
  });

  test('a call on an idle budget waits one round trip, and no timer', async () => {
    const fleet = new Fleet(4, {}, 0.4);
    void fleet.call(0);
    await fleet.clock.advance(5_000);
    const from = fleet.clock.now();
    void fleet.call(1);
    await fleet.clock.advance(5);
    expect((fleet.sent.at(-1)?.at ?? Number.NaN) - from).toBeLessThanOrEqual(0.9);
    await fleet.close();
  });
});

describe('what one gateway knows', () => {
  test('a limit that reaches one gateway holds for all, also for those who have slots of the old one', async () => {
    const fleet = new Fleet(3, { limit: { calls: 2, windowMs: 20_000 } });
    for (let g = 0; g < 3; g++) fleet.keepBusy(g, 'app', 30);
    await fleet.clock.advance(25_000);
    const limit = { calls: 100, windowMs: 1_000 };
    fleet.lanes[1]?.retune({ limit, burst: undefined, spreadMs: 10 });
    await fleet.clock.advance(2_000);
    const from = fleet.clock.now();
    await fleet.clock.advance(2_000);
    expect(fleet.instants(from).length).toBeGreaterThan(185);
    expect(fleet.lanes.map((lane) => lane.stats().limit)).toEqual([limit, limit, limit]);
    await fleet.close();
  });

  test('a gateway farther from Mason than the others makes all of them careful', async () => {
    const fleet = new Fleet(3, { spreadMs: undefined });
    for (let g = 0; g < 3; g++) fleet.keepBusy(g, 'app', 30);
    for (const [g, ms] of [20, 22, 61].entries()) fleet.lanes[g]?.observe('device.get', ms);
    await fleet.clock.advance(2_000);
    const spreads = fleet.lanes.map((lane) => lane.stats().spreadMs);
    expect(new Set(spreads).size).toBe(1);
    expect(spreads[0]).toBeGreaterThanOrEqual(41);
    expect(spreads[0]).toBeLessThan(44);
    await fleet.close();
  });
});

describe('fairness over gateways', () => {
  test('one app on one gateway, one on three: half each', async () => {
    const fleet = new Fleet(4);
    fleet.keepBusy(0, 'single', 50);
    for (const g of [1, 2, 3]) fleet.keepBusy(g, 'spread', 50);
    await fleet.clock.advance(2_000);
    const from = fleet.clock.now();
    await fleet.clock.advance(10_000);
    const shares = ['single', 'spread'].map((app) => fleet.countOf(app, from));
    expect(jain(shares)).toBeGreaterThanOrEqual(0.99);
    await fleet.close();
  });

  test.each([4, 8])(
    'two apps, %i callers and a hundred times as many at each of four gateways: half each',
    async (callers) => {
      const fleet = new Fleet(4);
      for (let g = 0; g < 4; g++) {
        fleet.keepBusy(g, 'loud', 100 * callers);
        fleet.keepBusy(g, 'quiet', callers);
      }
      await fleet.clock.advance(2_000);
      const from = fleet.clock.now();
      await fleet.clock.advance(10_000);
      const shares = ['loud', 'quiet'].map((app) => fleet.countOf(app, from));
      expect(jain(shares)).toBeGreaterThanOrEqual(0.99);
      await fleet.close();
    },
  );

  test('a quiet app that comes with forty calls to a line of thousands is served within the second', async () => {
    const fleet = new Fleet(4);
    for (let g = 0; g < 4; g++) fleet.crowd(g, 'loud', 1_000);
    await fleet.clock.advance(2_000);
    for (let g = 0; g < 4; g++) fleet.crowd(g, 'quiet', 10);
    await fleet.clock.advance(1_500);
    expect(fleet.countOf('quiet')).toBe(40);
    await fleet.close();
  });

  test('weights count over gateways: 3 to 1', async () => {
    const fleet = new Fleet(2);
    const again = async (g: number, app: string, weight: number) => {
      while (await fleet.call(g, app, { weight }));
    };
    for (let i = 0; i < 40; i++) void again(0, 'heavy', 3);
    for (let i = 0; i < 40; i++) void again(1, 'light', 1);
    await fleet.clock.advance(10_000);
    expect(fleet.countOf('heavy', 2_000) / fleet.countOf('light', 2_000)).toBeCloseTo(3, 0);
    await fleet.close();
  });
});

describe('urgent calls of one of two apps that always wait at four gateways', () => {
  /** Waits of `counts[gateway]` urgent calls that come at once. */
  async function urgentWaits(fleet: Fleet, counts: readonly number[]): Promise<number[]> {
    const from = fleet.clock.now();
    const waits: number[] = [];
    for (const [g, count] of counts.entries()) {
      for (let i = 0; i < count; i++) {
        void fleet.call(g, 'calm', { urgency: 0 }).then(() => waits.push(fleet.clock.now() - from));
      }
    }
    await fleet.clock.advance(6_000);
    return waits.toSorted((a, b) => a - b);
  }

  test.each([[[8, 8, 8, 8]], [[16, 0, 0, 0]], [[60, 0, 0, 0]], [[0, 30, 0, 2]]])(
    '%j of them: the i-th leaves within i turns of its app and one window, wherever it came',
    async (counts) => {
      const fleet = new Fleet(4);
      for (let g = 0; g < 4; g++) for (const app of ['calm', 'loud']) fleet.keepBusy(g, app, 60);
      await fleet.clock.advance(3_000);
      const waits = await urgentWaits(fleet, counts);
      const { spacingMs, horizonMs } = paceFor({ calls: 100, windowMs: 1_000 }, undefined, 10);
      const late = waits.filter((wait, i) => wait > (i + 1) * 2 * spacingMs + horizonMs);
      expect([waits.length, late]).toEqual([counts.reduce((a, b) => a + b), []]);
      await fleet.close();
    },
  );

  test('some at one gateway, again and again, leave turns to other calls of their app elsewhere, and to the other app its half', async () => {
    const fleet = new Fleet(4);
    for (let g = 0; g < 4; g++) for (const app of ['calm', 'loud']) fleet.keepBusy(g, app, 60);
    await fleet.clock.advance(3_000);
    const from = fleet.clock.now();
    let urgent = 0;
    const again = async () => {
      for (; await fleet.call(0, 'calm', { urgency: 0 }); urgent++) {
        await new Promise<void>((resolve) => fleet.clock.after(600, resolve));
      }
    };
    for (let i = 0; i < 20; i++) void again();
    await fleet.clock.advance(20_000);
    const ofOthers = [1, 2, 3].map(
      (g) => fleet.sent.filter(({ app, gateway, at }) => app === 'calm' && gateway === g && at >= from).length,
    );
    expect(urgent).toBeGreaterThan(200);
    expect(Math.min(...ofOthers)).toBeGreaterThan(100);
    expect(jain(['calm', 'loud'].map((app) => fleet.countOf(app, from)))).toBeGreaterThanOrEqual(0.99);
    await fleet.close();
  });

  test('while they come in crowds at one gateway, no call elsewhere is told that its turn is years away', async () => {
    const fleet = new Fleet(4);
    for (let g = 0; g < 4; g++) for (const app of ['calm', 'loud']) fleet.keepBusy(g, app, 60);
    await fleet.clock.advance(3_000);
    for (let i = 0; i < 300; i++) void fleet.call(0, 'calm', { urgency: 0 });
    for (let i = 0; i < 40; i++) {
      await fleet.clock.advance(100);
      void fleet.call(1 + (i % 3), 'calm', { waitMs: 30_000 });
    }
    await fleet.clock.advance(30_000);
    expect(fleet.refused).toEqual([]);
    await fleet.close();
  });
});

test('a gateway that has told of one call beside hundreds elsewhere takes in sixty more: their turns come soon enough', async () => {
  const fleet = new Fleet(4);
  for (const g of [0, 1, 2]) fleet.keepBusy(g, 'app', 200);
  await fleet.clock.advance(3_000);
  void fleet.call(3, 'app');
  await fleet.clock.advance(2);
  for (let i = 0; i < 60; i++) void fleet.call(3, 'app', { waitMs: 60_000 });
  await fleet.clock.advance(60_000);
  expect(fleet.refused).toEqual([]);
  expect(fleet.sent.filter(({ gateway }) => gateway === 3).length).toBe(61);
  await fleet.close();
});
