import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { systemClock } from '../../src/domain/clock.ts';
import { BottleneckLane } from '../../src/lane/bottleneck-lane.ts';
import { laneContract } from '../contracts/lane-contract.ts';

laneContract(
  'bottleneck',
  {
    clock: systemClock,
    make: (settings) => new BottleneckLane(settings, systemClock),
    // The library's own timers take several turns of the event loop for each job.
    pass: async (ms) => void (await sleep(ms === 0 ? 5 : ms)),
  },
  { shares: false, sparesSlots: false },
);

test('a paused lane of engine bottleneck closes now, not when the pause is over', async () => {
  const lane = new BottleneckLane(
    {
      budgetId: 'budget-1',
      limit: { calls: 100, windowMs: 1_000 },
      burst: undefined,
      spreadMs: undefined,
      waitingCallsMax: 10,
      waitingBytesMax: 10,
      pauseMsMax: 60_000,
    },
    systemClock,
  );
  lane.pause(60_000);
  const deadlineAt = systemClock.now() + 120_000;
  const turn = lane
    .join({ appId: 'app', weight: 1, urgency: 3, deadlineAt, heldBytes: 1 })
    .turn(new AbortController().signal);
  await sleep(100);
  await Promise.all([expect(turn).rejects.toMatchObject({ code: 'shutting_down' }), lane.close()]);
});
