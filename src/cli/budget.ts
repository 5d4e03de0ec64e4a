import type { BudgetView } from '../manage/budget-acts.ts';
import { SPREAD_OPTION, spreadOf } from './spread.ts';
import type { Column } from './table.ts';
import { type Cli, noun, verb, withActs } from './verb.ts';

const COLUMNS: readonly Column<BudgetView>[] = [
  ['BUDGET', (budget) => budget.name],
  ['LIMIT', (budget) => budget.limit ?? 'auto'],
  ['BURST', (budget) => budget.burst ?? 'auto'],
  ['SPREAD', spreadOf],
  ['KEYS', (budget) => budget.keys.join(', ')],
];

export function addBudget(cli: Cli): void {
  const budget = noun(cli, 'budget', 'rate budgets at Mason: keys on one share one line');

  verb(budget, 'list', 'lists budgets', 'budget list').action(
    withActs(cli, async ({ acts, print }) => {
      await print.list(await acts.perform('budget.list'), COLUMNS, 'There are no budgets yet: "key add" makes them');
    }),
  );

  verb(
    budget,
    'set <name>',
    'changes the limit of a budget, for all keys on it',
    'budget set acme-main --limit 600/60s --burst 10',
  )
    .option('--limit <calls/window>', 'how many calls Mason takes: 100/1s, 600/60s; or "auto": it is learnt')
    .option('--burst <calls>', 'calls that may leave at once after idleness; or "auto"')
    .option(...SPREAD_OPTION)
    .action(
      withActs(cli, async ({ acts, print }, { limit, burst, spread }, [name]) => {
        const set = await acts.perform('budget.set', { name, limit, burst, spreadMs: spread });
        await print.one(set, [
          `The budget ${set.name}: limit ${set.limit ?? 'auto'}, burst ${set.burst ?? 'auto'}, spread ${spreadOf(set)}; keys ${set.keys.join(', ')}.`,
        ]);
      }),
    );
}
