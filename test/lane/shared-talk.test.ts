import { expect, test } from '@jest/globals';
import type { BudgetAnswer } from '../../src/lane/budget-act.ts';
import type { BudgetStore } from '../../src/lane/budget-store.ts';
import { FairLane } from '../../src/lane/fair-lane.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { Fleet } from './fleet.ts';
import { slidingLog } from './limit-judges.ts';
import { SETTINGS, stays } from './stage.ts';
import { type Link, VirtualBudget } from './virtual-budget.ts';

const LIMIT = { calls: 100, windowMs: 1_000 };

test.each([150, 1_500])(
  'a gateway that was idle for so long that nobody holds back its part wakes up without Redis for %d ms: it tries first, and sends nothing of its own',
  async (awayMs) => {
    const fleet = new Fleet(2, { limit: LIMIT });
    void fleet.call(1);
    await fleet.clock.advance(700_000);
    fleet.keepBusy(0, 'app', 50);
    await fleet.clock.advance(5_000);
    const link = fleet.links[1] as Link;
    link.reach = 'refuses';
    fleet.keepBusy(1, 'app', 50);
    await fleet.clock.advance(awayMs);
    link.reach = 'answers';
    await fleet.clock.advance(3_000);
    expect(fleet.lanes[1]?.stats().mode).toBe('shared');
    const judge = slidingLog(LIMIT);
    expect(fleet.instants().filter((at) => !judge(at))).toEqual([]);
    expect(fleet.refused).toEqual([]);
    await fleet.close();
  },
);

test('a gateway that was idle, and Redis stays away: its calls go after three seconds', async () => {
  const fleet = new Fleet(2, { limit: LIMIT });
  for (const gateway of [0, 1]) void fleet.call(gateway);
  await fleet.clock.advance(700_000);
  for (const link of fleet.links) link.reach = 'refuses';
  const before = fleet.sent.length;
  fleet.crowd(1, 'app', 10);
  await fleet.clock.advance(3_000);
  expect(fleet.sent).toHaveLength(before);
  await fleet.clock.advance(1_000);
  expect(fleet.sent).toHaveLength(before + 10);
  await fleet.close();
});

test('hundreds of lanes that come at once overtax Redis: it is over when they have been served, and not kept up by their asking again', async () => {
  const [clock, costMs, lanesMade] = [new VirtualClock(), 2, 400];
  let freeAt = 0;
  /** Does one ask after the other, those too that nobody waits for any more. */
  const overtaxed = (work: () => Promise<BudgetAnswer>): Promise<BudgetAnswer> =>
    new Promise((resolve, reject) => {
      freeAt = Math.max(freeAt, clock.now()) + costMs;
      clock.after(freeAt - clock.now(), () => work().then(resolve, reject));
      clock.after(500, () => reject(new Error('no answer in time')));
    });
  const lanes = Array.from({ length: lanesMade }, (_, i) => {
    const store = new VirtualBudget(clock).storeFor({ oneWayMs: 0, reach: 'answers' });
    const ask: BudgetStore['ask'] = (asked) =>
      asked.stays === 'leave' ? store.ask(asked) : overtaxed(() => store.ask(asked));
    const by = { store: { ...store, ask }, gatewayId: 'gateway-1', gatewaysExpected: 4 };
    return new FairLane({ ...SETTINGS, budgetId: `budget-${i}` }, clock, by);
  });
  let sent = 0;
  const call = (lane: FairLane): void => {
    const place = lane.join({ appId: 'app', weight: 1, urgency: 3, deadlineAt: 90_000, heldBytes: 1 });
    void place.turn(stays).then(() => sent++);
  };
  for (const lane of lanes) call(lane);
  await clock.advance(20_000);
  expect(sent).toBe(lanesMade);
  for (const lane of lanes) {
    call(lane);
    await clock.advance(5);
  }
  await clock.advance(2_000);
  expect(sent).toBe(2 * lanesMade);
  expect(lanes.filter((lane) => lane.stats().mode === 'shared')).toHaveLength(lanesMade);
  for (const lane of lanes) await lane.close();
});
