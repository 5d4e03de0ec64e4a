import { join } from 'node:path';
import { type OpenedRecord, openRecord } from '../../src/audit/open-record.ts';
import { RunLife } from '../../src/audit/run-life.ts';
import { UsageCounter } from '../../src/audit/usage-counter.ts';
import { systemClock } from '../../src/domain/clock.ts';
import type { GatewayRuns } from '../../src/domain/run.ts';
import { openStore, type Store } from '../../src/store/open-store.ts';
import { settingsOf } from '../store/postgres-pairs.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

export interface House {
  readonly clock: VirtualClock;
  readonly store: Store;
  readonly record: OpenedRecord;
  readonly counter: UsageCounter;
  readonly life: RunLife;
  readonly problems: string[];
  readonly closed: [chain: string, unknown: number][];
  /** Whether it is at work in real time, looking after runs: virtual time must not overtake that. */
  isBusy(): boolean;
  /** Ends in order. */
  close(): Promise<void>;
  /** As `close`, but that nobody hears of the end. */
  die(): Promise<void>;
}

/** Where gateways keep what outlives them: in a directory, or in a database. */
export interface HousePlace {
  readonly directory: string;
  readonly databaseUrl?: string;
}

/** A gateway as far as its run, its record and its usage go: runs are watched in virtual time, the record is written in real time. */
export async function openHouse({ directory, databaseUrl }: HousePlace, gatewayId = 'gw-1'): Promise<House> {
  const server = databaseUrl === undefined ? undefined : settingsOf(databaseUrl);
  const store = await openStore(
    server === undefined ? { file: join(directory, 'gateway.db') } : { kind: 'postgres', server },
  );
  const clock = new VirtualClock();
  const counter = new UsageCounter(store.usage);
  const problems: string[] = [];
  const closed: [string, number][] = [];
  const record = await openRecord({
    directory: join(directory, 'audit'),
    database: server,
    gatewayId,
    clock: systemClock,
    intentMsMax: 15_000,
    flushMsMax: 1,
    lagEventsMax: 10_000,
    lagBytesMax: 10_000_000,
    onUsage: (chain, batch, usage) => counter.hear(chain, batch, usage),
  });
  let asked = 0;
  let isClosing = false;
  const runs = counted(store.runs, (change) => {
    asked += change;
  });
  const life = new RunLife({
    gatewayId,
    clock,
    record,
    counter,
    usage: store.usage,
    positions: store.positions,
    runs: {
      ...runs,
      async take(...what) {
        const isTaken = await runs.take(...what);
        isClosing = isTaken;
        return isTaken;
      },
    },
    onClosed(chain, unknown) {
      isClosing = false;
      closed.push([chain, unknown]);
    },
    onProblem(problem) {
      isClosing = false;
      problems.push(problem);
    },
  });
  await life.begin();
  return {
    clock,
    store,
    record,
    counter,
    life,
    problems,
    closed,
    isBusy: () => asked > 0 || isClosing,
    async close() {
      await life.stop();
      await record.close();
      await life.end();
      await store.close();
    },
    async die() {
      await record.close();
      await store.close();
    },
  };
}

/** The same runs; tells when something is asked of them, and when it is answered. */
function counted(runs: GatewayRuns, tell: (change: 1 | -1) => void): GatewayRuns {
  const through = Object.entries(runs).map(([name, ask]: [string, (...what: never[]) => Promise<unknown>]) => [
    name,
    (...what: never[]) => {
      tell(1);
      return ask(...what).finally(() => tell(-1));
    },
  ]);
  return Object.fromEntries(through) as GatewayRuns;
}
