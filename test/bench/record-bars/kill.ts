import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GatewayProcess } from '../contestants/gateway.ts';
import { judge, type Part, tell } from '../lane-bars/bar.ts';
import { APP, type Installed, installOn, type StoreName } from './installed.ts';
import { judgeChains, lacking, readOnRecord, SeenChanges } from './judge-record.ts';
import { type EndedCall, RecordLoad, someDevice } from './record-load.ts';

const KILLS = 10;
const LONG_KILLS = 100;
const IDS = ['gateway-1', 'gateway-2'] as const;
const CHANGING = 4;
const READING = 4;
const LIFE_MS_MIN = 50;
const LIFE_MS_MAX = 2_500;
/** A read's outcome is durable 200 ms after its answer; five times that, for a busy machine. */
const DURABLE_MS = 1_000;

export const killSqlite: Part = killed('sqlite');
export const killPostgres: Part = killed('postgres');

function killed(store: StoreName): Part {
  return {
    name: `kill-${store}`,
    about: `kill -9 at random moments, two gateways under changes and reads, record on ${store}`,
    run: ({ long }) => runKills(store, long ? LONG_KILLS : KILLS),
  };
}

async function runKills(store: StoreName, kills: number): Promise<boolean> {
  await using installed = await installOn(store, IDS);
  const token = installed.installation.tokens.get(APP) as string;
  const places = new Map<string, GatewayProcess>();
  for (const id of IDS) places.set(id, await installed.start(id));
  const device = await someDevice(places.get(IDS[0]) as GatewayProcess, token);
  const seen = new SeenChanges(installed);
  const killedAt = new Map<number, number>();
  let ended: readonly EndedCall[];
  {
    await using load = new RecordLoad(token, device);
    ({ ended } = load);
    for (const id of IDS) {
      load.keepCalling(() => places.get(id), true, CHANGING);
      load.keepCalling(() => places.get(id), false, READING);
    }
    for (let n = 0; n < kills; n += 1) {
      await sleep(LIFE_MS_MIN + Math.random() * (LIFE_MS_MAX - LIFE_MS_MIN));
      await killAndRestart(installed, places, IDS[n % IDS.length] as string, killedAt);
      await seen.look();
    }
  }
  for (const gateway of places.values()) await gateway[Symbol.asyncDispose]();
  installed.gatherLogs();
  await seen.look();
  return await judgeAll(installed, seen, ended, killedAt);
}

async function killAndRestart(
  installed: Installed,
  places: Map<string, GatewayProcess>,
  id: string,
  killedAt: Map<number, number>,
): Promise<void> {
  const gateway = places.get(id) as GatewayProcess;
  const gone = once(gateway.process, 'close');
  killedAt.set(gateway.pid, performance.now());
  gateway.process.kill('SIGKILL');
  await gone;
  places.delete(id);
  await gateway[Symbol.asyncDispose]();
  installed.gatherLogs();
  places.set(id, await installed.start(id));
}

async function judgeAll(
  installed: Installed,
  seen: SeenChanges,
  ended: readonly EndedCall[],
  killedAt: ReadonlyMap<number, number>,
): Promise<boolean> {
  const onRecord = await readOnRecord(installed);
  const unannounced = lacking(seen.ids, onRecord.intended);
  const done = ended.filter(({ isChange, status }) => isChange && status === 200);
  const forgotten = lacking(
    done.map(({ id }) => id),
    onRecord.intended,
  );
  const settled = ended.filter(
    ({ status, at, pid }) => status === 200 && at < (killedAt.get(pid) ?? Number.POSITIVE_INFINITY) - DURABLE_MS,
  );
  const lost = lacking(
    settled.map(({ requestId }) => requestId),
    onRecord.ended,
  );
  const odd = ended.filter(({ status }) => status !== 200 && status !== 0);
  tell(`${killedAt.size} kills; ${ended.length} calls, ${odd.length} refused ${odd[0]?.message ?? ''}`);
  const results = [
    judge(
      seen.ids.size > 0 && unannounced.length === 0,
      `${unannounced.length} of ${seen.ids.size} changes that Mason saw without an intent on record; the bar is 0`,
    ),
    judge(
      done.length > 0 && forgotten.length === 0,
      `${forgotten.length} of ${done.length} answered changes not on record; the bar is 0`,
    ),
    judge(
      settled.length > 0 && lost.length === 0,
      `${lost.length} of ${settled.length} calls answered ${DURABLE_MS} ms before the kill without an outcome; the bar is 0`,
    ),
    await judgeChains(installed),
  ];
  return results.every(Boolean);
}
