import { expect, test } from '@jest/globals';
import { Fleet } from './fleet.ts';
import { slidingLog } from './limit-judges.ts';
import type { Link } from './virtual-budget.ts';

test('a limit is halved while one of two gateways is dead: the other goes on with half of it, and does not stand still', async () => {
  const fleet = new Fleet(2, { limit: { calls: 100, windowMs: 1_000 } });
  for (const gateway of [0, 1]) fleet.keepBusy(gateway, 'app', 40);
  await fleet.clock.advance(3_000);
  (fleet.links[1] as Link).reach = 'hangs';
  void fleet.lanes[1]?.close();
  await fleet.clock.advance(5_000);
  fleet.lanes[0]?.retune({ limit: { calls: 50, windowMs: 1_000 }, burst: undefined, spreadMs: 10 });
  await fleet.clock.advance(2_000);
  const from = fleet.clock.now();
  await fleet.clock.advance(10_000);
  expect(fleet.instants(from).length).toBeGreaterThan(220);
  expect(fleet.instants(from).length).toBeLessThan(260);
  await fleet.close();
});

test('a limit is raised while one of two gateways is cut off: both together keep to it', async () => {
  const fleet = new Fleet(2, { limit: { calls: 20, windowMs: 1_000 } });
  for (const gateway of [0, 1]) fleet.keepBusy(gateway, 'app', 200);
  await fleet.clock.advance(3_000);
  (fleet.links[1] as Link).reach = 'refuses';
  await fleet.clock.advance(5_000);
  const limit = { calls: 200, windowMs: 1_000 };
  for (const lane of fleet.lanes) lane.retune({ limit, burst: undefined, spreadMs: 10 });
  await fleet.clock.advance(10_000);
  const judge = slidingLog(limit);
  expect(fleet.instants().filter((at) => !judge(at))).toEqual([]);
  await fleet.close();
});

test('a gateway without any part of its own is cut off for a while: nobody there is refused who can wait for the budget', async () => {
  const fleet = new Fleet(4, { limit: { calls: 2, windowMs: 1_000 } });
  for (let g = 0; g < 4; g++) void fleet.call(g);
  await fleet.clock.advance(6_000);
  for (const link of fleet.links) link.reach = 'refuses';
  for (let g = 0; g < 4; g++) fleet.crowd(g, 'before', 1);
  await fleet.clock.advance(100);
  for (let g = 0; g < 4; g++) void fleet.call(g, 'meanwhile', { waitMs: 30_000 });
  await fleet.clock.advance(10_000);
  for (const link of fleet.links) link.reach = 'answers';
  await fleet.clock.advance(15_000);
  expect(fleet.refused).toEqual([]);
  expect(fleet.countOf('meanwhile')).toBe(4);
  await fleet.close();
});
