import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { eventLine } from '../../../src/audit/event-line.ts';
import { comparePositions } from '../../../src/audit/position.ts';
import { openPostgresReading, openPostgresRecord } from '../../../src/audit/postgres/open-postgres-record.ts';
import { PostgresRunWriter } from '../../../src/audit/postgres/postgres-run-writer.ts';
import { forThread } from '../../../src/audit/postgres/thread-settings.ts';
import type { RecordPlace } from '../../../src/audit/record-place.ts';
import type { OutcomeEvent, StoredEvent } from '../../../src/domain/event.ts';
import type { RecordFilter, RecordPage } from '../../../src/domain/record.ts';
import { type SomePostgres, somePostgres } from '../../support/postgres-server.ts';
import { matches, someBatches, someFilter, type Written } from '../some-events.ts';
import { RecordDatabase } from './record-database.ts';

const DAY_MS = 86_400_000;

let postgres: SomePostgres;
let database: RecordDatabase;
let reading: Omit<RecordPlace, 'writer'>;

beforeAll(async () => {
  postgres = await somePostgres();
  database = new RecordDatabase(await postgres.freshDatabase());
  const place = await openPostgresRecord(database.settings, {
    gatewayId: 'gw',
    intentMsMax: 1_000,
    onProblem: () => {},
  });
  await place.close();
  reading = await openPostgresReading(database.settings);
});

afterEach(() => database.empty());

afterAll(async () => {
  await reading.close();
  await postgres[Symbol.asyncDispose]();
});

/** Several runs that write at the same time; and the same in memory. */
class Model implements AsyncDisposable {
  readonly written: Written[] = [];
  readonly #runs: { writer: PostgresRunWriter; batch: number; chain: string; seq: number }[] = [];

  static async of(runs: number): Promise<Model> {
    await database.empty();
    const model = new Model();
    for (let n = 0; n < runs; n += 1) await model.begin();
    return model;
  }

  async begin(): Promise<void> {
    const gatewayId = `gw-${this.#runs.length}`;
    const settings = forThread(database.settings);
    const writer = new PostgresRunWriter({ settings, gatewayId, askMsMax: 5_000, resume: undefined });
    const { run, head } = await writer.write(0, '');
    this.#runs.push({ writer, batch: 0, chain: `${gatewayId}/${run}`, seq: head.seq });
  }

  async write(runOf: number, events: readonly OutcomeEvent[]): Promise<void> {
    const run = this.#runs[runOf % this.#runs.length];
    if (run === undefined) return;
    run.batch += 1;
    await run.writer.write(run.batch, events.map(eventLine).join(''));
    for (const event of events) this.written.push({ at: event.at, chain: run.chain, seq: ++run.seq, event });
  }

  /** All that match, newest first. */
  expected(filter: RecordFilter): string[] {
    return this.written
      .filter((one) => matches(one, filter))
      .sort((a, b) => comparePositions(b, a))
      .map(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#runs.map(({ writer }) => writer.close()));
  }
}

function name({ chain, seq }: { chain: string; seq: number }): string {
  return `${chain} ${seq}`;
}

function names(events: readonly StoredEvent[]): string[] {
  return events.filter(({ event }) => event['kind'] === 'outcome').map(name);
}

describe('paging in PostgreSQL', () => {
  test('gives all that matches, once, in order, both ways, over several runs and weeks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 3 }),
        someBatches,
        fc.array(someFilter, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 7 }),
        async (runs, batches, filters, limit) => {
          await using model = await Model.of(runs);
          for (const [run, events] of batches) await model.write(run, events.map(daysApart));
          for (const some of filters) {
            const filter = { ...timesApart(some), kind: 'outcome' };
            const forth: string[] = [];
            let page: RecordPage = await reading.query(filter, { limit });
            forth.push(...names(page.events));
            while (page.nextPage !== undefined) {
              page = await reading.query(filter, { limit, after: page.nextPage });
              forth.push(...names(page.events));
            }
            expect(forth).toEqual(model.expected(filter));
            const back = names(page.events);
            while (page.prevPage !== undefined && page.events.length > 0) {
              page = await reading.query(filter, { limit, before: page.prevPage });
              back.unshift(...names(page.events));
            }
            expect(back).toEqual(forth);
          }
        },
      ),
      { numRuns: 4 },
    );
  });

  test('who follows sees each event once, however late it came and whoever wrote it, also of gateways that come and go', async () => {
    await fc.assert(
      fc.asyncProperty(
        someBatches,
        someBatches,
        someFilter,
        fc.integer({ min: 1, max: 5 }),
        async (before, after, some, limit) => {
          await using model = await Model.of(2);
          const filter = { ...timesApart(some), kind: 'outcome' };
          for (const [run, events] of before) await model.write(run, events.map(daysApart));
          let page = await reading.query(filter, { limit });
          const old = model.expected(filter);
          expect(names(page.events)).toEqual(old.slice(0, limit));
          const came: string[] = [];
          const look = async (): Promise<void> => {
            page = await reading.query(filter, { limit, before: page.prevPage ?? '' });
            came.push(...names(page.events));
          };
          await model.begin();
          // All at once: who commits first, and what of it the reader meets, is up to the database.
          let writing = 0;
          const writers = [...Map.groupBy(after, ([run]) => run % 3)].map(async ([run, batches]) => {
            writing += 1;
            for (const [, events] of batches) await model.write(run, events.map(daysApart));
            writing -= 1;
          });
          while (writing > 0) await look();
          await Promise.all(writers);
          do await look();
          while (page.events.length > 0);
          const since = model.expected(filter).filter((one) => !old.includes(one));
          expect(came.sort()).toEqual(since.sort());
        },
      ),
      { numRuns: 4 },
    );
  });
});

/** What stands milliseconds apart stands days apart: several partitions, several events in each. */
function apart(at: number): number {
  return Math.round((at - ORIGIN) * (DAY_MS * 2)) + ORIGIN;
}

const ORIGIN = 1_790_000_000_000;

function daysApart(event: OutcomeEvent): OutcomeEvent {
  return { ...event, at: apart(event.at) };
}

function timesApart({ since, until, ...filter }: RecordFilter): RecordFilter {
  return {
    ...filter,
    ...(since === undefined ? {} : { since: apart(since) }),
    ...(until === undefined ? {} : { until: apart(until) }),
  };
}
