import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SortedBlocks } from '../../src/lane/sorted-blocks.ts';

describe('a list kept in order', () => {
  test('is the sorted array it stands for, after any inserts and removals', () => {
    const step = fc.record({ insert: fc.boolean(), value: fc.integer({ min: 0, max: 700 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 1_500, size: 'max' }), (steps) => {
        const list = new SortedBlocks<number>((a, b) => a - b);
        const model = new Set<number>();
        for (const { insert, value } of steps) {
          if (insert && !model.has(value)) {
            model.add(value);
            list.insert(value);
          } else if (!insert) {
            expect(list.remove(value)).toBe(model.delete(value));
          }
        }
        const sorted = [...model].sort((a, b) => a - b);
        expect([...list]).toEqual(sorted);
        expect([...list.backwards()]).toEqual(sorted.toReversed());
        expect(list.size).toBe(sorted.length);
        expect(list.first).toBe(sorted[0]);
        expect(list.last).toBe(sorted.at(-1));
        for (const value of [0, 333, 701])
          expect(list.rank(value)).toBe(sorted.filter((other) => other < value).length);
      }),
      { numRuns: 40 },
    );
  });
});
