import { clocks } from './lane-bars/clocks.ts';
import { crowdBottleneck, crowdFair } from './lane-bars/crowd.ts';
import { faults } from './lane-bars/faults.ts';
import { idleWait, sharedIdle } from './lane-bars/idle-wait.ts';
import { learning } from './lane-bars/learning.ts';
import { learningFleet } from './lane-bars/learning-fleet.ts';
import { memory } from './lane-bars/memory.ts';
import { sharedBudgets } from './lane-bars/shared-budget.ts';
import { sharedShares } from './lane-bars/shared-shares.ts';
import { shares } from './lane-bars/shares.ts';
import { sideBySide } from './lane-bars/side-by-side.ts';
import { urgentCalls } from './lane-bars/urgent.ts';
import { wholeGateways } from './lane-bars/whole-gateways.ts';
import { runParts } from './run-parts.ts';

await runParts({
  script: 'bench:lane',
  about: 'The line to Mason against its bars, judged by the simulator.',
  extent: { word: 'long', means: 'every combination, and each for longer.' },
  parts: [
    crowdFair,
    crowdBottleneck,
    shares,
    idleWait,
    learning,
    learningFleet,
    sharedShares,
    sharedIdle,
    ...sharedBudgets,
    wholeGateways,
    urgentCalls,
    faults,
    clocks,
    memory,
    sideBySide,
  ],
});
