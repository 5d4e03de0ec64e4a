import { parseArgs } from 'node:util';
import type { Part } from './lane-bars/bar.ts';
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

const PARTS: readonly Part[] = [
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
];
const USAGE = `npm run bench:lane [-- --only NAME] [--long]
The line to Mason against its bars, judged by the simulator. Exit code 1: a bar was missed.
--long: every combination, and each for longer.

${PARTS.map(({ name, about }) => `  ${name.padEnd(18)}${about}`).join('\n')}`;

/** @returns the exit code */
async function bench(): Promise<number> {
  const { values } = parseArgs({
    options: { only: { type: 'string' }, help: { type: 'boolean' }, long: { type: 'boolean' } },
  });
  const wanted = PARTS.filter(({ name }) => values.only === undefined || name === values.only);
  if (values.help || wanted.length === 0) {
    console.log(USAGE);
    return values.help ? 0 : 1;
  }
  const missed: string[] = [];
  for (const part of wanted) {
    console.log(`${part.name}: ${part.about}`);
    const from = performance.now();
    if (!(await part.run({ long: values.long ?? false }))) missed.push(part.name);
    console.log(`  ${((performance.now() - from) / 1_000).toFixed(0)} s`);
  }
  if (missed.length > 0) console.log(`missed: ${missed.join(', ')}`);
  return missed.length > 0 ? 1 : 0;
}

try {
  process.exitCode = await bench();
} catch (error) {
  console.error(`bench: ${Error.isError(error) ? error.message : String(error)}`);
  process.exitCode = 1;
}
