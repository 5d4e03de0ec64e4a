import { FairLane } from '../../src/lane/fair-lane.ts';
import { laneContract } from '../contracts/lane-contract.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { VirtualBudget } from './virtual-budget.ts';

const clock = new VirtualClock();
laneContract(
  'fair, shared',
  {
    clock,
    make(settings) {
      const store = new VirtualBudget(clock).storeFor({ oneWayMs: 0.2, reach: 'answers' });
      return new FairLane(settings, clock, { store, gatewayId: 'gateway-1', gatewaysExpected: 4 });
    },
    pass: (ms) => clock.advance(ms),
  },
  { shares: true, sparesSlots: true },
);
