import { expect, test } from '@jest/globals';
import type { BudgetAsk } from '../../src/lane/budget-act.ts';
import { paceFor } from '../../src/lane/pace.ts';
import { budgetStep } from '../../src/lane/shared-slots.ts';
import type { SharedState } from '../../src/lane/shared-state.ts';

const LIMIT = { calls: 100, windowMs: 1_000 };

test('while the spread is being measured, no slot comes closer to another than the limit allows', () => {
  let state: SharedState | undefined;
  const slots: number[] = [];
  const ask = (gateway: string, atMs: number, spreadMs: number, tune: boolean): void => {
    const asked: BudgetAsk = {
      gateway,
      run: gateway,
      stays: 'active',
      epoch: state?.epoch ?? '',
      newEpoch: 'first',
      sentAt: -1,
      staleMs: 50,
      stepMs: 0,
      stepOrigin: 0,
      rttMs: 0.6,
      wants: 30,
      apps: [['app', 30, 1, [3, 30]]],
      tuning: { ...LIMIT, burst: 0, spreadMs },
      pace: paceFor(LIMIT, undefined, spreadMs),
      tune,
      pauseMs: 0,
      pauseMsMax: 60_000,
      fastestMs: 20,
      slowestMs: 20 + spreadMs,
      released: [],
      spentAlone: [],
      leaseMs: 2_000,
      learning: undefined,
      memory: { gateways: 1, calls: 0, pauseMs: 0, spent: [] },
    };
    const step = budgetStep(state, 1e6 + atMs, asked);
    state = step.state;
    slots.push(...step.answer.slots);
  };
  // Slots are handed out ahead; each new spread comes while some of them still lie in the future.
  ask('a', 0, 10, true);
  ask('b', 1, 10, false);
  ask('c', 100, 20, true);
  ask('d', 120, 25, true);
  ask('a', 140, 30, true);
  slots.sort((one, other) => one - other);
  const gaps = slots.slice(1).map((at, index) => at - (slots[index] as number));
  expect(gaps.length).toBeGreaterThan(40);
  expect(Math.min(...gaps)).toBeGreaterThan(10);
});
