import { parseArgs } from 'node:util';
import type { Part } from './lane-bars/bar.ts';
import { altered } from './record-bars/altered.ts';
import { askingPostgres, askingSqlite } from './record-bars/asking.ts';
import { cost } from './record-bars/cost.ts';
import { faultsPostgres, faultsSqlite } from './record-bars/faults.ts';
import { killPostgres, killSqlite } from './record-bars/kill.ts';

const PARTS: readonly Part[] = [
  killSqlite,
  killPostgres,
  altered,
  cost,
  askingSqlite,
  askingPostgres,
  faultsSqlite,
  faultsPostgres,
];
const USAGE = `npm run bench:record [-- --only NAME] [--long]
The record against its bars. Exit code 1: a bar was missed. --long: ten times as much of what takes long.

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
  console.error(`bench: ${Error.isError(error) ? (error.stack ?? error.message) : String(error)}`);
  process.exitCode = 1;
}
