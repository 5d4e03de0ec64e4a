import { join } from 'node:path';
import { type OpenedRecord, openRecord } from '../../src/audit/open-record.ts';
import { RunLife } from '../../src/audit/run-life.ts';
import { UsageCounter } from '../../src/audit/usage-counter.ts';
import { systemClock } from '../../src/domain/clock.ts';
import { openStore, type Store } from '../../src/store/open-store.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

export interface House {
  readonly clock: VirtualClock;
  readonly store: Store;
  readonly record: OpenedRecord;
  readonly counter: UsageCounter;
  readonly life: RunLife;
  readonly problems: string[];
  readonly closed: [chain: string, unknown: number][];
  /** Ends in order. */
  close(): Promise<void>;
  /** As `close`, but that nobody hears of the end. */
  die(): Promise<void>;
}

/** A gateway as far as its run, its record and its usage go: runs are watched in virtual time, the record is written in real time. */
export async function openHouse(directory: string, gatewayId = 'gw-1'): Promise<House> {
  const store = await openStore({ file: join(directory, 'gateway.db') });
  const clock = new VirtualClock();
  const counter = new UsageCounter(store.usage);
  const problems: string[] = [];
  const closed: [string, number][] = [];
  const record = await openRecord({
    directory: join(directory, 'audit'),
    gatewayId,
    clock: systemClock,
    intentMsMax: 15_000,
    flushMsMax: 1,
    lagEventsMax: 10_000,
    lagBytesMax: 10_000_000,
    onUsage: (chain, batch, usage) => counter.hear(chain, batch, usage),
  });
  const life = new RunLife({
    gatewayId,
    clock,
    record,
    counter,
    usage: store.usage,
    runs: store.runs,
    onClosed: (chain, unknown) => closed.push([chain, unknown]),
    onProblem: (problem) => problems.push(problem),
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
