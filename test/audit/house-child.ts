import { openHouse } from './run-house.ts';
import { sampleAct, sampleIntent, sampleOutcome } from './sample-events.ts';

/**
 * A gateway that is killed in the middle of changes: `node house-child.ts <directory> [<database>]`. When it prints a line, on
 * record are two calls that ended, two that did not, and an act that did not.
 */
const at = 1_700_000_000_000;
const [, , directory = '', databaseUrl] = process.argv;
const { record } = await openHouse({ directory, ...(databaseUrl === undefined ? {} : { databaseUrl }) });
for (const requestId of ['ended-1', 'ended-2', 'open-1', 'open-2']) {
  await record.intend(sampleIntent({ requestId, at }));
  if (requestId.startsWith('ended')) {
    record.append(sampleOutcome({ requestId, at, operation: 'device.reboot', method: 'POST', effect: 'disruptive' }));
  }
}
await record.intend(sampleAct({ requestId: 'act-1', at, result: 'intended' }));
process.stdout.write('so far\n');
setInterval(() => undefined, 60_000);
