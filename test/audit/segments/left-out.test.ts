import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { eventLine } from '../../../src/audit/event-line.ts';
import { queryRecord } from '../../../src/audit/segments/query.ts';
import { RunWriter } from '../../../src/audit/segments/run-writer.ts';
import { sealSegment } from '../../../src/audit/segments/seal-segment.ts';
import { SegmentCatalog } from '../../../src/audit/segments/segment-catalog.ts';
import { listSegments } from '../../../src/audit/segments/segment-file.ts';
import type { OutcomeEvent } from '../../../src/domain/event.ts';
import type { RecordFilter } from '../../../src/domain/record.ts';
import { sampleOutcome } from '../sample-events.ts';
import { scratchDirectory } from '../scratch-directory.ts';

const AT = 1_790_000_000_000;

/** Mostly the first, as events of a segment are; how mostly is drawn too. */
function skewed<T>(values: readonly T[], share: number): fc.Arbitrary<T> {
  const [most, ...others] = values.map((value) => fc.constant(value));
  return fc.oneof(
    { weight: share, arbitrary: most as fc.Arbitrary<T> },
    ...others.map((arbitrary) => ({ weight: 1, arbitrary })),
  );
}

const someSegment = fc.constantFrom(1, 4, 30).chain((share) =>
  fc.array(
    fc.record({
      kind: skewed(['outcome', 'refused'] as const, share),
      team: skewed(['acme', 'shop', undefined], share),
      operation: skewed(['device.list', 'group.list', undefined], share),
      effect: skewed(['read', 'change', undefined] as const, share),
      status: skewed([200, 404, 500], share),
      keyFingerprint: skewed(['f1', 'f2', undefined], share),
      actor: skewed(
        ['a', 'b', undefined].map((id) => ({ kind: 'app' as const, appId: id, app: id, tokenId: id })),
        share,
      ),
      at: fc.integer({ min: AT, max: AT + 50 }),
    }),
    { minLength: 1, maxLength: 60 },
  ),
);

const someFilter: fc.Arbitrary<RecordFilter> = fc.record(
  {
    kind: fc.constantFrom('outcome', 'refused', 'admin', 'none'),
    team: fc.constantFrom('acme', 'shop', 'none'),
    teams: fc.subarray(['team_1', 'none']),
    app: fc.constantFrom('a', 'b', 'none'),
    tokenId: fc.constantFrom('a', 'b', 'none'),
    operation: fc.constantFrom('device.list', 'group.list', 'gateway.start', 'none'),
    effect: fc.constantFrom('read', 'change', 'none'),
    status: fc.constantFrom(200, 404, 500, 418),
    keyFingerprint: fc.constantFrom('f1', 'f2', 'none'),
  },
  { requiredKeys: [] },
);

/** A segment, and a copy of it that is sealed. */
function written(directory: string, events: readonly Partial<OutcomeEvent>[]): { open: string; sealed: string } {
  const open = join(directory, 'open');
  const writer = new RunWriter({
    directory: open,
    gatewayId: 'gw',
    startedAt: AT,
    segmentEventsMax: 1e9,
    segmentAgeMsMax: 1e9,
    busyMsMax: 1_000,
    resume: undefined,
  });
  writer.write(
    1,
    events.map((event, n) => eventLine(sampleOutcome({ ...event, requestId: `r${n}` } as OutcomeEvent))).join(''),
  );
  writer.close();
  const sealed = join(directory, 'sealed');
  cpSync(open, sealed, { recursive: true });
  for (const { path } of listSegments(sealed)) expect(sealSegment(path)).toBe(true);
  return { open, sealed };
}

describe('an index that leaves the most common value out', () => {
  test('changes no answer: what a sealed segment answers is what it answered while it was open', () => {
    fc.assert(
      fc.property(someSegment, fc.array(someFilter, { minLength: 4, maxLength: 12 }), (events, filters) => {
        using scratch = scratchDirectory('memory');
        const { open, sealed } = written(scratch.path, events);
        for (const filter of filters) {
          const [before, after] = [open, sealed].map((directory) =>
            queryRecord(new SegmentCatalog(directory), filter, { limit: 20 }).events.map(({ seq }) => seq),
          );
          expect(after).toEqual(before);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('is what a question for anything else is answered from, also for what nobody has', () => {
    using scratch = scratchDirectory('memory');
    const { sealed } = written(
      scratch.path,
      Array.from({ length: 300 }, (_, n) => ({ at: AT + n, status: n % 100 === 0 ? 404 : 200 })),
    );
    const [file] = listSegments(sealed);
    using db = new DatabaseSync(file?.path ?? '', { readOnly: true });
    const planOf = (where: string): string =>
      String(
        db
          .prepare(`EXPLAIN QUERY PLAN SELECT line FROM event WHERE ${where} ORDER BY at DESC, seq DESC LIMIT 9`)
          .get()?.['detail'],
      );
    expect(planOf('status = 404 AND status <> 200')).toContain('event_status');
    expect(planOf('status = 418 AND status <> 200')).toContain('event_status');
    expect(planOf('status = 200')).toContain('event_at');
    const size = db.prepare("SELECT sum(ncell) AS entries FROM dbstat WHERE name = 'event_status'");
    expect(Number(size.get()?.['entries'])).toBeLessThan(10);
  });
});
