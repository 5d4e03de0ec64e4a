import { describe, expect, test } from '@jest/globals';
import { RetryBudget } from '../../src/call/retry-budget.ts';

const spendAll = (budget: RetryBudget): number => {
  let spent = 0;
  while (budget.spend()) spent++;
  return spent;
};

describe('the retry budget', () => {
  test('A quiet gateway has a few retries, then none', () => {
    const budget = new RetryBudget();
    expect(spendAll(budget)).toBe(10);
    expect(budget.spend()).toBe(false);
  });

  test('Five calls earn one retry: however Mason fails, it sees a fifth more calls at most', () => {
    const budget = new RetryBudget();
    spendAll(budget);
    for (let call = 0; call < 4; call++) budget.earn();
    expect(budget.spend()).toBe(false);
    budget.earn();
    expect(spendAll(budget)).toBe(1);

    let retries = 0;
    for (let call = 0; call < 10_000; call++) {
      budget.earn();
      if (budget.spend()) retries++;
    }
    expect(retries).toBeGreaterThan(1_990);
    expect(retries).toBeLessThanOrEqual(2_000);
  });

  test('A long calm saves up a hundred, not more: a storm after it is still bounded', () => {
    const budget = new RetryBudget();
    for (let call = 0; call < 100_000; call++) budget.earn();
    expect(spendAll(budget)).toBe(100);
  });
});
