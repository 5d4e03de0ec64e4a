import { describe, expect, test } from '@jest/globals';
import { Fleet } from './fleet.ts';
import { slidingLog } from './limit-judges.ts';
import type { Link, Reach } from './virtual-budget.ts';

const LIMIT = { calls: 100, windowMs: 1_000 };

/** More calls in some window than the limit allows. */
function excess(fleet: Fleet, limit = LIMIT): number {
  const judge = slidingLog(limit);
  return fleet.instants().filter((at) => !judge(at)).length;
}

function setReach(fleet: Fleet, gateways: readonly number[], reach: Reach): void {
  for (const gateway of gateways) (fleet.links[gateway] as Link).reach = reach;
}

function modes(fleet: Fleet): string[] {
  return fleet.lanes.map((lane) => lane.stats().mode);
}

/** Calls a second that one gateway sent in the last `ms`. */
function rateOf(fleet: Fleet, gateway: number, ms: number): number {
  const from = fleet.clock.now() - ms;
  return fleet.sent.filter((one) => one.gateway === gateway && one.at >= from).length / (ms / 1_000);
}

describe.each<Reach>(['refuses', 'hangs'])('Redis that %s', (reach) => {
  test('gone for all: they fall silent, go on alone with a part each, and are back within two seconds', async () => {
    const fleet = new Fleet(4, { limit: LIMIT });
    for (let g = 0; g < 4; g++) fleet.keepBusy(g, 'app', 50);
    await fleet.clock.advance(3_000);
    expect(modes(fleet)).toEqual(['shared', 'shared', 'shared', 'shared']);
    setReach(fleet, [0, 1, 2, 3], reach);
    await fleet.clock.advance(2_000);
    expect(modes(fleet)).toEqual(['silent', 'silent', 'silent', 'silent']);
    await fleet.clock.advance(4_000);
    expect(modes(fleet)).toEqual(['alone', 'alone', 'alone', 'alone']);
    const from = fleet.clock.now();
    await fleet.clock.advance(4_000);
    expect(fleet.instants(from).length / 4).toBeGreaterThan(85);
    setReach(fleet, [0, 1, 2, 3], 'answers');
    await fleet.clock.advance(2_000);
    expect(modes(fleet)).toEqual(['shared', 'shared', 'shared', 'shared']);
    const back = fleet.clock.now();
    await fleet.clock.advance(3_000);
    expect(fleet.instants(back).length / 3).toBeGreaterThan(95);
    expect(excess(fleet)).toBe(0);
    expect(fleet.refused).toEqual([]);
    await fleet.close();
  });

  test('gone for one: the others slow down by its part until it is back', async () => {
    const fleet = new Fleet(4, { limit: LIMIT });
    for (let g = 0; g < 4; g++) fleet.keepBusy(g, 'app', 50);
    await fleet.clock.advance(3_000);
    setReach(fleet, [2], reach);
    await fleet.clock.advance(8_000);
    expect(modes(fleet)).toEqual(['shared', 'shared', 'alone', 'shared']);
    expect(rateOf(fleet, 2, 3_000)).toBeGreaterThan(20);
    expect([0, 1, 3].reduce((sum, g) => sum + rateOf(fleet, g, 3_000), 0)).toBeGreaterThan(70);
    setReach(fleet, [2], 'answers');
    await fleet.clock.advance(5_000);
    expect(modes(fleet)).toEqual(['shared', 'shared', 'shared', 'shared']);
    const back = fleet.clock.now();
    await fleet.clock.advance(3_000);
    expect(fleet.instants(back).length / 3).toBeGreaterThan(95);
    expect(excess(fleet)).toBe(0);
    expect(fleet.refused).toEqual([]);
    await fleet.close();
  });

  test('absent at the start: calls wait, then go with a careful part, and in common when it comes', async () => {
    const fleet = new Fleet(4, { limit: LIMIT });
    setReach(fleet, [0, 1, 2, 3], reach);
    for (let g = 0; g < 4; g++) fleet.keepBusy(g, 'app', 50);
    await fleet.clock.advance(6_000);
    expect(modes(fleet)).toEqual(['alone', 'alone', 'alone', 'alone']);
    setReach(fleet, [0, 1, 2, 3], 'answers');
    await fleet.clock.advance(2_000);
    expect(modes(fleet)).toEqual(['shared', 'shared', 'shared', 'shared']);
    await fleet.clock.advance(3_000);
    expect(excess(fleet)).toBe(0);
    expect(fleet.refused).toEqual([]);
    await fleet.close();
  });
});

describe('what was in Redis is lost', () => {
  test.each([LIMIT, { calls: 10, windowMs: 1_000 }, { calls: 60, windowMs: 60_000 }])(
    'under load on %j: nobody sends too much, and nobody stands still for long',
    async (limit) => {
      const fleet = new Fleet(4, { limit });
      for (let g = 0; g < 4; g++) fleet.keepBusy(g, 'app', 50);
      await fleet.clock.advance(3 * limit.windowMs);
      fleet.budget.flush();
      await fleet.clock.advance(3 * limit.windowMs);
      expect(excess(fleet, limit)).toBe(0);
      const from = fleet.clock.now();
      await fleet.clock.advance(5 * limit.windowMs);
      expect(fleet.instants(from).length).toBeGreaterThan(4 * limit.calls);
      expect(excess(fleet, limit)).toBe(0);
      expect(fleet.refused).toEqual([]);
      await fleet.close();
    },
  );

  test('a pause outlives the key', async () => {
    const fleet = new Fleet(2, { limit: LIMIT });
    for (let g = 0; g < 2; g++) fleet.keepBusy(g, 'app', 20);
    await fleet.clock.advance(1_000);
    fleet.lanes[0]?.pause(10_000);
    await fleet.clock.advance(1_000);
    const sent = fleet.sent.length;
    fleet.budget.flush();
    await fleet.clock.advance(8_000);
    expect(fleet.sent.length).toBe(sent);
    await fleet.clock.advance(4_000);
    expect(fleet.sent.length).toBeGreaterThan(sent + 50);
    await fleet.close();
  });
});

describe('clocks', () => {
  test.each([-3_600_000, 3_600_000, -900, 700])(
    'Redis steps its clock by %i ms: nobody stands still, nobody sends too much',
    async (stepMs) => {
      const fleet = new Fleet(4, { limit: LIMIT });
      for (let g = 0; g < 4; g++) fleet.keepBusy(g, 'app', 50);
      await fleet.clock.advance(3_000);
      fleet.budget.skewMs += stepMs;
      const from = fleet.clock.now();
      await fleet.clock.advance(3_000);
      expect(fleet.instants(from).length).toBeGreaterThan(270);
      expect(excess(fleet)).toBe(0);
      expect(modes(fleet)).toEqual(['shared', 'shared', 'shared', 'shared']);
      await fleet.close();
    },
  );
});

describe('a refusal of Mason', () => {
  test('every gateway hears of it within one round trip, and sends nothing that it holds already', async () => {
    const fleet = new Fleet(4, { limit: LIMIT }, 5);
    for (let g = 0; g < 4; g++) fleet.keepBusy(g, 'app', 50);
    await fleet.clock.advance(3_000);
    const from = fleet.clock.now();
    fleet.lanes[1]?.pause(4_000);
    await fleet.clock.advance(3_900);
    expect(fleet.sent.filter(({ gateway, at }) => at > from + (gateway === 1 ? 0 : 10))).toEqual([]);
    await fleet.clock.advance(2_000);
    expect(fleet.instants(from + 4_000).length).toBeGreaterThan(150);
    expect(excess(fleet)).toBe(0);
    await fleet.close();
  });

  test('a hundred refusals at once are told in a few asks, and the longest pause holds', async () => {
    const fleet = new Fleet(2, { limit: LIMIT }, 5);
    for (let g = 0; g < 2; g++) fleet.keepBusy(g, 'app', 50);
    await fleet.clock.advance(3_000);
    const asks = fleet.budget.asks;
    for (let i = 0; i < 100; i++) fleet.lanes[0]?.pause(2_000 + i);
    await fleet.clock.advance(100);
    expect(fleet.budget.asks - asks).toBeLessThan(10);
    expect((fleet.lanes[1]?.stats().pausedUntil ?? 0) - fleet.clock.now()).toBeGreaterThan(1_990);
    await fleet.close();
  });

  test('in the middle of a loss of Redis it is told as soon as Redis is back', async () => {
    const fleet = new Fleet(2, { limit: LIMIT });
    for (let g = 0; g < 2; g++) fleet.keepBusy(g, 'app', 50);
    await fleet.clock.advance(3_000);
    setReach(fleet, [0], 'refuses');
    await fleet.clock.advance(500);
    fleet.lanes[0]?.pause(6_000);
    setReach(fleet, [0], 'answers');
    await fleet.clock.advance(600);
    const from = fleet.clock.now();
    await fleet.clock.advance(4_500);
    expect(fleet.instants(from)).toEqual([]);
    await fleet.close();
  });
});

describe('gateways that come and go', () => {
  test('one that is killed costs its part for a minute, no more', async () => {
    const fleet = new Fleet(4, { limit: LIMIT });
    for (let g = 0; g < 4; g++) fleet.keepBusy(g, 'app', 50);
    await fleet.clock.advance(3_000);
    setReach(fleet, [3], 'hangs');
    void fleet.lanes[3]?.close();
    const from = fleet.clock.now() + 4_000;
    await fleet.clock.advance(14_000);
    const rate = fleet.countOf('app', from) / 10;
    expect(rate).toBeGreaterThan(70);
    expect(rate).toBeLessThan(76);
    await fleet.clock.advance(55_000);
    const late = fleet.clock.now();
    await fleet.clock.advance(3_000);
    expect(fleet.instants(late).length / 3).toBeGreaterThan(95);
    await fleet.close();
  });

  test('one that leaves costs nothing', async () => {
    const fleet = new Fleet(4, { limit: LIMIT });
    for (let g = 0; g < 4; g++) fleet.keepBusy(g, 'app', 50);
    await fleet.clock.advance(3_000);
    await fleet.lanes[3]?.close();
    const from = fleet.clock.now();
    await fleet.clock.advance(5_000);
    expect(fleet.instants(from).length / 5).toBeGreaterThan(94);
    await fleet.close();
  });

  test('parts of all gateways together are never more than the limit, while more and more come', async () => {
    const fleet = new Fleet(7, { limit: { calls: 10, windowMs: 1_000 } });
    for (let g = 0; g < 7; g++) {
      fleet.keepBusy(g, 'app', 3);
      await fleet.clock.advance(100);
      expect(fleet.budget.state?.members.reduce((sum, { calls }) => sum + calls, 0)).toBeLessThanOrEqual(10);
    }
    await fleet.clock.advance(2_000);
    expect(fleet.budget.state?.members.map(({ calls }) => calls).filter((calls) => calls > 0).length).toBeGreaterThan(
      4,
    );
    await fleet.close();
  });

  test('an idle lane gives up its lease, stays known, and asks next to nothing', async () => {
    const fleet = new Fleet(2);
    for (const g of [0, 1]) void fleet.call(g);
    await fleet.clock.advance(700_000);
    const asks = fleet.budget.asks;
    await fleet.clock.advance(3_600_000);
    expect(fleet.budget.asks - asks).toBeLessThan(10);
    expect(fleet.lanes[0]?.stats().gateways).toBe(2);
    void fleet.call(0);
    await fleet.clock.advance(1);
    expect(fleet.sent).toHaveLength(3);
    await fleet.close();
  });
});
