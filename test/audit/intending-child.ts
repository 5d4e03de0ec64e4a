import { openRecord } from '../../src/audit/open-record.ts';
import { systemClock } from '../../src/domain/clock.ts';
import { sampleIntent, sampleOutcome } from './sample-events.ts';

/**
 * A gateway as far as the record goes, for tests that kill it or starve it: `node intending-child.ts <directory>
 * <events a segment>`. Intends without end in eight lanes; prints `+id` when an intent is durable, `-code` when it was refused.
 */
const [, , directory = '', segmentEventsMax = '100'] = process.argv;
const record = await openRecord({
  directory,
  gatewayId: 'gw-child',
  clock: systemClock,
  intentMsMax: 5_000,
  lagEventsMax: 40,
  lagBytesMax: 1_000_000,
  segmentEventsMax: Number(segmentEventsMax),
});

async function intendWithoutEnd(lane: number): Promise<void> {
  for (let n = 0; ; n += 1) {
    const requestId = `${process.pid}-${lane}-${n}`;
    record.append(sampleOutcome({ requestId: `read ${requestId}`, at: Date.now() }));
    await record.intend(sampleIntent({ requestId, at: Date.now() })).then(
      () => process.stdout.write(`+${requestId}\n`),
      (error) => process.stdout.write(`-${String(error.code)}\n`),
    );
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

await Promise.all(Array.from({ length: 8 }, (_, lane) => intendWithoutEnd(lane)));
