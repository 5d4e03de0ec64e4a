import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type OpenedRecord, openRecord } from '../../../src/audit/open-record.ts';
import { systemClock } from '../../../src/domain/clock.ts';
import { settingsOf } from '../../store/postgres-pairs.ts';
import { PostgresServer } from '../../support/postgres-server.ts';
import { judge } from '../lane-bars/bar.ts';
import { scratchDirectory } from '../machine/scratch.ts';
import { writtenEvent } from './written-events.ts';

const INTENTS = 1_000;
const P50_MS_MAX = 3;
/** Of reads beside them: flushes are under way all the time. */
const READS_PER_TICK = 20;
const TICK_MS = 10;

/** How long a change waits until it may be sent, while reads are written too; each flush reaches the disk. */
export async function judgeIntents(): Promise<boolean> {
  const common = { gatewayId: 'bench', clock: systemClock, intentMsMax: 10_000, lagEventsMax: 1e5, lagBytesMax: 1e9 };
  const onProblem = console.log;
  const directory = join(scratchDirectory(), 'audit');
  const onFiles = await openRecord({ ...common, directory, onProblem });
  const isMet = await judgeWaits('sqlite', onFiles);
  await using server = await PostgresServer.start({ isDurable: true });
  const database = settingsOf(await server.freshDatabase());
  const onServer = await openRecord({ ...common, directory: '/nowhere', database, onProblem });
  return (await judgeWaits('postgres', onServer)) && isMet;
}

async function judgeWaits(store: string, record: OpenedRecord): Promise<boolean> {
  const waits: number[] = [];
  let isOver = false;
  const reads = async (): Promise<void> => {
    while (!isOver) {
      for (let n = 0; n < READS_PER_TICK; n += 1) record.append(writtenEvent(n, Date.now()));
      await sleep(TICK_MS);
    }
  };
  const reading = reads();
  for (let n = 0; n < INTENTS; n += 1) {
    const from = performance.now();
    await record.intend({ ...writtenEvent(n, Date.now()), kind: 'intent' });
    waits.push(performance.now() - from);
    await sleep(1);
  }
  isOver = true;
  await reading;
  await record.close();
  waits.sort((a, b) => a - b);
  const [p50 = Number.NaN, p99 = Number.NaN] = [waits[INTENTS / 2], waits[Math.floor(INTENTS * 0.99)]];
  return judge(
    p50 <= P50_MS_MAX,
    `${store}: a change waits ${p50.toFixed(2)} ms (p50), ${p99.toFixed(2)} ms (p99) for its intent; the bar is ${P50_MS_MAX} ms (p50)`,
  );
}
