import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GatewayProcess } from '../contestants/gateway.ts';
import { judge, type Part, tell } from '../lane-bars/bar.ts';
import { waitUntil } from '../machine/wait-until.ts';
import { failFsyncs } from './fail-fsyncs.ts';
import { APP, type Installed, installOn, type StoreName } from './installed.ts';
import { judgeChains, lacking, readOnRecord, SeenChanges } from './judge-record.ts';
import { type EndedCall, RecordLoad, someDevice } from './record-load.ts';
import { fillDisk, smallDisk } from './small-disk.ts';

const ID = 'gateway-1';
/** A change waits at most 2 s for its intent. */
const BROKEN_MS = 8_000;
/** The first changes after the beginning of a fault may still be answered, or wait. */
const NOTICED_MS = 3_000;
const RECOVERED_MS_MAX = 30_000;
const CHANGING = 3;
const READING = 3;
const ROUNDS = 1;
const LONG_ROUNDS = 5;

/** Something that goes wrong under a gateway. */
interface Fault {
  readonly name: string;
  /** Whether changes are refused as long as it lasts; else they may go through in between. */
  readonly stops: boolean;
  /** Before the gateway starts. */
  prepare?(installed: Installed): Disposable | undefined;
  /** @returns what ends it; undefined where it cannot be had here */
  begin(installed: Installed, gateway: GatewayProcess): Promise<(() => Promise<void>) | undefined>;
}

const diskFull: Fault = {
  name: 'disk full',
  stops: true,
  prepare: ({ installation }) => smallDisk(installation.env['GATEWAY_DATA_DIR'] ?? ''),
  begin: async ({ installation }) => fillDisk(installation.env['GATEWAY_DATA_DIR'] ?? ''),
};

const fsyncErrors: Fault = {
  name: 'fsync and fdatasync say EIO',
  stops: true,
  begin: (_, gateway) => failFsyncs(gateway.pid),
};

const busy: Fault = {
  name: 'SQLITE_BUSY',
  stops: true,
  async begin({ installation }) {
    const directory = join(installation.env['GATEWAY_DATA_DIR'] ?? '', 'audit');
    const newest =
      readdirSync(directory)
        .filter((name) => name.endsWith('.db'))
        .toSorted()
        .at(-1) ?? '';
    const other = new DatabaseSync(join(directory, newest), { timeout: 5_000 });
    other.exec('BEGIN IMMEDIATE');
    return async () => other.close();
  },
};

const terminated: Fault = {
  name: 'pg_terminate_backend, again and again',
  stops: false,
  async begin({ postgres }) {
    let isOver = false;
    const terminating = (async () => {
      while (!isOver) {
        await postgres?.terminateConnections();
        await sleep(200);
      }
    })();
    return async () => {
      isOver = true;
      await terminating;
    };
  },
};

const stopped: Fault = {
  name: 'pg_ctl stop -m immediate',
  stops: true,
  async begin({ postgres }) {
    await postgres?.stop();
    return async () => void (await postgres?.restart());
  },
};

export const faultsSqlite: Part = faulty('sqlite', [diskFull, fsyncErrors, busy]);
export const faultsPostgres: Part = faulty('postgres', [terminated, stopped]);

function faulty(store: StoreName, faults: readonly Fault[]): Part {
  return {
    name: `faults-${store}`,
    about: faults.map(({ name }) => name).join(', '),
    async run({ long }) {
      let met = true;
      for (const fault of faults) {
        tell(`${fault.name}:`);
        for (let n = 0; n < (long ? LONG_ROUNDS : ROUNDS); n += 1) met = (await runFault(store, fault)) && met;
      }
      return met;
    },
  };
}

async function runFault(store: StoreName, fault: Fault): Promise<boolean> {
  await using installed = await installOn(store, [ID]);
  using _ground = fault.prepare?.(installed);
  if (fault.prepare !== undefined && _ground === undefined) {
    tell('not possible here: only root may mount a small disk');
    return true;
  }
  const token = installed.installation.tokens.get(APP) ?? '';
  const gateway = await installed.start(ID);
  const seen = new SeenChanges(installed);
  let ended: readonly EndedCall[] = [];
  let isMet = false;
  {
    await using load = new RecordLoad(token, await someDevice(gateway, token));
    ended = load.ended;
    load.keepCalling(() => gateway, true, CHANGING);
    load.keepCalling(() => gateway, false, READING);
    await waitUntil('changes go through', () => ended.some(isDone) || undefined);
    const from = performance.now();
    const mend = await fault.begin(installed, gateway);
    if (mend === undefined) {
      tell('not possible here: strace cannot attach');
      return true;
    }
    await sleep(BROKEN_MS);
    const to = performance.now();
    await mend();
    isMet = judgeMeanwhile(fault, ended, from, to);
    const mended = performance.now();
    const again = await waitUntil(
      'changes go through again',
      () => ended.find((call) => isDone(call) && call.at > mended),
      RECOVERED_MS_MAX,
    ).catch(() => undefined);
    const after = again === undefined ? 'never' : `after ${((again.at - mended) / 1_000).toFixed(1)} s`;
    const isAlive = gateway.process.exitCode === null && gateway.process.signalCode === null;
    isMet =
      judge(again !== undefined && isAlive, `changes go through again ${after}, without a restart; the bar is 30 s`) &&
      isMet;
  }
  await gateway[Symbol.asyncDispose]();
  installed.gatherLogs();
  await seen.look();
  const unannounced = lacking(seen.ids, (await readOnRecord(installed)).intended);
  const isWhole = judge(
    unannounced.length === 0,
    `${unannounced.length} of ${seen.ids.size} changes that Mason saw without an intent on record; the bar is 0`,
  );
  return (await judgeChains(installed)) && isWhole && isMet;
}

function isDone({ isChange, status }: EndedCall): boolean {
  return isChange && status === 200;
}

function judgeMeanwhile({ stops }: Fault, ended: readonly EndedCall[], from: number, to: number): boolean {
  const meanwhile = ended.filter(({ at }) => at > from && at < to);
  const changes = meanwhile.filter(({ isChange, at }) => isChange && at > from + NOTICED_MS);
  const reads = meanwhile.filter(({ isChange }) => !isChange);
  const odd = changes.filter(({ status }) => status !== 503 && (stops || status !== 200));
  const unread = reads.filter(({ status }) => status !== 200);
  const refused = changes.filter(({ status }) => status === 503).length;
  const first = odd[0] ?? unread[0];
  if (first !== undefined)
    tell(`${first.isChange ? 'a change' : 'a read'} was answered ${first.status} ${first.message}`);
  const isRefused = judge(
    odd.length === 0 && (!stops || refused > 0),
    `${refused} of ${changes.length} changes refused with 503, ${odd.length} ended otherwise than they should; the bar is 0`,
  );
  const isRead = judge(
    reads.length > 0 && unread.length === 0,
    `${unread.length} of ${reads.length} reads not answered; the bar is 0`,
  );
  return isRefused && isRead;
}
