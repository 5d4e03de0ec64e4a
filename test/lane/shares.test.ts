import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { paceFor } from '../../src/lane/pace.ts';
import type { ReadyApp } from '../../src/lane/shared-line.ts';
import { budgetStep } from '../../src/lane/shared-slots.ts';
import type { Member, SharedState } from '../../src/lane/shared-state.ts';
import { weigh } from '../../src/lane/shares.ts';

const LIMIT = { calls: 100, windowMs: 1_000 };

/** Calls that wait, by app, of one weight. */
type Waiting = Readonly<Record<string, readonly (readonly [urgency: number, calls: number])[]>>;

function tell(waiting: Waiting): ReadyApp[] {
  return Object.entries(waiting).map(([id, readyAt]) => [
    id,
    readyAt.reduce((sum, [, calls]) => sum + calls, 0),
    1,
    readyAt.flat(),
  ]);
}

/** A budget on 100/1s at whose gateways so many calls wait. */
function budgetOf(gateways: readonly Waiting[]): SharedState {
  let state: SharedState | undefined;
  for (const [n, waiting] of gateways.entries()) {
    state = budgetStep(state, 1e6, {
      gateway: `gateway-${n}`,
      run: 'first',
      stays: 'active',
      epoch: state?.epoch ?? '',
      newEpoch: 'epoch',
      sentAt: -1,
      staleMs: 50,
      stepMs: 0,
      stepOrigin: 0,
      rttMs: 0.5,
      wants: 0,
      apps: tell(waiting),
      tuning: { ...LIMIT, burst: 0, spreadMs: 10 },
      pace: paceFor(LIMIT, undefined, 10),
      tune: false,
      pauseMs: 0,
      pauseMsMax: 60_000,
      fastestMs: -1,
      slowestMs: -1,
      released: [],
      spentAlone: [],
      leaseMs: 2_000,
      learning: undefined,
      memory: { gateways: 1, calls: 0, pauseMs: 0, spent: [] },
    }).state;
  }
  return state as SharedState;
}

/** Each gateway's part, in hundredths. */
function partsOf(...gateways: Waiting[]): number[] {
  return weigh(budgetOf(gateways)).parts.map((part) => Math.round(part * 100));
}

describe('the parts of gateways', () => {
  test('are by how many of an app wait at each, and by apps, not by gateways', () => {
    expect(partsOf({ app: [[3, 30]] }, { app: [[3, 10]] })).toEqual([75, 25]);
    expect(partsOf({ single: [[3, 9]] }, { spread: [[3, 50]] }, { spread: [[3, 50]] })).toEqual([50, 25, 25]);
  });

  test('go to urgent calls first: as many as a round serves, wherever they wait', () => {
    expect(partsOf({ app: [[0, 200]] }, { app: [[3, 200]] })).toEqual([100, 0]);
    expect(
      partsOf(
        {
          app: [
            [0, 200],
            [3, 1],
          ],
        },
        { app: [[0, 600]] },
      ),
    ).toEqual([25, 75]);
  });

  test('are moved by a few urgent calls only as far as their turns of a round of 28 go', () => {
    expect(
      partsOf(
        {
          app: [
            [0, 7],
            [3, 93],
          ],
        },
        { app: [[3, 93]] },
      ),
    ).toEqual([Math.round(25 + 75 / 2), Math.round(75 / 2)]);
  });

  test('of an app do not change with what is urgent in another', () => {
    const [, , third] = partsOf({ calm: [[0, 50]] }, { calm: [[3, 50]] }, { loud: [[3, 50]] });
    expect(third).toBe(50);
  });

  test('are one in all, whatever waits', () => {
    const waiting = fc.dictionary(
      fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      fc.uniqueArray(fc.tuple(fc.nat({ max: 7 }), fc.integer({ min: 1, max: 500 })), {
        minLength: 1,
        selector: ([urgency]) => urgency,
      }),
      { minKeys: 1, noNullPrototype: true },
    );
    fc.assert(
      fc.property(fc.array(waiting, { minLength: 1, maxLength: 6 }), (gateways) => {
        const state = budgetOf(gateways);
        const { parts, waiting: count } = weigh(state);
        expect(count).toBe(state.members.filter(({ apps }: Member) => apps.length > 0).length);
        expect(parts.reduce((sum, part) => sum + part, 0)).toBeCloseTo(1, 9);
        expect(Math.min(...parts)).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
