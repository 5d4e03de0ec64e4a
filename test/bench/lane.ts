import { parseArgs } from 'node:util';
import type { Part } from './lane-bars/bar.ts';
import { crowdBottleneck, crowdFair } from './lane-bars/crowd.ts';
import { idleWait, sharedIdle, turns } from './lane-bars/engines.ts';
import { learning } from './lane-bars/learning.ts';
import { sharedBudgets } from './lane-bars/shared-budget.ts';
import { sharedShares } from './lane-bars/shared-shares.ts';
import { shares } from './lane-bars/shares.ts';

const PARTS: readonly Part[] = [
  crowdFair,
  crowdBottleneck,
  shares,
  idleWait,
  turns,
  learning,
  sharedShares,
  sharedIdle,
  ...sharedBudgets,
];
const USAGE = `npm run bench:lane [-- --only NAME]
The line to Mason against its bars, judged by the simulator. Exit code 1: a bar was missed.

${PARTS.map(({ name, about }) => `  ${name.padEnd(18)}${about}`).join('\n')}`;

/** @returns the exit code */
async function bench(): Promise<number> {
  const { values } = parseArgs({ options: { only: { type: 'string' }, help: { type: 'boolean' } } });
  const wanted = PARTS.filter(({ name }) => values.only === undefined || name === values.only);
  if (values.help || wanted.length === 0) {
    console.log(USAGE);
    return values.help ? 0 : 1;
  }
  let met = true;
  for (const part of wanted) {
    console.log(`${part.name}: ${part.about}`);
    met = (await part.run()) && met;
  }
  return met ? 0 : 1;
}

try {
  process.exitCode = await bench();
} catch (error) {
  console.error(`bench: ${Error.isError(error) ? error.message : String(error)}`);
  process.exitCode = 1;
}
