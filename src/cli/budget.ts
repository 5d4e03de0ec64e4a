import type { BudgetView } from '../manage/budget-acts.ts';
import type { Column } from './table.ts';
import { type Cli, noun, verb, withActs } from './verb.ts';

const COLUMNS: readonly Column<BudgetView>[] = [
  ['BUDGET', (budget) => budget.name],
  ['LIMIT', (budget) => budget.limit ?? 'unknown'],
  ['BURST', (budget) => budget.burst ?? 'auto'],
  ['KEYS', (budget) => budget.keys.join(', ')],
];

export function addBudget(cli: Cli): void {
  const budget = noun(
    cli,
    'budget',
    'rate budgets at Mason: keys on one share one line; limits are set with "key set"',
  );

  verb(budget, 'list', 'lists budgets', 'budget list').action(
    withActs(cli, async ({ acts, print }) => {
      await print.list(await acts.perform('budget.list'), COLUMNS, 'There are no budgets yet: "key add" makes them');
    }),
  );
}
