import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { eventLine } from '../../../src/audit/event-line.ts';
import { comparePositions } from '../../../src/audit/position.ts';
import { queryRecord } from '../../../src/audit/segments/query.ts';
import { RunWriter } from '../../../src/audit/segments/run-writer.ts';
import { sealSegment } from '../../../src/audit/segments/seal-segment.ts';
import { unsealedSegments } from '../../../src/audit/segments/sealer.ts';
import { SegmentCatalog } from '../../../src/audit/segments/segment-catalog.ts';
import type { OutcomeEvent, StoredEvent } from '../../../src/domain/event.ts';
import type { RecordFilter, RecordPage } from '../../../src/domain/record.ts';
import { sampleOutcome } from '../sample-events.ts';
import { scratchDirectory } from '../scratch-directory.ts';
import { AT, matches, someBatches, someFilter, type Written } from '../some-events.ts';

/** Several runs that write at the same time, into short segments, some of which are sealed; and the same in memory. */
class Model {
  readonly written: Written[] = [];
  readonly directory: string;
  readonly #writers: { writer: RunWriter; batch: number; chain: string; seq: number }[] = [];

  constructor(directory: string, runs: number) {
    this.directory = directory;
    for (let n = 0; n < runs; n += 1) {
      const gatewayId = `gw-${n}`;
      const writer = new RunWriter({
        directory,
        gatewayId,
        startedAt: AT,
        segmentEventsMax: 6,
        segmentAgeMsMax: 1e9,
        busyMsMax: 1000,
        resume: undefined,
      });
      const { run, head } = writer.write(0, '');
      this.#writers.push({ writer, batch: 0, chain: `${gatewayId}/${run}`, seq: head.seq });
    }
  }

  write(runOf: number, events: readonly OutcomeEvent[]): void {
    const run = this.#writers[runOf % this.#writers.length];
    if (run === undefined) return;
    run.batch += 1;
    run.writer.write(run.batch, events.map(eventLine).join(''));
    run.writer.rest();
    for (const event of events) this.written.push({ at: event.at, chain: run.chain, seq: ++run.seq, event });
  }

  seal(): void {
    for (const path of unsealedSegments(this.directory, undefined)) sealSegment(path);
  }

  /** All that match, newest first. */
  expected(filter: RecordFilter): string[] {
    return this.written
      .filter((one) => matches(one, filter))
      .sort((a, b) => comparePositions(b, a))
      .map(name);
  }

  close(): void {
    for (const { writer } of this.#writers) writer.close();
  }
}

function name({ chain, seq }: { chain: string; seq: number }): string {
  return `${chain} ${seq}`;
}

function names(events: readonly StoredEvent[]): string[] {
  return events.filter(({ event }) => event['kind'] === 'outcome').map(name);
}

describe('paging', () => {
  test('gives all that matches, once, in order, both ways, over several runs and segments', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3 }),
        someBatches,
        fc.array(someFilter, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 7 }),
        (runs, batches, filters, limit) => {
          using scratch = scratchDirectory('memory');
          const model = new Model(scratch.path, runs);
          batches.forEach(([run, events], n) => {
            model.write(run, events);
            if (n === 5) model.seal();
          });
          const catalog = new SegmentCatalog(scratch.path);
          for (const some of filters) {
            const filter = { ...some, kind: 'outcome' };
            const forth: string[] = [];
            let page: RecordPage = queryRecord(catalog, filter, { limit });
            forth.push(...names(page.events));
            while (page.nextPage !== undefined) {
              page = queryRecord(catalog, filter, { limit, after: page.nextPage });
              forth.push(...names(page.events));
            }
            expect(forth).toEqual(model.expected(filter));
            const back = names(page.events);
            // From the last page back to the newest: its key then asks for what came since, which is nothing.
            while (page.prevPage !== undefined && page.events.length > 0) {
              page = queryRecord(catalog, filter, { limit, before: page.prevPage });
              back.unshift(...names(page.events));
            }
            expect(back).toEqual(forth);
          }
          model.close();
        },
      ),
      { numRuns: 25 },
    );
  });

  test('what comes while somebody pages on shows to who asks for it, once, and moves nothing', () => {
    fc.assert(
      fc.property(
        someBatches,
        someBatches,
        someFilter,
        fc.integer({ min: 1, max: 5 }),
        (before, after, some, limit) => {
          using scratch = scratchDirectory('memory');
          const filter = { ...some, kind: 'outcome' };
          const model = new Model(scratch.path, 2);
          for (const [run, events] of before) model.write(run, events);
          const catalog = new SegmentCatalog(scratch.path);
          let page = queryRecord(catalog, filter, { limit });
          const old = model.expected(filter);
          expect(names(page.events)).toEqual(old.slice(0, limit));
          const came: string[] = [];
          const look = (): void => {
            page = queryRecord(catalog, filter, { limit, before: page.prevPage ?? '' });
            came.push(...names(page.events));
          };
          after.forEach(([run, events], n) => {
            model.write(run, events);
            if (n === 4) model.seal();
            if (n % 3 === 0) look();
          });
          do look();
          while (page.events.length > 0);
          const since = model.expected(filter).filter((one) => !old.includes(one));
          expect(came.sort()).toEqual(since.sort());
          model.close();
        },
      ),
      { numRuns: 25 },
    );
  });

  test('the newest events are found in a long open segment, wherever in it they stand', () => {
    using scratch = scratchDirectory('memory');
    const writer = new RunWriter({
      directory: scratch.path,
      gatewayId: 'gw',
      startedAt: AT,
      segmentEventsMax: 1e9,
      segmentAgeMsMax: 1e9,
      busyMsMax: 1000,
      resume: undefined,
    });
    const count = 2000;
    // Mostly in order, every 97th far too early, and the very newest among the first.
    const instants = Array.from({ length: count }, (_, n) => (n === 5 ? AT + 1e6 : n % 97 === 0 ? AT - n : AT + n));
    for (let n = 0; n < count; n += 10) {
      const events = instants.slice(n, n + 10).map((at) => sampleOutcome({ at, requestId: String(at) }));
      writer.write(n / 10 + 1, events.map(eventLine).join(''));
    }
    const expected = instants.toSorted((a, b) => b - a).map(String);
    const catalog = new SegmentCatalog(scratch.path);
    const found: StoredEvent[] = [];
    let page = queryRecord(catalog, { kind: 'outcome' }, { limit: 3 });
    expect(page.events.map(({ event }) => event['requestId'])).toEqual(expected.slice(0, 3));
    found.push(...page.events);
    while (page.nextPage !== undefined) {
      page = queryRecord(catalog, { kind: 'outcome' }, { limit: 150, after: page.nextPage });
      found.push(...page.events);
    }
    expect(found.map(({ event }) => event['requestId'])).toEqual(expected);
    writer.close();
  });
});
