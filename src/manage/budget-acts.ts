import { z } from 'zod';
import { type Budget, formatRateLimit } from '../domain/budget.ts';
import type { Store } from '../store/open-store.ts';
import { type Act, type ActDeps, looking } from './act.ts';

export interface BudgetView {
  readonly id: string;
  readonly name: string;
  /** `100/1s`; null while nobody said. */
  readonly limit: string | null;
  /** Calls that may leave at once after idleness; null: by the lane's rule. */
  readonly burst: number | null;
  /** `team/key` of each key on it. */
  readonly keys: readonly string[];
  /** ISO time. */
  readonly createdAt: string;
}

export interface BudgetActs {
  'budget.list': Act<{ data: readonly BudgetView[] }>;
}

export function budgetActs(deps: ActDeps & { store: Store }): BudgetActs {
  const { store } = deps;
  return {
    'budget.list': looking(deps, 'budget.list', z.strictObject({}), async () => {
      const [budgets, keys, teams] = await Promise.all([store.budgets.list(), store.keys.list(), store.teams.list()]);
      const slugs = new Map(teams.map((team) => [team.id, team.slug]));
      const data = budgets.map((budget) =>
        viewOf(
          budget,
          keys.filter((key) => key.budgetId === budget.id).map((key) => `${slugs.get(key.teamId) ?? '?'}/${key.name}`),
        ),
      );
      return { answer: { data } };
    }),
  };
}

function viewOf(budget: Budget, keys: readonly string[]): BudgetView {
  return {
    id: budget.id,
    name: budget.name,
    limit: budget.limit === undefined ? null : formatRateLimit(budget.limit),
    burst: budget.burst ?? null,
    keys: keys.toSorted(),
    createdAt: new Date(budget.createdAt).toISOString(),
  };
}
