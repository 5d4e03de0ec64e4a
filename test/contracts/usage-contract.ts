import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  type Histogram,
  USAGE_SPANS,
  type UsageDelta,
  type UsageKey,
  type UsageRow,
  type UsageSpan,
  type UsageSums,
} from '../../src/domain/usage.ts';
import type { StorePair } from './store-contract.ts';

const DAY = 1_790_035_200_000;
const { minute: MINUTE, hour: HOUR } = USAGE_SPANS;
const ALL = { since: 0, until: Number.MAX_SAFE_INTEGER };

/** What every store of usage promises. */
export function usageContract(name: string, open: () => Promise<StorePair>): void {
  describe(`${name} keeps the contract of usage`, () => {
    let pair: StorePair;

    beforeEach(async () => {
      pair = await open();
    });

    afterEach(async () => {
      await pair.close();
    });

    test('what was counted stands in its minute, its hour and its day, for the other gateway too', async () => {
      await pair.store.usage.add([delta({ minute: DAY + HOUR + 5 * MINUTE })], { chain: 'a', batch: 3 });
      const starts = { minute: DAY + HOUR + 5 * MINUTE, hour: DAY + HOUR, day: DAY };
      for (const [span, at] of Object.entries(starts) as [UsageSpan, number][]) {
        const { minute: _, ...rest } = delta({});
        expect(await pair.other.usage.rows(span, ALL, {})).toEqual([{ ...rest, at }]);
      }
    });

    test('a batch that was counted is not counted again, by whichever gateway, nor one before it', async () => {
      expect(await pair.store.usage.countedTo('a')).toBe(-1);
      await pair.store.usage.add([delta({ calls: 1 })], { chain: 'a', batch: 0 });
      await pair.store.usage.add([delta({ calls: 1 })], { chain: 'a', batch: 7 });
      await pair.other.usage.add([delta({ calls: 100 })], { chain: 'a', batch: 7 });
      await pair.other.usage.add([delta({ calls: 100 })], { chain: 'a', batch: 4 });
      await pair.other.usage.add([delta({ calls: 1 })], { chain: 'b', batch: 4 });
      expect(await pair.other.usage.countedTo('a')).toBe(7);
      expect((await pair.store.usage.rows('day', ALL, {})).map(({ calls }) => calls)).toEqual([3]);
    });

    test('of ten who count the same batch at once, one does; of ten who count ten chains at once, none is lost', async () => {
      const both = (n: number) => (n % 2 === 0 ? pair.store : pair.other).usage;
      const ten = Array.from({ length: 10 }, (_, n) => n);
      await Promise.all(ten.map((n) => both(n).add([delta({ calls: 1 })], { chain: 'same', batch: 1 })));
      await Promise.all(ten.map((n) => both(n).add([delta({ calls: 1 })], { chain: `chain-${n}`, batch: 1 })));
      const [row] = await pair.store.usage.rows('hour', ALL, {});
      expect(row).toMatchObject({ calls: 11, queueMs: [[3, 22]] });
    });

    test('is asked by time, teams, caller and operation', async () => {
      const deltas = [
        delta({ teamId: 'team_1', callerId: 'app_1', operation: 'device.list', minute: DAY }),
        delta({ teamId: 'team_1', callerId: 'app_2', operation: 'device.get', minute: DAY + MINUTE }),
        delta({ teamId: 'team_2', callerId: 'per_1', operation: 'device.get', minute: DAY + 2 * MINUTE }),
        delta({ teamId: '', callerId: '', operation: '', outcome: 'refused', minute: DAY + 3 * MINUTE }),
      ];
      await pair.store.usage.add(deltas, { chain: 'a', batch: 1 });
      const ask = async (range: object, only: object): Promise<string[]> =>
        (await pair.other.usage.rows('minute', { ...ALL, ...range }, only)).map(
          ({ teamId, callerId, operation }) => `${teamId} ${callerId} ${operation}`,
        );
      const [first, second, third, nobody] = [
        'team_1 app_1 device.list',
        'team_1 app_2 device.get',
        'team_2 per_1 device.get',
        '  ',
      ];
      expect(await ask({}, {})).toEqual([first, second, third, nobody]);
      expect(await ask({ since: DAY + MINUTE, until: DAY + 2 * MINUTE }, {})).toEqual([second]);
      expect(await ask({}, { teamIds: ['team_1', 'team_9'] })).toEqual([first, second]);
      expect(await ask({}, { teamIds: [] })).toEqual([]);
      expect(await ask({}, { callerId: 'per_1' })).toEqual([third]);
      expect(await ask({}, { teamIds: ['team_1', 'team_2'], operation: 'device.get' })).toEqual([second, third]);
    });

    test('what ended long ago is forgotten, span by span, and the rest stays', async () => {
      const deltas = [0, 1, 2].map((n) => delta({ minute: DAY + n * MINUTE }));
      await pair.store.usage.add(deltas, { chain: 'a', batch: 1 });
      expect(await pair.store.usage.prune('minute', DAY + 2 * MINUTE - 1)).toBe(1);
      expect((await pair.other.usage.rows('minute', ALL, {})).map(({ at }) => at)).toEqual([
        DAY + MINUTE,
        DAY + 2 * MINUTE,
      ]);
      expect(await pair.other.usage.rows('hour', ALL, {})).toHaveLength(1);
    });

    test('whatever is counted in whatever pieces, each span holds the sum of it', async () => {
      let round = 0;
      const rounds = fc.array(fc.array(fc.record(DELTA), { maxLength: 6 }), { minLength: 1, maxLength: 4 });
      await fc.assert(
        fc.asyncProperty(rounds, async (pieces) => {
          // Each in a year of its own.
          const since = ++round * 366 * USAGE_SPANS.day;
          const moved = pieces.map((deltas) => deltas.map((each) => ({ ...each, minute: since + each.minute })));
          for (const [batch, deltas] of moved.entries()) {
            await (batch % 2 === 0 ? pair.store : pair.other).usage.add(deltas, { chain: `c-${round}`, batch });
          }
          for (const span of ['minute', 'hour', 'day'] as const) {
            const rows = await pair.store.usage.rows(span, { since, until: since + 2 * USAGE_SPANS.day }, {});
            expect(byKey(rows)).toEqual(byKey(expectedRows(moved.flat(), span)));
          }
        }),
        { numRuns: 15 },
      );
    });
  });
}

const HISTOGRAM = fc
  .uniqueArray(fc.tuple(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 1, max: 100_000 })), {
    selector: ([bucket]) => bucket,
    maxLength: 4,
  })
  .map((pairs): Histogram => pairs.toSorted(([a], [b]) => a - b));

const DELTA = {
  minute: fc.integer({ min: 0, max: 2 * 24 * 60 - 1 }).map((n) => n * MINUTE),
  teamId: fc.constantFrom('', 'team_1'),
  callerId: fc.constantFrom('app_1', 'per_1'),
  operation: fc.constantFrom('device.list', 'group "a|b"'),
  outcome: fc.constantFrom<UsageKey['outcome']>('ok', 'failed'),
  calls: fc.nat(),
  attempts: fc.nat(),
  bytesIn: fc.nat(),
  bytesOut: fc.integer({ min: 0, max: 2 ** 45 }),
  queueMs: HISTOGRAM,
  masonMs: HISTOGRAM,
  gatewayMs: HISTOGRAM,
};

/** Added up the slow way: bucket by bucket. */
function expectedRows(deltas: readonly UsageDelta[], span: UsageSpan): UsageRow[] {
  const rows = new Map<string, UsageRow>();
  for (const { minute, ...each } of deltas) {
    const row = { ...each, at: Math.floor(minute / USAGE_SPANS[span]) * USAGE_SPANS[span] };
    const before = rows.get(keyOf(row));
    rows.set(keyOf(row), before === undefined ? row : { ...row, ...sum(before, row) });
  }
  return [...rows.values()];
}

function sum(one: UsageSums, other: UsageSums): UsageSums {
  const times = (which: 'queueMs' | 'masonMs' | 'gatewayMs'): Histogram =>
    Array.from({ length: 201 }, (_, bucket) => {
      const counts = [...one[which], ...other[which]].filter(([n]) => n === bucket).map(([, count]) => count);
      return [bucket, counts.reduce((a, b) => a + b, 0)] as const;
    }).filter(([, count]) => count > 0);
  return {
    calls: one.calls + other.calls,
    attempts: one.attempts + other.attempts,
    bytesIn: one.bytesIn + other.bytesIn,
    bytesOut: one.bytesOut + other.bytesOut,
    queueMs: times('queueMs'),
    masonMs: times('masonMs'),
    gatewayMs: times('gatewayMs'),
  };
}

function keyOf({ at, teamId, callerId, operation, outcome }: UsageRow): string {
  return JSON.stringify([at, teamId, callerId, operation, outcome]);
}

function byKey(rows: readonly UsageRow[]): Record<string, UsageRow> {
  return Object.fromEntries(rows.map((row) => [keyOf(row), row]));
}

function delta(change: Partial<UsageDelta>): UsageDelta {
  return {
    minute: DAY,
    teamId: 'team_1',
    callerId: 'app_1',
    operation: 'device.list',
    outcome: 'ok',
    calls: 2,
    attempts: 3,
    bytesIn: 40,
    bytesOut: 5_000_000_000_000,
    queueMs: [[3, 2]],
    masonMs: [
      [0, 1],
      [77, 2],
      [200, 36],
    ],
    gatewayMs: [],
    ...change,
  };
}
