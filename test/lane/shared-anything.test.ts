import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Fleet } from './fleet.ts';
import { slidingLog } from './limit-judges.ts';
import type { Link } from './virtual-budget.ts';

const GATEWAYS = 3;
const limits = fc.constantFrom(
  { calls: 4, windowMs: 1_000 },
  { calls: 10, windowMs: 1_000 },
  { calls: 60, windowMs: 10_000 },
  { calls: 100, windowMs: 1_000 },
);
const steps = fc.array(
  fc.record({
    afterMs: fc.constantFrom(0, 3, 40, 300, 700, 2_500, 4_000),
    gateway: fc.integer({ min: 0, max: GATEWAYS - 1 }),
    what: fc.constantFrom(
      'refuses',
      'hangs',
      'answers',
      'answers',
      'all away',
      'all back',
      'flush',
      'pause',
      'restart',
      'step',
    ),
  }),
  { maxLength: 14, size: 'max' },
);

describe('whatever happens to Redis, its clock and the gateways', () => {
  test('never more than the limit is sent, and in the end everybody sends again', async () => {
    await fc.assert(
      fc.asyncProperty(limits, steps, async (limit, happens) => {
        const fleet = new Fleet(GATEWAYS, { limit, pauseMsMax: 5_000 });
        for (let g = 0; g < GATEWAYS; g++) fleet.keepBusy(g, 'app', 6);
        await fleet.clock.advance(2_000);
        let forgottenAt = 0;
        for (const { afterMs, gateway, what } of happens) {
          await fleet.clock.advance(afterMs);
          // Redis, its clock and a gateway that lose their memory together: nobody is left who could know what was sent.
          if (what === 'flush' || what === 'restart' || what === 'step') {
            const knows = fleet.lanes.every((lane) => lane.stats().mode === 'shared');
            if (!knows || fleet.clock.now() - forgottenAt < limit.windowMs + 4_000) continue;
            forgottenAt = fleet.clock.now();
          }
          const link = fleet.links[gateway] as Link;
          if (what === 'refuses' || what === 'hangs' || what === 'answers') link.reach = what;
          else if (what === 'all away') for (const each of fleet.links) each.reach = 'hangs';
          else if (what === 'all back') for (const each of fleet.links) each.reach = 'answers';
          else if (what === 'flush') fleet.budget.flush();
          else if (what === 'pause') fleet.lanes[gateway]?.pause(3_000);
          else if (what === 'step') fleet.budget.skewMs += afterMs === 0 ? -60_000 : 60_000;
          else {
            await fleet.lanes[gateway]?.close();
            fleet.lanes[gateway] = fleet.makeLane(gateway);
            fleet.keepBusy(gateway, 'app', 6);
          }
        }
        for (const each of fleet.links) each.reach = 'answers';
        await fleet.clock.advance(12_000 + 2 * limit.windowMs);
        const judge = slidingLog(limit);
        expect(fleet.instants().filter((at) => !judge(at))).toEqual([]);
        const from = fleet.clock.now();
        await fleet.clock.advance(2 * limit.windowMs);
        expect(fleet.instants(from).length).toBeGreaterThanOrEqual(limit.calls);
        expect(fleet.lanes.map((lane) => lane.stats().mode)).toEqual(['shared', 'shared', 'shared']);
        await fleet.close();
      }),
      { numRuns: 60 },
    );
  }, 120_000);
});
