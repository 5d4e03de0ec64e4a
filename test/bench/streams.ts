import { parseArgs } from 'node:util';
import type { Part } from './lane-bars/bar.ts';
import { idleConnections } from './stream-bars/idle-connections.ts';
import { slowClients } from './stream-bars/slow-clients.ts';
import { staleSockets } from './stream-bars/stale-sockets.ts';
import { transfers } from './stream-bars/transfers.ts';
import { xrayFullSpeed, xraySessions } from './stream-bars/xray.ts';

const PARTS: readonly Part[] = [xraySessions, xrayFullSpeed, transfers, staleSockets, slowClients, idleConnections];
const USAGE = `npm run bench:streams [-- --only NAME] [--quick]
What is not held in memory, against its bars. Exit code 1: a bar was missed. --quick: shorter, where a part can be.

${PARTS.map(({ name, about }) => `  ${name.padEnd(18)}${about}`).join('\n')}`;

/** @returns the exit code */
async function bench(): Promise<number> {
  const { values } = parseArgs({
    options: { only: { type: 'string' }, quick: { type: 'boolean' }, help: { type: 'boolean' } },
  });
  const wanted = PARTS.filter(({ name }) => values.only === undefined || name === values.only);
  if (values.help || wanted.length === 0) {
    console.log(USAGE);
    return values.help ? 0 : 1;
  }
  let met = true;
  for (const part of wanted) {
    console.log(`${part.name}: ${part.about}`);
    met = (await part.run({ long: values.quick !== true })) && met;
  }
  return met ? 0 : 1;
}

try {
  process.exitCode = await bench();
} catch (error) {
  console.error(`bench: ${Error.isError(error) ? error.message : String(error)}`);
  process.exitCode = 1;
}
